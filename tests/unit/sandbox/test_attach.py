"""Content and its tokens: attaching before the bytes, and everything that can come between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from kaltura_sandbox import Sandbox

MEDIA = b"\x00\x00\x00\x20ftypisom" + b"m" * 50_000


@pytest.fixture
def slow_finals(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let final chunks take so long that calls of several threads overlap on a busy machine too."""
    monkeypatch.setattr(sandbox.account, "config", replace(sandbox.account.config, final_time=0.5))


def finish(api: Any, token: str, data: bytes = MEDIA) -> Any:
    api.upload(token, data[:1000], resume=0, finalChunk=0)
    return api.upload(token, data[1000:], resume=1, finalChunk=1, resumeAt=1000)


def test_attach_first_then_the_bytes(api: Any, sandbox: Sandbox) -> None:
    entry, token = api.media(), api.token(fileName="a.mp4")
    assert api.attach(entry, token)["status"] == 0
    attached = api("uploadToken", "get", uploadTokenId=token)
    assert attached["attachedObjectType"] == "flavorAsset"
    flavor = api("flavorAsset", "get", id=attached["attachedObjectId"])
    assert (flavor["entryId"], flavor["status"], flavor["flavorParamsId"]) == (entry, 7, 0)
    api.upload(token, MEDIA[:1000], resume=0, finalChunk=0)
    assert api.status(entry) == 0
    done = api.upload(token, MEDIA[1000:], resume=1, finalChunk=1, resumeAt=1000)
    assert (done["status"], done["attachedObjectId"]) == (3, flavor["id"])
    assert api.status(entry) == 1
    assert sandbox.control.entry(entry)["content"] == {"sha256": api.sha256(MEDIA), "size": len(MEDIA)}


def test_a_full_token_is_consumed_at_once(api: Any) -> None:
    entry, token = api.media(), api.full_token(MEDIA)
    shown = api.attach(entry, token)
    assert (shown["status"], shown["sourceType"], shown["conversionProfileId"]) == (1, "1", 15)
    used = api("uploadToken", "get", uploadTokenId=token)
    assert used["status"] == 3
    assert "attachedObjectId" not in used
    assert api.code(api.attach(entry, api.full_token(MEDIA))) == "ENTRY_ALREADY_WITH_CONTENT"


def test_a_second_attach_steals_the_token(api: Any) -> None:
    token, first, second = api.token(), api.media(name="1"), api.media(name="2")
    api.attach(first, token)
    api.attach(second, token)
    assert finish(api, token)["status"] == 3
    assert (api.status(first), api.status(second)) == (0, 1)
    assert api.code(api.attach(first, api.token())) == "ENTRY_ALREADY_WITH_CONTENT"
    assert api("media", "delete", entryId=first) is None


def test_a_closed_token_is_taken_and_leaves_the_entry_waiting_for_ever(api: Any) -> None:
    token = api.full_token(MEDIA)
    api.attach(api.media(), token)
    stuck = api.media(name="stuck")
    assert api.attach(stuck, token)["status"] == 0
    moved = api("uploadToken", "get", uploadTokenId=token)
    assert moved["status"] == 3
    assert api("flavorAsset", "get", id=moved["attachedObjectId"])["entryId"] == stuck
    assert api.code(finish(api, token)) == "UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD"


def test_deleting_an_attached_token_returns_the_entry_and_a_new_one_fits(api: Any) -> None:
    entry, token = api.media(), api.token()
    api.attach(entry, token)
    api("uploadToken", "delete", uploadTokenId=token)
    assert api.status(entry) == 7
    again = api.token()
    assert api.attach(entry, again)["status"] == 0
    finish(api, again)
    assert api.status(entry) == 1


def test_deleting_a_closed_token_does_no_harm(api: Any) -> None:
    entry, token = api.media(), api.token()
    api.attach(entry, token)
    finish(api, token)
    api("uploadToken", "delete", uploadTokenId=token)
    assert api.status(entry) == 1


def test_an_entry_deleted_under_its_upload(api: Any) -> None:
    entry, token = api.media(), api.token()
    api.attach(entry, token)
    api.upload(token, MEDIA[:1000], resume=0, finalChunk=0)
    api("media", "delete", entryId=entry)
    assert api.upload(token, MEDIA[1000:], resume=1, finalChunk=1, resumeAt=1000)["status"] == 2


