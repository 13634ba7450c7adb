import base64
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.api.delivery import (
    download_url,
    play_manifest_url,
    raw_url,
    serve_flavor_url,
    source_download_url,
    thumbnail_url,
)
from kaltura_provider.api.enums import PlaybackFormat, ThumbCropType
from kaltura_provider.api.errors import KalturaConfigurationError

_CDN = "https://cdnapisec.kaltura.com"
_TOKEN = "0_" + "f" * 32
_BASE = f"{_CDN}/p/12345/thumbnail/entry_id/0_abcd1234"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, ""),
        ({"width": 640, "height": 360, "type": 3, "vid_sec": 30}, "/width/640/height/360/type/3/vid_sec/30"),
        (
            {"width": 1920, "height": 1080, "quality": 100, "format": "png"},
            "/width/1920/height/1080/quality/100/format/png",
        ),
        ({"width": 160, "height": 90, "vid_slices": 10}, "/width/160/height/90/vid_slices/10"),
        (
            {"width": 400, "height": 400, "type": ThumbCropType.RESIZE_WITH_PADDING, "bgcolor": "ffffff"},
            "/width/400/height/400/type/2/bgcolor/ffffff",
        ),
        ({"bgcolor": "#FF0000"}, "/bgcolor/FF0000"),
        ({"vid_sec": 1.5}, "/vid_sec/1.5"),
        ({"nearest_aspect_ratio": True}, "/nearest_aspect_ratio/1"),
        ({"file_name": "a b.jpg", "ks": "K", "width": 1}, "/width/1/ks/K/file_name/a%20b.jpg"),
        ({"start_sec": 1, "end_sec": 2.0, "vid_slices": 2, "vid_slice": 1},
         "/vid_slice/1/vid_slices/2/start_sec/1/end_sec/2"),
        ({"src_x": 0, "src_y": 1, "src_w": 2, "src_h": 3, "rel_width": 4, "rel_height": 5},
         "/src_x/0/src_y/1/src_w/2/src_h/3/rel_width/4/rel_height/5"),
        ({"flavor_id": "0_flavor01", "upload_token_id": _TOKEN, "version": 100001},
         f"/flavor_id/0_flavor01/upload_token_id/{_TOKEN}/version/100001"),
        ({"density": 72, "def_width": 1, "def_height": 2}, "/density/72/def_width/1/def_height/2"),
        ({"width": "640", "height": " 360 ", "type": "3", "quality": "90", "vid_sec": "1.50"},
         "/width/640/height/360/type/3/quality/90/vid_sec/1.5"),
        ({"type": "crop"}, "/type/3"),
        ({"type": "Resize with padding"}, "/type/2"),
        ({"nearest_aspect_ratio": "0"}, "/nearest_aspect_ratio/0"),
        ({"nearest_aspect_ratio": "True"}, "/nearest_aspect_ratio/1"),
        ({"start_sec": "1", "end_sec": "2", "vid_slices": "2", "vid_slice": "1"},
         "/vid_slice/1/vid_slices/2/start_sec/1/end_sec/2"),
        ({"vid_slices": 545}, "/vid_slices/545"),
        ({"vid_slices": 600, "width": 100}, "/width/100/vid_slices/600"),
        ({"vid_slices": 600, "vid_slice": 0}, "/vid_slice/0/vid_slices/600"),
    ],
)  # fmt: skip
def test_thumbnails_as_documented(arguments, path):
    assert thumbnail_url(_CDN, 12345, "0_abcd1234", **arguments) == _BASE + path


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"width": -1}, "width"),
        ({"height": 10_001}, "height"),
        ({"width": 1.5}, "width"),
        ({"width": True}, "width"),
        ({"width": "wide"}, "width"),
        ({"width": ""}, "width"),
        ({"width": "None"}, "width"),
        ({"type": 0}, "type"),
        ({"type": 6}, "type"),
        ({"type": "zoom"}, "type"),
        ({"nearest_aspect_ratio": 2}, "nearest_aspect_ratio"),
        ({"version": "new"}, "version"),
        ({"upload_token_id": "0_ff"}, "upload_token_id"),
        ({"quality": 101}, "quality"),
        ({"format": "webp"}, "format"),
        ({"bgcolor": "red"}, "bgcolor"),
        ({"bgcolor": "ff000000"}, "bgcolor"),
        ({"vid_sec": -0.1}, "vid_sec"),
        ({"vid_sec": float("nan")}, "vid_sec"),
        ({"vid_sec": float("inf")}, "vid_sec"),
        ({"vid_sec": "soon"}, "vid_sec"),
        ({"vid_sec": True}, "vid_sec"),
        ({"vid_slice": 0}, "vid_slice"),
        ({"vid_slice": 3, "vid_slices": 3}, "vid_slice"),
        ({"vid_slices": 0}, "vid_slices"),
        ({"vid_slices": 656, "width": 100}, "vid_slices"),
        ({"vid_slices": 600}, "vid_slices"),
        ({"vid_slices": "546"}, "vid_slices"),
        ({"vid_slices": 300, "def_height": 250}, "vid_slices"),
        ({"start_sec": 2, "end_sec": 1}, "start_sec"),
        ({"src_w": -5}, "src_w"),
        ({"density": 0}, "density"),
        ({"flavor_id": "a/b"}, "flavor_id"),
        ({"file_name": "a/b.jpg"}, "file_name"),
        ({"file_name": ""}, "file_name"),
        ({"referrer": "example.com"}, "referrer"),
    ],
)
def test_what_the_thumbnail_service_would_bend_is_refused(arguments, field):
    with pytest.raises(KalturaConfigurationError) as caught:
        thumbnail_url(_CDN, 12345, "0_abcd1234", **arguments)
    assert caught.value.field == field


