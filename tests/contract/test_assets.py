"""Thumbnails, attachments and captions: their life, their traps, their errors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from support import Api

from tests.until import until

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_sandbox import Sandbox

SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello\n\n2\n00:01:02,000 --> 00:01:03,000\nLate\n"
TOKEN = "KalturaUploadedFileTokenResource"

KINDS: list[dict[str, Any]] = [
    {
        "service": "thumbAsset",
        "id": "thumbAssetId",
        "add": {"thumbAsset__tags": "t"},
        "file": "picture.png",
        "attached": "thumbAsset",
        "code": "THUMB_ASSET",
    },
    {
        "service": "attachment_attachmentAsset",
        "id": "attachmentAssetId",
        "add": {"attachmentAsset__title": "t"},
        "file": "clip.mp4",
        "attached": "AttachmentAsset",
        "code": "ATTACHMENT_ASSET",
    },
    {
        "service": "caption_captionAsset",
        "id": "captionAssetId",
        "add": {"captionAsset__language": "English"},
        "file": "clip.mp4",
        "attached": "CaptionAsset",
        "code": "CAPTION_ASSET",
    },
]


@pytest.fixture(scope="module")
def entry(api: Api) -> str:
    return api.entry()


def fill(api: Api, service: str, asset_id: str, token: str) -> Any:
    resource = {"contentResource__objectType": TOKEN, "contentResource__token": token}
    return api.call(service, "setContent", id=asset_id, **resource)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["service"])
def test_an_asset_lives_from_add_to_delete(api: Api, entry: str, files: Path, kind: dict[str, Any]) -> None:
    service, data = kind["service"], (files / kind["file"]).read_bytes()
    made = api.call(service, "add", entryId=entry, **kind["add"])
    assert (made["status"], made["sizeInBytes"]) == (0, 0)
    assert api.code(service, "getUrl", id=made["id"]) == f"{kind['code']}_IS_NOT_READY"
    filled = fill(api, service, made["id"], api.token(data, kind["file"]))
    assert (filled["status"], filled["version"], filled["sizeInBytes"]) == (2, "2", str(len(data)))
    assert api.get(api.call(service, "getUrl", id=made["id"])).content == data
    assert api.raw(service, "serve", **{kind["id"]: made["id"]}).content == data
    listed = api.call(service, "list", filter__entryIdEqual=entry)
    assert made["id"] in [item["id"] for item in listed["objects"]]
    if kind["code"] == "THUMB_ASSET":
        # The first thumbnail of an entry without content is its default and cannot go.
        assert api.code(service, "delete", **{kind["id"]: made["id"]}) == "THUMB_ASSET_IS_DEFAULT"
        return
    assert api.call(service, "delete", **{kind["id"]: made["id"]}) is None
    assert api.code(service, "get", **{kind["id"]: made["id"]}) == f"{kind['code']}_ID_NOT_FOUND"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["service"])
def test_a_pending_token_fills_its_asset_when_it_is_full(
    api: Api, entry: str, files: Path, kind: dict[str, Any]
) -> None:
    service, data = kind["service"], (files / kind["file"]).read_bytes()
    made = api.call(service, "add", entryId=entry, **kind["add"])
    token = api.token(name=kind["file"])
    assert fill(api, service, made["id"], token)["status"] == 7
    attached = api.call("uploadToken", "get", uploadTokenId=token)
    assert (attached["attachedObjectType"], attached["attachedObjectId"]) == (kind["attached"], made["id"])
    sent = {"fileData": (kind["file"], data)}
    assert api.call("uploadToken", "upload", uploadTokenId=token, files=sent)["status"] == 3
    assert api.call(service, "get", **{kind["id"]: made["id"]})["status"] == 2


def test_deleting_a_pending_token_leaves_its_asset_queued(api: Api, entry: str) -> None:
    made = api.call("attachment_attachmentAsset", "add", entryId=entry, attachmentAsset__title="t")
    token = api.token(name="a.pdf")
    fill(api, "attachment_attachmentAsset", made["id"], token)
    api.call("uploadToken", "delete", uploadTokenId=token)
    assert api.call("attachment_attachmentAsset", "get", attachmentAssetId=made["id"])["status"] == 0


def test_a_closed_token_sets_an_asset_back_to_importing(api: Api, entry: str) -> None:
    made = api.call("attachment_attachmentAsset", "add", entryId=entry, attachmentAsset__title="t")
    token = api.token(b"notes", "a.txt")
    assert fill(api, "attachment_attachmentAsset", made["id"], token)["status"] == 2
    again = fill(api, "attachment_attachmentAsset", made["id"], token)
    assert (again["status"], again["sizeInBytes"]) == (7, "5")


def test_lists_need_an_entry(api: Api) -> None:
    for kind in KINDS:
        assert api.code(kind["service"], "list", filter__statusEqual=2) == "PROPERTY_VALIDATION_CANNOT_BE_NULL"
        assert api.call(kind["service"], "list", filter__entryIdEqual="0_nosuchid")["totalCount"] == 0


def test_the_default_thumbnail_moves_and_changes_the_entrys_url(api: Api, ready: str, web: str) -> None:
    before = api.call("media", "get", entryId=ready)["thumbnailUrl"]
    made = api.call("thumbAsset", "addFromUrl", entryId=ready, url=f"{web}/picture.png")
    assert (made["width"], made["height"], made["status"]) == (160, 90, 2)
    assert api.call("thumbAsset", "setAsDefault", thumbAssetId=made["id"]) is None
    assert api.call("media", "get", entryId=ready)["thumbnailUrl"] != before
    tags = {item["id"]: item["tags"] for item in api.call("thumbAsset", "getByEntryId", entryId=ready)}
    assert [asset_id for asset_id, text in tags.items() if "default_thumb" in text] == [made["id"]]


def test_generate_takes_a_picture_of_a_video_only(api: Api, ready: str, web: str) -> None:
    made = api.call("thumbAsset", "generate", entryId=ready, thumbParams__videoOffset=1, thumbParams__width=80)
    assert (made["status"], made["width"], made["height"]) == (2, 80, 45)
    assert api.code("thumbAsset", "generate", entryId=api.entry(), thumbParams__width=80) == "INVALID_ENTRY_STATUS"
    image = api.call("media", "addFromUrl", mediaEntry__mediaType=2, url=f"{web}/picture.png")["id"]
    code = api.code("thumbAsset", "generate", entryId=image, thumbParams__width=80)
    assert code == "ENTRY_MEDIA_TYPE_NOT_SUPPORTED"


def test_a_thumbnail_url_that_fails_is_said_at_once(api: Api, entry: str, web: str) -> None:
    assert api.code("thumbAsset", "addFromUrl", entryId=entry, url=f"{web}/none.png") == "THUMB_ASSET_DOWNLOAD_FAILED"


def test_captions_know_their_language_and_their_default(api: Api, entry: str) -> None:
    first = api.call("caption_captionAsset", "add", entryId=entry, captionAsset__language="German")
    assert (first["languageCode"], first["format"], first["displayOnPlayer"]) == ("de", "1", True)
    second = api.call("caption_captionAsset", "add", entryId=entry, captionAsset__isDefault=1)
    api.call("caption_captionAsset", "setAsDefault", captionAssetId=first["id"])
    assert api.call("caption_captionAsset", "get", captionAssetId=first["id"])["isDefault"] is True
    assert api.call("caption_captionAsset", "get", captionAssetId=second["id"])["isDefault"] is False
    assert api.code("caption_captionAsset", "delete", captionAssetId=first["id"]) == "CAPTION_ASSET_IS_DEFAULT"
    image = api.entry(media_type=2)
    assert api.code("caption_captionAsset", "add", entryId=image, captionAsset__label="x") == "ENTRY_ID_NOT_FOUND"


def test_caption_text_is_served_as_json_and_webvtt(api: Api, entry: str) -> None:
    made = api.call("caption_captionAsset", "add", entryId=entry, captionAsset__language="English")
    resource = {"contentResource__objectType": "KalturaStringResource", "contentResource__content": SRT}
    assert api.call("caption_captionAsset", "setContent", id=made["id"], **resource)["fileExt"] == "srt"
    cues = api.raw("caption_captionAsset", "serveAsJson", captionAssetId=made["id"]).json()["objects"]
    assert [(cue["startTime"], cue["endTime"], cue["content"][0]["text"]) for cue in cues] == [
        (1000, 2500, "Hello"),
        (62000, 63000, "Late"),
    ]
    asked = {"captionAssetId": made["id"], "segmentDuration": 30}
    playlist = api.raw("caption_captionAsset", "serveWebVTT", **asked).text
    assert playlist.count("segmentIndex/") == 3
    third = api.raw("caption_captionAsset", "serveWebVTT", segmentIndex=3, **asked).text
    assert "Late" in third
    assert "Hello" not in third


def test_a_caption_by_url_is_fetched_by_a_job(api: Api, entry: str, files: Path, web: str) -> None:
    (files / "late.srt").write_text(SRT)
    made = api.call("caption_captionAsset", "add", entryId=entry, captionAsset__language="English")
    resource = {"contentResource__objectType": "KalturaUrlResource", "contentResource__url": f"{web}/late.srt"}
    assert api.call("caption_captionAsset", "setContent", id=made["id"], **resource)["status"] == 7
    read = partial(api.call, "caption_captionAsset", "get", captionAssetId=made["id"])
    until(lambda: read()["status"] != 7, "the end of the import")
    assert read()["status"] == 2
    assert api.raw("caption_captionAsset", "serve", captionAssetId=made["id"]).text == SRT


def test_errors_of_files_are_headers_only(api: Api, entry: str) -> None:
    made = api.call("attachment_attachmentAsset", "add", entryId=entry, attachmentAsset__title="t")
    reply = api.raw("attachment_attachmentAsset", "serve", attachmentAssetId=made["id"])
    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["X-Kaltura"] == "error-ATTACHMENT_ASSET_IS_NOT_READY"


def test_a_user_cannot_add_to_another_users_entry(sandbox: Sandbox, entry: str) -> None:
    other = Api(sandbox, "someone", admin=False, privileges=" ")
    for kind in KINDS:
        assert other.code(kind["service"], "add", entryId=entry, **kind["add"]) == "INVALID_KS"
    other.http.close()