def test_a_refused_file_type_deletes_the_token_and_frees_the_entry(client: Any) -> None:
    with Sandbox(restrict_file_types=True, run_jobs=False, final_wait=0.4) as sandbox:
        api = client(sandbox)
        entry, token = api.media(), api.token(fileName="evil.mp4")
        api.attach(entry, token)
        reply = finish(api, token, b"MZ" + bytes(5000))
        assert api.code(reply) == "UPLOAD_TOKEN_FILE_TYPE_RESTRICTED_FOR_UPLOAD"
        assert api.code(api("uploadToken", "get", uploadTokenId=token)) == "UPLOAD_TOKEN_NOT_FOUND"
        assert api.status(entry) == 7
        good = api.token()
        api.attach(entry, good)
        assert finish(api, good)["status"] == 3


def test_no_bytes_at_all_end_in_an_error(api: Any) -> None:
    entry, token = api.media(), api.token()
    api.attach(entry, token)
    api.upload(token, b"", resume=0, finalChunk=1)
    assert api.status(entry) == -1
    assert api("flavorAsset", "list", filter={"entryIdEqual": entry})["objects"][0]["description"]


@pytest.mark.usefixtures("slow_finals")
def test_overlapping_final_chunks_leave_the_token_full(api: Any, sandbox: Sandbox) -> None:
    entry, token = api.media(), api.token()
    api.attach(entry, token)
    api.upload(token, MEDIA[:1000], resume=0, finalChunk=0)
    with ThreadPoolExecutor(3) as pool:
        send = [pool.submit(api.upload, token, MEDIA[1000:], resume=1, finalChunk=1, resumeAt=1000) for _ in range(3)]
        statuses = sorted(future.result()["status"] for future in send)
    assert statuses == [2, 2, 3]
    assert api.status(entry) == 1
    assert sandbox.control.entry(entry)["content"]["sha256"] == api.sha256(MEDIA)


@pytest.mark.usefixtures("slow_finals")
def test_a_second_final_chunk_may_destroy_what_was_done(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("second_final", outcome="deleted")
    entry, token = api.media(), api.token()
    api.attach(entry, token)
    api.upload(token, MEDIA[:1000], resume=0, finalChunk=0)
    with ThreadPoolExecutor(2) as pool:
        send = [pool.submit(api.upload, token, MEDIA[1000:], resume=1, finalChunk=1, resumeAt=1000) for _ in range(2)]
        replies = [future.result() for future in send]
    assert sorted(reply.get("code", "") for reply in replies) == ["", "UPLOAD_ERROR"]
    assert api.status(entry) == 7
    assert api.code(api("uploadToken", "get", uploadTokenId=token)) == "UPLOAD_TOKEN_NOT_FOUND"


def test_racers_for_one_full_token_make_one_entry(api: Any, sandbox: Sandbox) -> None:
    token = api.full_token(MEDIA)
    wish = {"mediaEntry": {"mediaType": 1, "name": "race"}, "uploadTokenId": token}
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: api("media", "addFromUploadedFile", **wish), range(4)))
    codes = sorted(reply.get("code", "made") for reply in replies)
    assert codes.count("made") == 1
    assert set(codes) <= {"made", "INTERNAL_SERVERL_ERROR", "UPLOAD_TOKEN_INVALID_STATUS_FOR_ADD_ENTRY"}
    assert len(sandbox.control.entries()) == 1


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [("pending", "UPLOAD_TOKEN_INVALID_STATUS_FOR_ADD_ENTRY"), ("unknown", "INTERNAL_SERVERL_ERROR")],
)
def test_add_from_uploaded_file_needs_a_full_token(api: Any, prepare: str, expected: str) -> None:
    token = api.token() if prepare == "pending" else "0_nosuch"
    assert api.code(api("media", "addFromUploadedFile", mediaEntry={"mediaType": 1}, uploadTokenId=token)) == expected


def test_profile_minus_one(api: Any) -> None:
    entry = api("media", "add", entry={"mediaType": 1, "conversionProfileId": -1})
    assert entry["status"] == 2
    assert api.code(api.attach(entry["id"], api.token())) == "ENTRY_ALREADY_WITH_CONTENT"
    token = api.full_token(MEDIA)
    wish = {"mediaType": 1, "conversionProfileId": -1}
    assert api("media", "addFromUploadedFile", mediaEntry=wish, uploadTokenId=token)["status"] == 4


def test_data_entries_take_no_waiting_token(api: Any) -> None:
    entry = api("data", "add", dataEntry={"name": "d"})
    api.sandbox.control.set_entry(entry["id"], status=7)
    resource = {"objectType": "KalturaUploadedFileTokenResource", "token": api.token()}
    assert api.code(api("baseEntry", "addContent", entryId=entry["id"], resource=resource)) == "FILE_CONTENT_NOT_SECURE"


def test_an_image_token_names_the_entry(api: Any) -> None:
    entry, token = api.media(mediaType=2), api.token(fileName="a.png")
    assert api.attach(entry, token)["status"] == 0
    shown = api("uploadToken", "get", uploadTokenId=token)
    assert (shown["attachedObjectType"], shown["attachedObjectId"]) == ("entry", entry)
    api.upload(token, b"\x89PNG\r\n\x1a\n" + bytes(100), name="a.png")
    assert api.status(entry) == 2


