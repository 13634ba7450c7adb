"""Delivery URLs over files that were really transcoded."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import imageio_ffmpeg
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support import Api

P = "/p/102/sp/10200"


def probe(data: bytes, tmp_path: Path) -> str:
    """Return what ffmpeg sees in bytes."""
    file = tmp_path / "probe"
    file.write_bytes(data)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(file)]
    return subprocess.run(command, capture_output=True, text=True).stderr


def decoded_frames(url: str) -> int:
    """How many frames ffmpeg decodes from a stream."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", url, "-map", "0:v:0", "-f", "framemd5", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return sum(not line.startswith("#") for line in done.stdout.splitlines())


def test_format_url_redirects_to_a_rendition_that_plays(api: Api, ready: str, tmp_path: Path) -> None:
    reply = api.get(f"{P}/playManifest/entryId/{ready}/format/url/protocol/http")
    assert reply.status_code == 302
    video = api.get(reply.headers["Location"])
    assert video.headers["Content-Type"] == "video/mp4"
    assert "h264" in probe(video.content, tmp_path)


def test_format_download_of_the_source_gives_its_bytes(api: Api, ready: str, clip: Path) -> None:
    url = api.call("media", "get", entryId=ready)["downloadUrl"]
    reply = api.get(url)
    assert reply.status_code == 302
    file = api.get(reply.headers["Location"])
    assert file.content == clip.read_bytes()
    assert file.headers["Content-Disposition"].startswith("attachment")


def test_hls_plays(api: Api, ready: str) -> None:
    master = api.get(f"{P}/playManifest/entryId/{ready}/format/applehttp/protocol/http/a.m3u8")
    assert master.headers["Content-Type"] == "application/x-mpegurl"
    flavors = [line for line in master.text.splitlines() if line.startswith("http")]
    assert flavors
    assert decoded_frames(flavors[-1]) == 75


def test_dash_plays(api: Api, ready: str) -> None:
    reply = api.get(f"{P}/playManifest/entryId/{ready}/format/mpegdash/protocol/http")
    assert reply.status_code == 302
    assert api.get(reply.headers["Location"]).headers["Content-Type"] == "application/dash+xml"
    assert decoded_frames(reply.headers["Location"]) == 75


@pytest.mark.parametrize(
    ("name", "media_type", "codecs"),
    [
        ("sound.mp3", 5, ["-f", "lavfi", "-i", "sine=duration=2"]),
        ("clip.webm", 1, ["-f", "lavfi", "-i", "testsrc=size=160x90:rate=25:duration=2", "-c:v", "libvpx"]),
    ],
)
def test_sources_of_other_codecs_stream_too(
    api: Api, tmp_path: Path, name: str, media_type: int, codecs: list[str]
) -> None:
    file = tmp_path / name
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *codecs, str(file)], check=True)
    entry = api.entry(file, media_type=media_type)
    master = api.get(f"{P}/playManifest/entryId/{entry}/format/applehttp/flavorParamIds/0").text
    playlist = next(line for line in master.splitlines() if line.startswith("http"))
    segment = next(line for line in api.get(playlist).text.splitlines() if line.endswith(".ts"))
    seen = probe(api.get(f"{playlist.rsplit('/', 1)[0]}/{segment}").content, tmp_path)
    assert ("Audio: mp3" if media_type == 5 else "Video: h264") in seen
    manifest = api.get(f"{P}/playManifest/entryId/{entry}/format/mpegdash").headers["Location"]
    assert "<Representation" in api.get(manifest).text


def test_http_lists_progressive_files(api: Api, ready: str) -> None:
    reply = api.get(f"{P}/playManifest/entryId/{ready}")
    assert "<media url=" in reply.text
    assert f"<id>{ready}</id>" in reply.text


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("playManifest/entryId/0_nosuchid", 1),
        ("playManifest/format/url", 20),
        ("playManifest/entryId/{ready}/format/nonsense", 25),
        ("playManifest/entryId/{ready}/format/url/maxBitrate/x", 19),
        ("playManifest/entryId/{ready}/format/url/minBitrate/-4", 49),
        ("playManifest/entryId/{ready}/format/url/minBitrate/99999", 6),
        ("playManifest/entryId/{ready}/format/url/flavorParamIds/99", 6),
        ("playManifest/entryId/{ready}/format/url/ks/nonsense", 4),
        ("playManifest/entryId/{data}/format/url", 12),
        ("thumbnail/entry_id/0_nosuchid", 1),
        ("thumbnail/entry_id/{empty}", 11),
        ("thumbnail/entry_id/{ready}/bgcolor/green", 25),
        ("thumbnail/entry_id/{ready}/vid_slices/700/width/100", 25),
        ("thumbnail/entry_id/{ready}/start_sec/2/end_sec/1", 25),
    ],
)
def test_errors_are_404_with_a_number(api: Api, ready: str, path: str, number: int) -> None:
    ids = {"ready": ready}
    if "{empty}" in path:
        ids["empty"] = api.entry()
    if "{data}" in path:
        ids["data"] = api.call("data", "add", dataEntry__name="d", dataEntry__dataContent="x")["id"]
    reply = api.get(f"{P}/{path.format(**ids)}")
    assert (reply.status_code, reply.content) == (404, b"")
    assert reply.headers["X-Kaltura"] == f"error-{number}"
    assert reply.headers["X-Kaltura-App"].startswith(f"exiting on error {number} - ")


