"""Feeds of the other types of sources and with the rules for their files, and what each must come to."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio_ffmpeg

from tests.integration.scheduler.live import BUCKET, Live, picture

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NAMES", "clip", "flavors_and_files", "rule_feeds", "store_all"]

NAMES = ("podcast", "bulk_xml", "archive", "drop", "strict")
"""The feeds, in the order in which they begin."""

# A busy machine can lose a task; what fails for good is not tried again.
_COMMON = {"start_date": "2024-03-01", "schedule": None, "retries": 3}
_WEBHOOK = {
    "notifier": "airflow.providers.http.notifications.HttpNotifier",
    "arguments": {"http_conn_id": "webhook", "json": {"text": "{{ run_message }}"}},
}
_MATCH = r"/^(?P<referenceId>[^_.]+)(_(?P<flavorName>[^.]+))?[.]\w{3,}$/"
_SRT = b"1\n00:00:00,000 --> 00:00:01,000\nHello\n"


def rule_feeds(bucket: str, site: str) -> list[dict[str, Any]]:
    folder = f"s3://{bucket}"
    return [
        {
            **_COMMON,
            "name": "podcast",
            "source": {"type": "rss", "uri": f"{site}/podcast.xml", "flavors": {180: "2"}},
        },
        {**_COMMON, "name": "bulk_xml", "source": {"type": "manifest", "uri": f"{folder}/xml/list.xml"}},
        {
            **_COMMON,
            "name": "archive",
            "metadata": {"name": "{{ asset.name }}"},
            "source": {"type": "s3_inventory", "uri": f"{folder}/archive/", "inventory": f"{folder}/inventory/"},
        },
        {
            **_COMMON,
            "name": "drop",
            "max_failures": 1,
            "deadline": "PT1S",
            "notify": [{**_WEBHOOK, "on": ["failure", "late"]}],
            "source": {
                "type": "s3_new",
                "uri": f"{folder}/drop/",
                "stable_for": "PT0.2S",
                "match": _MATCH,
                "wait_for": ["source", "*.srt"],
                "on_success": "move",
                "move_to": f"{folder}/done/",
                "on_failure": "tag",
            },
        },
        {
            **_COMMON,
            "name": "strict",
            "preflight": "fail",
            "allowed_extensions": ["mp4", "mov"],
            "source": {"type": "s3_prefix", "uri": f"{folder}/strict/"},
        },
        {**_COMMON, "name": "short_lived", "source": {"type": "s3_prefix", "uri": f"{folder}/none/"}},
    ]


def clip(folder: Path, number: int) -> bytes:
    """Return a video of two seconds, which differs by its number."""
    path = folder / f"clip-{number}.mp4"
    lavfi = ["-f", "lavfi", "-i", f"testsrc=size={320 * number}x{180 * number}:rate=25:duration=2"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *lavfi, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path.read_bytes()


def store_all(live: Live) -> dict[str, list[str]]:
    """Store what the feeds bring in. Return the SHA-256 that the entries must hold, by their names."""
    small, large = clip(live.folder, 1), clip(live.folder, 2)
    _store_podcast(live, small, large)
    _store_bulk_xml(live, large + b"xml")
    _store_archive(live)
    for name, content in {
        "talk.mp4": large,
        "talk_2.mp4": small,
        "talk.en.srt": _SRT,
        "talk.json": b'{"title": "A talk", "tags": "dropped"}',
        "talk.png": picture(2000, 40),
        "talk.pdf": b"%PDF-1.4 slides",
        "patient.mp4": large,
        "hollow.mp4": b"",
        "hollow.srt": _SRT,
    }.items():
        live.put(f"drop/{name}", content)
    live.put("strict/good.mp4", large + b"strict")
    live.put("strict/cut.mp4", large[: len(large) // 2])
    live.put("strict/page.mov", b"<!doctype html><html><body>Not found</body></html>")
    held = {
        "Episode": large,
        "Opening": large + b"xml",
        "a1.png": picture(2000, 41),
        "a2.png": picture(3000, 42),
        "A talk": large,
        "good": large + b"strict",
    }
    return {name: [hashlib.sha256(content).hexdigest()] for name, content in held.items()}


def _store_podcast(live: Live, small: bytes, large: bytes) -> None:
    site = live.folder / "site"
    files = {"large.mp4": large, "small.mp4": small, "en.vtt": b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"}
    for name, content in files.items():
        (site / name).write_bytes(content)
    checksum = f'<media:hash algo="md5">{hashlib.md5(large).hexdigest()}</media:hash>'
    (site / "podcast.xml").write_text(
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss"><channel><item><guid>e1</guid>'
        "<title>Episode</title><media:group>"
        f'<media:content url="{live.site}/large.mp4" fileSize="{len(large)}" height="360">{checksum}</media:content>'
        f'<media:content url="{live.site}/small.mp4" fileSize="{len(small)}" height="180"/></media:group>'
        f'<media:subTitle type="text/vtt" lang="en" href="{live.site}/en.vtt"/></item></channel></rss>'
    )


def _store_bulk_xml(live: Live, content: bytes) -> None:
    live.put("xml/opening.mp4", content)
    live.put("xml/he.srt", _SRT)
    items = """
