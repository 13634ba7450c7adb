"""A feed of Media RSS: byte for byte what the site holds, each item once, and a conditional GET in between."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from tests.integration.dags.file_server import digest

AFTER = datetime(2024, 3, 2, tzinfo=UTC)
CAPTION = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def item(guid: str, title: str, media: str) -> str:
    return f"<item><guid>{guid}</guid><title>{title}</title>{media}</item>\n"


def rss(*items: str) -> bytes:
    head = '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss"><channel><title>News</title>\n'
    return f"{head}{''.join(items)}</channel></rss>".encode()


def hashed(url: str, content: bytes, size: int = 0) -> str:
    value = hashlib.md5(content).hexdigest()
    said = f'<media:hash algo="md5">{value}</media:hash>'
    return f'<media:content url="{url}" fileSize="{size or len(content)}">{said}</media:content>'


def assets(deployment, entry_id: str, service: str) -> list[dict]:
    from kaltura_provider.hooks.kaltura import KalturaHook

    client = KalturaHook("kaltura_default").get_conn()
    return list(client.call(service, "list", {"filter": {"entryIdEqual": entry_id}})["objects"])


def test_a_feed_is_brought_in_once_with_its_sidecars(deployment, site, clips, capsys, short_grace) -> None:
    one, two, three = (clips[f"clip-{number}.mp4"] for number in (1, 2, 3))
    site.files = {
        "/low.mp4": one, "/high.mp4": two, "/three.mp4": three, "/moved/three.mp4": three, "/bad.mp4": one,
        "/en.vtt": CAPTION, "/t.png": PICTURE,
    }  # fmt: skip
    group = f"<media:group>{hashed('low.mp4', one, 1)}{hashed('high.mp4', two)}</media:group>"
    extras = '<media:thumbnail url="t.png"/><media:subTitle type="text/vtt" lang="en" href="en.vtt"/>'
    first = item("a", "Both", group + extras)
    third = '<enclosure url="{}" type="video/mp4" length="1"/>'
    site.files["/feed.xml"] = rss(first, item("b", "Three", third.format("/three.mp4")), item("c", "Text", ""))
    dag = deployment.feed(
        name="podcast", start_date="2024-03-01", retries=0, source={"type": "rss", "uri": f"{site.url}/feed.xml"}
    )
    ran = deployment.run(dag)
    assert ran.state == "success", ran.states
    assert ran.summary["left_out"] == {"items without media": 1}
    assert deployment.held() == {"Both": digest(two), "Three": digest(three)}
    both = next(row["entry_id"] for row in ran.summary["assets"] if row["uri"].endswith("/high.mp4"))
    (caption,) = assets(deployment, both, "caption_captionAsset")
    assert (caption["language"], caption["format"]) == ("English", "3")
    assert [one for one in assets(deployment, both, "thumbAsset") if "kai1" in str(one.get("partnerDescription"))]

    again = deployment.run(dag)
    assert again.state == "success", again.states
    assert site.unchanged == ["/feed.xml"]
    assert (again.summary["new"], again.summary["found"]) == (0, 0)
    assert "has not changed since the last run" in capsys.readouterr().out

    # The file of an item moves and its guid stays; another item is not what its hash says.
    site.files["/feed.xml"] = rss(
        first, item("b", "Three", third.format("/moved/three.mp4")), item("d", "Bad", hashed("bad.mp4", three))
    )
    changed = deployment.run(dag)
    assert changed.state == "failed", changed.states
    assert "its bytes hash to md5:" in changed.reason
    assert (changed.summary["new"], changed.summary["found"]) == (0, 2)
    assert {name: sha for name, sha in deployment.held().items() if sha} == {
        "Both": digest(two),
        "Three": digest(three),
    }

    # An item failed, so the next run reads the feed again although it has not changed.
    site.files["/bad.mp4"] = three
    repaired = deployment.run(dag)
    assert repaired.state == "success", repaired.states
    assert site.unchanged == ["/feed.xml"]
    assert deployment.held() == {"Both": digest(two), "Three": digest(three), "Bad": digest(three)}


def test_what_is_not_a_feed_fails_with_the_line(deployment, site) -> None:
    site.files["/feed.xml"] = b'<!DOCTYPE r [\n<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>'
    dag = deployment.feed(
        name="podcast", start_date="2024-03-01", retries=0, source={"type": "rss", "uri": f"{site.url}/feed.xml"}
    )
    ran = deployment.run(dag, AFTER)
    assert ran.state == "failed"
    assert "cannot be read: line 1: its DOCTYPE declares entities" in str(ran.xcom("discover", "kaltura_failure"))
