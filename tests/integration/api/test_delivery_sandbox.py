"""Delivery URLs fetched from the sandbox: what they name is what comes back."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest
import requests

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import Credentials
from kaltura_provider.api.delivery import (
    download_url,
    play_manifest_url,
    raw_url,
    serve_flavor_url,
    source_download_url,
    thumbnail_url,
)
from kaltura_provider.api.enums import EntryStatus, MediaType, PlaybackFormat, ThumbCropType
from kaltura_provider.api.multipart import FilePart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaltura_sandbox import Sandbox


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=2", "-c:v", "libx264", "-preset", "ultrafast"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *source, str(path)], check=True)
    return path.read_bytes()


@pytest.fixture
def client(kaltura_sandbox: Sandbox) -> Iterator[KalturaClient]:
    credentials = Credentials(kaltura_sandbox.partner_id, "secret", kaltura_sandbox.admin_secret)
    with KalturaClient(kaltura_sandbox.service_url, credentials) as made:
        yield made


def _upload(client: KalturaClient, name: str, data: bytes) -> str:
    token = client.call("uploadToken", "add", {"uploadToken": {"fileName": name}})["id"]
    client.send_file("uploadToken", "upload", {"uploadTokenId": token}, FilePart(name, len(data), lambda: [data]))
    return str(token)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while data[at + 1] not in (0xC0, 0xC2):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    height, width = (int.from_bytes(data[at + n : at + n + 2], "big") for n in (5, 7))
    return width, height


def test_a_video_is_delivered_under_all_its_urls(client: KalturaClient, kaltura_sandbox: Sandbox, clip: bytes) -> None:
    media = {"objectType": "KalturaMediaEntry", "mediaType": MediaType.VIDEO, "name": "clip"}
    token = _upload(client, "clip.mp4", clip)
    entry = client.call("media", "addFromUploadedFile", {"mediaEntry": media, "uploadTokenId": token})["id"]
    kaltura_sandbox.control.wait_idle()
    assert client.call("media", "get", {"entryId": entry})["status"] == EntryStatus.READY
    host, partner = kaltura_sandbox.url, kaltura_sandbox.partner_id

    playlist = requests.get(play_manifest_url(host, partner, entry), timeout=10)
    assert playlist.text.startswith("#EXTM3U")
    dash = requests.get(play_manifest_url(host, partner, entry, format=PlaybackFormat.DASH), timeout=10)
    assert "<MPD" in dash.text
    assert requests.get(source_download_url(host, partner, entry), timeout=10).content == clip

    url = thumbnail_url(host, partner, entry, width=100, height=50, type=ThumbCropType.CROP, vid_sec=1)
    assert _jpeg_size(requests.get(url, timeout=10).content) == (100, 50)

    flavors = client.call("flavorAsset", "list", {"filter": {"entryIdEqual": entry}})["objects"]
    source = next(flavor["id"] for flavor in flavors if flavor.get("isOriginal"))
    for url in (
        download_url(host, partner, entry, flavor_id=source, ks=client.ks()),
        serve_flavor_url(host, partner, entry, source, ks=client.ks()),
        raw_url(host, partner, entry, ks=client.ks(), file_name="clip.mp4"),
    ):
        assert requests.get(url, timeout=10).content == clip, url.replace(client.ks(), "***")


def test_a_document_is_served_as_it_is(client: KalturaClient, kaltura_sandbox: Sandbox) -> None:
    data = b"%PDF-1.4 not much of a document"
    entry = client.call(
        "document",
        "addFromUploadedFile",
        {
            "documentEntry": {"objectType": "KalturaDocumentEntry", "documentType": 13, "name": "d"},
            "uploadTokenId": _upload(client, "d.pdf", data),
        },
    )["id"]
    kaltura_sandbox.control.wait_idle()
    url = raw_url(kaltura_sandbox.url, kaltura_sandbox.partner_id, entry, file_name="my paper.pdf")
    assert requests.get(url, timeout=10).content == data