<item><action>add</action><type>1</type><referenceId>show-1</referenceId><name>Opening</name>
  <media><mediaType>1</mediaType></media><unheardOf>x</unheardOf>
  <contentAssets><content><dropFolderFileContentResource filePath="opening.mp4"/></content></contentAssets>
  <subTitles><subTitle isDefault="true" lang="Hebrew"><tags/><dropFolderFileContentResource filePath="he.srt"/>
  </subTitle></subTitles></item>
<item><type>1</type><name>Elsewhere</name><content><entryContentResource entryId="0_x"/></content></item>
"""
    live.put("xml/list.xml", f"<mrss><channel>{items}</channel></mrss>".encode())


def _store_archive(live: Live) -> None:
    lines = []
    for name, content in (("a1.png", picture(2000, 41)), ("a2.png", picture(3000, 42))):
        live.put(f"archive/{name}", content)
        etag = hashlib.md5(content).hexdigest()
        lines.append(f'"{BUCKET}","archive/{name}","{len(content)}","2024-03-01T10:00:00.000Z","{etag}"\n')
    data = gzip.compress("".join(lines).encode())
    live.put("inventory/data/1.csv.gz", data)
    manifest = {
        "sourceBucket": BUCKET,
        "destinationBucket": f"arn:aws:s3:::{BUCKET}",
        "creationTimestamp": "1709427600000",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, LastModifiedDate, ETag",
        "files": [{"key": "inventory/data/1.csv.gz", "MD5checksum": hashlib.md5(data).hexdigest()}],
    }
    live.put("inventory/2024-03-03T01-00Z/manifest.json", json.dumps(manifest).encode())


def flavors_and_files(live: Live) -> dict[str, tuple[list[str], list[str]]]:
    """Return what the entries hold besides their source: flavors that came as files, and captions and the like."""
    from kaltura_provider.hooks.kaltura import KalturaHook

    client = KalturaHook().get_conn()
    found: dict[str, tuple[list[str], list[str]]] = {}
    for entry in live.control.entries():
        listed: dict[str, list[Mapping[str, Any]]] = {
            service: client.call(service, "list", {"filter": {"entryIdEqual": entry["id"]}})["objects"]
            for service in ("flavorAsset", "caption_captionAsset", "thumbAsset", "attachment_attachmentAsset")
        }
        ours = {
            service: [one for one in assets if "kai1:c:" in str(one.get("partnerDescription"))]
            for service, assets in listed.items()
        }
        flavors = [str(one["flavorParamsId"]) for one in ours.pop("flavorAsset")]
        found[entry["name"]] = (flavors, sorted(service for service, assets in ours.items() for _ in assets))
    return found