def test_documents_wait_for_their_token_too(api: Any) -> None:
    entry = api("baseEntry", "add", entry={"objectType": "KalturaDocumentEntry", "documentType": 13}, type=10)
    token = api.token(fileName="a.pdf")
    resource = {"objectType": "KalturaUploadedFileTokenResource", "token": token}
    assert api("baseEntry", "addContent", entryId=entry["id"], resource=resource)["status"] == 0
    api.upload(token, b"%PDF-1.4 hello", name="a.pdf")
    assert api.status(entry["id"]) == 2


def test_a_resource_must_be_one_of_its_kind(api: Any) -> None:
    entry = api.media()
    assert api.code(api("media", "addContent", entryId=entry, resource={"token": "x"})) == "OBJECT_TYPE_ABSTRACT"
    assert api("media", "addContent", entryId=entry)["status"] == 7
    bad = {"objectType": "KalturaServerFileResource", "url": "x"}
    assert api.code(api("media", "addContent", entryId=entry, resource=bad)) == "RESOURCE_TYPE_NOT_SUPPORTED"
    assert api.status(entry) == -2


def test_a_multirequest_claims_and_attaches_in_one_call(api: Any) -> None:
    token, entry, attached = api.multi(
        {"service": "uploadToken", "action": "add", "uploadToken": {"fileName": "m.mp4"}},
        {"service": "media", "action": "add", "entry": {"mediaType": 1, "name": "multi"}},
        {
            "service": "media",
            "action": "addContent",
            "entryId": "{2:result:id}",
            "resource": {"objectType": "KalturaUploadedFileTokenResource", "token": "{1:result:id}"},
        },
    )
    assert (attached["id"], attached["status"]) == (entry["id"], 0)
    assert finish(api, token["id"])["status"] == 3


def test_a_failed_sub_request_stops_nothing_and_reads_as_empty_text(api: Any) -> None:
    failed, second, third = api.multi(
        {"service": "media", "action": "get", "entryId": "0_nosuch"},
        {"service": "media", "action": "get", "entryId": "{1:result:id}"},
        {"service": "system", "action": "ping"},
    )
    assert failed["args"] == {"ENTRY_ID": "0_nosuch"}
    assert second["args"] == {"ENTRY_ID": ""}
    assert third is True


def test_references_walk_lists(api: Any) -> None:
    entries = [api.media(name=name) for name in "ab"]
    listed, by_index, every = api.multi(
        {"service": "baseEntry", "action": "getByIds", "entryIds": ",".join(entries)},
        {"service": "media", "action": "get", "entryId": "{1:result:1:id}"},
        {"service": "baseEntry", "action": "getByIds", "entryIds": "{1:result:_all:id}"},
    )
    assert by_index["id"] == listed[1]["id"] == entries[1]
    assert len(every) == 2


def test_numbering_must_be_contiguous(api: Any, sandbox: Sandbox) -> None:
    url = f"{sandbox.service_url}/service/multirequest"
    body = {"format": 1, "1:service": "system", "1:action": "ping", "3:service": "system", "3:action": "ping"}
    assert api._session.post(url, data=body).json() == [True]
    assert api._session.post(url, data={"format": 1}).json() == []


def test_a_file_inside_a_multirequest(api: Any, sandbox: Sandbox) -> None:
    body = {"ks": api.ks, "format": 1, "1:service": "uploadToken", "1:action": "add"}
    body |= {"2:service": "uploadToken", "2:action": "upload", "2:uploadTokenId": "{1:result:id}"}
    url = f"{sandbox.service_url}/service/multirequest"
    added, sent = api._session.post(url, data=body, files={"2:fileData": ("a.mp4", MEDIA)}).json()
    assert (sent["id"], sent["status"], sent["uploadedFileSize"]) == (added["id"], 2, str(len(MEDIA)))
    _, refused = api._session.post(url, data=body, files={"2[fileData]": ("a.mp4", MEDIA)}).json()
    assert api.code(refused) == "MISSING_MANDATORY_PARAMETER"


def test_a_source_that_is_deleted_leaves_the_entry(api: Any) -> None:
    entry, token = api.media(), api.token()
    api.attach(entry, token)
    finish(api, token)
    flavor = api("uploadToken", "get", uploadTokenId=token)["attachedObjectId"]
    api("flavorAsset", "delete", id=flavor)
    assert api.code(api("flavorAsset", "get", id=flavor)) == "FLAVOR_ASSET_ID_NOT_FOUND"
    assert api.status(entry) == 1