def test_the_file_name_is_always_last():
    names = list(inspect.signature(thumbnail_url).parameters)
    url = thumbnail_url(_CDN, 1, "0_abcdefgh", file_name="x.jpg", ks="K", referrer="https://a/", version=1, width=1)
    assert names[-1] == "file_name"
    assert url.endswith("/file_name/x.jpg")


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, "/format/applehttp/protocol/https"),
        ({"format": "mpegdash"}, "/format/mpegdash/protocol/https"),
        ({"format": PlaybackFormat.DOWNLOAD, "flavor_param_ids": [0]},
         "/format/download/protocol/https/flavorParamIds/0"),
        ({"ks": "djJ8_-=="}, "/format/applehttp/protocol/https/ks/djJ8_-%3D%3D"),
        ({"flavor_ids": ["0_flavor01", "0_flavor02"], "protocol": "http"},
         "/format/applehttp/protocol/http/flavorIds/0_flavor01,0_flavor02"),
        ({"tags": "mobile", "min_bitrate": 1, "max_bitrate": 900},
         "/format/applehttp/protocol/https/tags/mobile/minBitrate/1/maxBitrate/900"),
        ({"format": "hls"}, "/format/applehttp/protocol/https"),
        ({"format": "DASH"}, "/format/mpegdash/protocol/https"),
        ({"format": PlaybackFormat.SMOOTH_STREAMING}, "/format/sl/protocol/https"),
        ({"max_bitrate": "900"}, "/format/applehttp/protocol/https/maxBitrate/900"),
        ({"flavor_param_ids": ["0", 2]}, "/format/applehttp/protocol/https/flavorParamIds/0,2"),
        ({"flavor_param_ids": 0}, "/format/applehttp/protocol/https/flavorParamIds/0"),
        ({"flavor_param_ids": "0, 2"}, "/format/applehttp/protocol/https/flavorParamIds/0,2"),
        ({"flavor_ids": "0_flavor01", "flavor_param_ids": None},
         "/format/applehttp/protocol/https/flavorIds/0_flavor01"),
        ({"seek_from": 1500, "clip_to": "9000"}, "/format/applehttp/protocol/https/seekFrom/1500/clipTo/9000"),
    ],
)  # fmt: skip
def test_playback_as_documented(arguments, path):
    url = play_manifest_url(_CDN, 12345, "0_abcd1234", **arguments)
    assert url == f"{_CDN}/p/12345/sp/1234500/playManifest/entryId/0_abcd1234{path}"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"format": "smooth"}, "format"),
        ({"protocol": "ftp"}, "protocol"),
        ({"max_bitrate": 0}, "max_bitrate"),
        ({"max_bitrate": "fast"}, "max_bitrate"),
        ({"flavor_ids": "[]"}, "flavor_ids"),
        ({"flavor_ids": ["a b"]}, "flavor_ids"),
        ({"flavor_ids": [None]}, "flavor_ids"),
        ({"flavor_param_ids": ["web"]}, "flavor_param_ids"),
        ({"seek_from": 1.5}, "seek_from"),
        ({"clip_to": 0}, "clip_to"),
        ({"seek_from": 2000, "clip_to": 2000}, "clip_to"),
    ],
)
def test_impossible_playback_is_refused(arguments, field):
    with pytest.raises(KalturaConfigurationError) as caught:
        play_manifest_url(_CDN, 12345, "0_abcd1234", **arguments)
    assert caught.value.field == field


def test_the_protocol_follows_the_host():
    url = play_manifest_url("http://127.0.0.1:8765", 102, "0_abcdefgh")
    assert url == "http://127.0.0.1:8765/p/102/sp/10200/playManifest/entryId/0_abcdefgh/format/applehttp/protocol/http"


