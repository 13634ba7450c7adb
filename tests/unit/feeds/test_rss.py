"""RSS, Atom and Media RSS: what becomes an item, and what is named as wrong with its line."""

from __future__ import annotations

import builtins
import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kaltura_provider.feeds.sources import rss_items as module
from kaltura_provider.feeds.sources.rss_items import RssItem, read_items

HOME = "https://example.com/feeds/news.xml"
NAMESPACES = ("http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss")


def rss(items: str, namespace: str = NAMESPACES[0]) -> bytes:
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:media="{namespace}"><channel>'
    return f"{head}<title>News</title>\n{items}</channel></rss>".encode()


def one(items: str, namespace: str = NAMESPACES[0]) -> RssItem:
    (item,) = read_items(rss(items, namespace), HOME)
    assert item.problem == ""
    return item


FULL = """<item>
<guid isPermaLink="false">tag:1</guid><title>Plain</title>
<description>&lt;p&gt;Short &amp;amp; sweet&lt;/p&gt;</description>
<category>Politics, local</category><pubDate>Fri, 01 Mar 2024 08:30:00 +0100</pubDate>
<media:group>
  <media:content url="low.mp4" fileSize="100" bitrate="300" type="video/mp4" isDefault="true"/>
  <media:content url="https://cdn.example.com/high.mp4" fileSize="9000" width="1920" height="1080" type="video/mp4">
    <media:hash algo="sha-1">DA39A3EE5E6B4B0D3255BFEF95601890AFD80709</media:hash>
  </media:content>
  <media:content url="https://example.com/player" type="text/html" fileSize="99999"/>
  <media:title type="plain">Evening &lt;i&gt;news&lt;/i&gt;</media:title>
</media:group>
<media:description type="html">&lt;b&gt;All&lt;/b&gt; of it</media:description>
<media:keywords>one, two ,one</media:keywords>
<media:category scheme="urn:x" label="Sport">News/Sport</media:category>
<media:category>a,b</media:category>
<media:thumbnail url="/t/first.jpg" width="640"/><media:thumbnail url="/t/second.jpg"/>
<media:subTitle type="text/vtt" lang="en-GB" href="subs/en.vtt"/>
<media:subTitle type="application/x-subrip" lang="tlh" href="subs/tlh"/>
</item>"""


@pytest.mark.parametrize("namespace", NAMESPACES, ids=("slash", "plain"))
def test_what_media_rss_says(namespace: str) -> None:
    item = one(FULL, namespace)
    assert (item.line, item.guid, item.published) == (3, "tag:1", datetime(2024, 3, 1, 7, 30, tzinfo=UTC))
    assert [media.url for media in item.media] == [
        "https://example.com/feeds/low.mp4",
        "https://cdn.example.com/high.mp4",
    ]
    assert item.rendition("largest").checksum == "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"
    assert item.rendition("smallest").url == item.rendition("default").url == "https://example.com/feeds/low.mp4"
    assert item.metadata == {
        "name": "Evening <i>news</i>",
        "description": "All of it",
        "tags": ["one", "two", "Politics  local"],
        "categories": ["News/Sport"],
    }
    thumbnail, english, unknown = item.sidecars
    assert thumbnail == {"kind": "thumbnail", "uri": "https://example.com/t/first.jpg", "default": True}
    assert english["values"] == {"language": "English", "label": "English", "format": 3}
    assert "language" in unknown["error"]
    assert "subTitle in line" in unknown["error"]
    (warning,) = item.warnings
    assert "category 'a,b' has a comma" in warning


def test_other_files_of_an_item_are_renditions_by_their_height() -> None:
    item = one(
        """<item><media:group>
        <media:content url="https://e.com/source.mp4" fileSize="900" height="1080"/>
        <media:content url="https://e.com/small.mp4" fileSize="90" height="360">
        <media:hash>d41d8cd98f00b204e9800998ecf8427e</media:hash></media:content>
        <media:content url="https://e.com/medium.mp4" fileSize="300" height="720"/>
        <media:content url="https://e.com/medium-2.mp4" fileSize="400" height="720"/>
        <media:content url="https://e.com/tiny.mp4" fileSize="9" height="90"/>
        </media:group></item>"""
    )
    found = item.renditions(item.rendition("largest"), {1080: "Full HD", 720: "HD", 360: "SD", 480: "Web"})
    assert found == [
        {"kind": "rendition", "uri": "https://e.com/medium-2.mp4", "flavor": "HD"},
        {
            "kind": "rendition",
            "uri": "https://e.com/small.mp4",
            "flavor": "SD",
            "checksum": "md5:d41d8cd98f00b204e9800998ecf8427e",
        },
    ]


def test_an_enclosure_is_the_media_of_an_item_without_media_rss() -> None:
    item = one(
        "<item><title>Pod &amp; cast</title><description>&lt;p&gt;Hi &lt;script&gt;x()&lt;/script&gt;there&lt;/p&gt;"
        '</description><enclosure url="/a.mp3" length="12" type="audio/mpeg"/><guid>https://example.com/1</guid></item>'
    )
    assert [media.url for media in item.media] == ["https://example.com/a.mp3"]
    assert item.metadata == {"name": "Pod & cast", "description": "Hi there"}
    assert item.guid == "https://example.com/1"