@pytest.mark.parametrize("path", ["raw/entry_id/0_nosuchid", "download/entry_id/0_nosuchid", "serveFlavor/entryId/0_x"])
def test_file_urls_fail_with_an_empty_200(api: Api, path: str) -> None:
    reply = api.get(f"{P}/{path}")
    assert (reply.status_code, reply.content, reply.headers["X-Kaltura"]) == (200, b"", "error-1")


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("", "120x68"),
        ("width/320", "320x180"),
        ("height/90.jpg", "160x90"),
        ("width/200/height/200/type/2/bgcolor/f00", "200x200"),
        ("width/200/height/100/type/3", "200x100"),
        ("width/200/height/100/type/4", "200x100"),
        ("width/50!/height/80", "50x80"),
        ("width/99999/height/4/type/5", "10000x4"),
        ("vid_slices/4/width/80", "320x45"),
        ("vid_slices/4/vid_slice/3/width/80", "80x45"),
        ("vid_sec/9999/width/80", "80x45"),
        ("src_x/100/src_y/50/src_w/64/src_h/32/width/64/vid_sec/0", "64x32"),
    ],
)
def test_thumbnails_are_rendered_as_the_path_asks(api: Api, ready: str, tmp_path: Path, path: str, size: str) -> None:
    reply = api.get(f"{P}/thumbnail/entry_id/{ready}/{path}")
    assert reply.headers["Content-Type"] == "image/jpeg"
    assert size in probe(reply.content, tmp_path)


def test_thumbnail_formats_and_pending_uploads(api: Api, ready: str, clip: Path, tmp_path: Path) -> None:
    png = api.get(f"{P}/thumbnail/entry_id/{ready}/format/png")
    assert png.content.startswith(b"\x89PNG")
    token = api.token(clip.read_bytes())
    reply = api.get(f"{P}/thumbnail/entry_id/{ready}/upload_token_id/{token}/width/64")
    assert "64x36" in probe(reply.content, tmp_path)


def test_ranges_and_validators(api: Api, ready: str, clip: Path) -> None:
    path, data = f"{P}/raw/entry_id/{ready}", clip.read_bytes()
    part = api.get(path, Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert api.get(path, Range="bytes=-5").content == data[-5:]
    assert api.get(path, Range=f"bytes={len(data) - 3}-").content == data[-3:]
    assert api.get(path, Range=f"bytes={len(data)}-").status_code == 416
    whole = api.get(path)
    assert whole.content == data
    assert api.get(path, **{"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert api.get(path, Range="bytes=0-4", **{"If-Range": '"other"'}).status_code == 200


def test_raw_serves_images_documents_and_data(api: Api, web: str, files: Path) -> None:
    image = api.call("media", "addFromUrl", mediaEntry__mediaType=2, url=f"{web}/picture.png")["id"]
    assert api.get(f"{P}/raw/entry_id/{image}").content == (files / "picture.png").read_bytes()
    data = api.call("data", "add", dataEntry__name="d", dataEntry__dataContent="payload")["id"]
    assert api.get(f"{P}/raw/entry_id/{data}/direct_serve/1").text == "payload"
    assert api.get(f"{P}/raw/entry_id/{data}/direct_serve/1/forceproxy/true/config.json").text == "payload"
    token = api.token(b"%PDF-1.4 x", "a.pdf")
    sent = {"documentEntry__documentType": 13, "uploadTokenId": token}
    document = api.call("document_documents", "addFromUploadedFile", **sent)["id"]
    assert api.get(f"{P}/raw/entry_id/{document}").content == b"%PDF-1.4 x"
    assert api.get(f"{P}/raw/entry_id/{api.entry()}").status_code == 404


def test_download_redirects_once(api: Api, ready: str, clip: Path) -> None:
    source = api.call("flavorAsset", "getByEntryId", entryId=ready)
    source = next(flavor for flavor in source if flavor["isOriginal"])
    first = api.get(f"{P}/download/entry_id/{ready}/flavor/{source['id']}")
    assert first.status_code == 302
    assert "/relocate/" in first.headers["Location"]
    assert api.get(first.headers["Location"]).content == clip.read_bytes()


def test_moderation_and_scheduling_close_the_door_for_all_but_admins(api: Api, clip: Path) -> None:
    entry = api.entry(clip)
    path = f"{P}/playManifest/entryId/{entry}/format/url"
    api.call("media", "reject", entryId=entry)
    assert api.get(path).headers["X-Kaltura"] == "error-13"
    assert api.get(f"{path}/ks/{api.ks}").status_code == 302
    api.call("media", "approve", entryId=entry)
    assert api.get(path).status_code == 302
    api.call("media", "update", entryId=entry, mediaEntry__startDate=1600000000, mediaEntry__endDate=1600000001)
    assert api.get(path).headers["X-Kaltura"] == "error-2"
    api.call("media", "delete", entryId=entry)
    assert api.get(path).headers["X-Kaltura"] == "error-1"


def test_nothing_outside_a_stream_can_be_reached(api: Api, ready: str) -> None:
    master = api.get(f"{P}/playManifest/entryId/{ready}/format/applehttp").text
    playlist = next(urlsplit(line).path for line in master.splitlines() if line.startswith("http"))
    folder = playlist.rsplit("/", 1)[0]
    for name in ("..%2f..%2fsandbox.sqlite3", "%2e%2e", "nothing.ts"):
        assert api.get(f"{folder}/{name}").status_code == 404