def test_other_urls():
    host = "cdnapisec.kaltura.com"
    assert raw_url(host, 1, "0_abcdefgh", file_name="b.json") == (
        f"{_CDN}/p/1/raw/entry_id/0_abcdefgh/direct_serve/1/forceproxy/true/b.json"
    )
    assert raw_url(host, 1, "0_abcdefgh", file_name="a b/c"[:3] + "?.pdf", ks="K", version=2).endswith(
        "/direct_serve/1/forceproxy/true/version/2/ks/K/a%20b%3F.pdf"
    )
    # A name that could be a parameter's, and a download, whose name the server sends.
    assert raw_url(host, 1, "0_abcdefgh", file_name="ks").endswith("/forceproxy/true/file_name/ks")
    assert raw_url(host, 1, "0_abcdefgh", file_name="b.json", direct_serve=False).endswith("/file_name/b.json")
    assert (
        raw_url(host, 1, "0_abcdefgh", direct_serve=False, forceproxy=False, version=3)
        == f"{_CDN}/p/1/raw/entry_id/0_abcdefgh/version/3"
    )
    assert (
        download_url(host, 1, "0_abcdefgh", flavor_id="0_flavor01")
        == f"{_CDN}/p/1/sp/100/download/entry_id/0_abcdefgh/flavor/0_flavor01"
    )
    assert serve_flavor_url(host, 1, "0_abcdefgh", "0_flavor01", version=2) == (
        f"{_CDN}/p/1/sp/100/serveFlavor/entryId/0_abcdefgh/v/2/flavorId/0_flavor01"
    )
    assert source_download_url(host, 1, "0_abcdefgh") == (
        f"{_CDN}/p/1/sp/100/playManifest/entryId/0_abcdefgh/format/download/protocol/https/flavorParamIds/0"
    )


@pytest.mark.parametrize("make", [thumbnail_url, play_manifest_url, raw_url, download_url])
@pytest.mark.parametrize(
    ("host", "partner", "entry", "field"),
    [
        ("", 1, "0_abcdefgh", "CDN host"),
        ("ftp://x", 1, "0_abcdefgh", "CDN host"),
        (_CDN, 0, "0_abcdefgh", "partner_id"),
        (_CDN, "x", "0_abcdefgh", "partner_id"),
        (_CDN, None, "0_abcdefgh", "partner_id"),
        (_CDN, True, "0_abcdefgh", "partner_id"),
        (_CDN, 1, None, "entry_id"),
        (_CDN, 1, "None", "entry_id"),
        (_CDN, 1, "", "entry_id"),
        (_CDN, 1, "0_abcdefgh/../../x", "entry_id"),
        (_CDN, 1, "..", "entry_id"),
        (_CDN, 1, "0_abcdefgh?x=1", "entry_id"),
    ],
)
def test_what_every_url_needs_is_checked(make, host, partner, entry, field):
    with pytest.raises(KalturaConfigurationError) as caught:
        make(host, partner, entry)
    assert caught.value.field == field


def test_numbers_and_ids_as_templates_give_them():
    """The login of a connection is text, and a task's result is often an asset reference."""
    ref = {"entry_id": "0_abcdefgh", "state": "done"}
    assert thumbnail_url(_CDN, "12345", ref) == f"{_CDN}/p/12345/thumbnail/entry_id/0_abcdefgh"
    assert download_url(_CDN, "12345", ref, flavor_id={"id": "0_flavor01"}) == (
        f"{_CDN}/p/12345/sp/1234500/download/entry_id/0_abcdefgh/flavor/0_flavor01"
    )
    assert serve_flavor_url(_CDN, "12345", ref, "0_flavor01", version="2").endswith("/v/2/flavorId/0_flavor01")
    assert raw_url(_CDN, "12345", ref, direct_serve="False", forceproxy="0", version="3") == (
        f"{_CDN}/p/12345/raw/entry_id/0_abcdefgh/version/3"
    )


@pytest.mark.parametrize(("make", "arguments", "field"), [
    (raw_url, {"direct_serve": "perhaps"}, "direct_serve"),
    (raw_url, {"version": "1/2"}, "version"),
    (download_url, {"flavor_id": "None"}, "flavor_id"),
    (serve_flavor_url, {"flavor_id": None}, "flavor_id"),
])  # fmt: skip
def test_impossible_files_are_refused(make, arguments, field):
    with pytest.raises(KalturaConfigurationError) as caught:
        make(_CDN, 12345, "0_abcdefgh", **arguments)
    assert caught.value.field == field


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_referrer_never_splits_the_path(path):
    url = thumbnail_url(_CDN, 1, "0_abcdefgh", referrer=f"https://example.com/{path}")
    encoded = url.partition("/referrer/")[2]
    assert "/" not in encoded
    assert "%2F" not in encoded
    assert base64.b64decode(encoded.replace("%3D", "=").replace("%2B", "+")).startswith(b"https://example.com/")