def test_atom() -> None:
    text = f"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="{NAMESPACES[0]}"><title>t</title>
    <entry><id>urn:uuid:1</id><title type="html">A &lt;b&gt;title&lt;/b&gt;</title>
    <updated>2024-03-01T00:00:00Z</updated><category term="x"/>
    <link rel="enclosure" href="b.mp4" type="video/mp4" length="5"/></entry></feed>"""
    (item,) = read_items(text.encode("utf-16"), HOME)
    assert (item.guid, item.metadata["name"], item.metadata["tags"]) == ("urn:uuid:1", "A title", ["x"])
    assert item.media[0].url == "https://example.com/feeds/b.mp4"


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ('<media:content url="s3://secret/a.mp4"/>', "is not a web address"),
        ('<media:content url="file:///etc/passwd"/>', "is not a web address"),
        ('<media:content url="https://[x"/>', "Invalid IPv6 URL"),
        ('<enclosure url="javascript:alert(1)" type="video/mp4"/>', "is not a web address"),
        ('<media:content url="/a.mp4"><media:hash algo="crc">1</media:hash></media:content>', "'crc' is unknown"),
        ('<media:content url="/a.mp4"><media:hash>12</media:hash></media:content>', "is not 32 hexadecimal digits"),
    ],
    ids=("s3", "file", "host", "script", "algorithm", "hash"),
)
def test_an_item_that_cannot_be_used_says_why(item: str, problem: str) -> None:
    (read,) = read_items(rss(f"<item><title>t</title>{item}</item>"), HOME)
    assert problem in read.problem


BOMB = "<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 20}'>" for n in range(10)
)  # a document of gigabytes


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "line 1: is not well-formed XML: no element found"),
        (b"<html><body/></html>", "line 1: begins with <html>, not with <rss> or <feed> or <RDF>"),
        (b"<rss><channel>\n<item>", "line 2: is not well-formed XML: no element found"),
        (b"<rss><channel>\n<item>A & B</item></channel></rss>", "line 2: is not well-formed XML: not well-formed"),
        (f"<!DOCTYPE r [{BOMB}]><rss>&k;</rss>".encode(), "line 1: its DOCTYPE declares entities"),
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>', "its DOCTYPE declares entities"),
        (b'<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/x.dtd">\n<rss>&nbsp;</rss>', "line 2: has the entity &nbsp;"),
        (b"<rss>" + b"<a>" * 60, "is nested more than 50 levels deep"),
        (b'<?xml version="1.0" encoding="klingon"?><rss/>', "line 1: "),
        (rss("<item/>" * 10_001), "has more than 10,000 items"),
        (rss(f"<item>{'<a/>' * 20_001}</item>"), "the item has more than 20,000 elements"),
        (rss('<x:item xmlns:x="urn:other"/>'), "can be read as RSS or Atom"),
    ],
    ids=range(12),
)
def test_a_document_that_cannot_be_read_says_why_and_where(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=r"^line") as caught:
        read_items(content, HOME)
    assert problem in str(caught.value)


def test_a_missing_feedparser_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "feedparser":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"pip install 'airflow-provider-kaltura\[rss\]'"):
        read_items(rss("<item/>"), HOME)


def test_long_texts_are_cut_and_said_to_be() -> None:
    item = one(f"<item><title>t</title><description>{'x' * 20_000}</description></item>")
    assert len(item.metadata["description"]) == module.MAX_TEXT
    assert "its description has 20,000 characters" in item.warnings[0]


PIECES = st.sampled_from(
    [
        "<item>",
        "</item>",
        "<media:group>",
        "</media:group>",
        '<media:content url="a.mp4" fileSize="x">',
        '<media:content url="http://h/%ff" width="-1"/>',
        "</media:content>",
        "<media:hash>zz</media:hash>",
        '<media:subTitle href="a" lang="x"/>',
        '<media:thumbnail url="http://["/>',
        "<media:title type='html'>&lt;a&gt;<![CDATA[<script>]]></media:title>",
        "<media:category>a,b</media:category>",
        '<enclosure url="?" length="9e99"/>',
        "<pubDate>Fri, 99 Foo 99999</pubDate>",
        "<guid>g</guid>",
        "&#xfffe;",
        "&lt;div " * 50,
        "text",
        "\x00",
    ]
)


@example("<item><pubDate>Fri, 99 Foo 99999</pubDate></item>")
@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=100))
@example("<item><guid/><title>\u2028</title></item>")
@settings(max_examples=150, deadline=timedelta(seconds=5))
def test_any_document_is_read_or_named_as_wrong(inside: str) -> None:
    try:
        items = read_items(rss(inside), HOME)
    except ValueError as error:
        assert str(error).startswith("line ")  # noqa: PT017
        return
    for item in items:
        assert item.problem or item.metadata is not None
        assert len(item.problem.splitlines()) <= 1


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=timedelta(seconds=5))
def test_any_bytes_are_read_or_named_as_wrong(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^line "):
        read_items(content, HOME)


@pytest.mark.parametrize(
    "inside",
    [
        "<![CDATA[" + "<div " * 100_000 + "]]>",
        "&lt;!" * 100_000,
        "&amp;&lt;a href=" * 50_000,
        "<![CDATA[" * 100_000,
        " " * 500_000,
    ],
    ids=range(5),
)
def test_no_text_takes_long(inside: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ValueError):
        read_items(rss(f"<item><description>{inside}</description></item>"), HOME)
    assert time.process_time() - started < 5
