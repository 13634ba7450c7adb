"""What holds for every call of the real server, tried on a few: paths, JSON values, texts, ids, sessions."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import requests

from kaltura_sandbox import Sandbox

EMOJI = "film \U0001f600 q"


def send(api: Any, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
    url = api.sandbox.url + path
    return requests.post(url, params=query, json={"ks": api.ks, "format": 1, **(body or {})}, timeout=10).json()


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("//api_v3/service/media/action/get", {}, {}),
        ("/api_v3//service///media/action/get/", {}, {}),
        ("/api_v3/index.php//service/MEDIA/action/GET", {}, {}),
        ("/api_v3/service/media", {"action": "get"}, {}),
        ("/api_v3/service/media", {}, {"action": "get"}),
        ("/api_v3/", {"service": "Media"}, {"action": "get"}),
        ("//api//index.php", {"service": "media", "action": "get"}, {}),
    ],
)
def test_service_and_action_are_found_wherever_they_stand(api: Any, path: str, query: Any, body: Any) -> None:
    entry = api.media(name="here")
    assert send(api, path, {"entryId": entry, **body}, **query)["name"] == "here"


def test_repeated_slashes_of_delivery_urls_are_one(api: Any) -> None:
    entry = api.media()
    single = requests.get(f"{api.sandbox.url}/p/102/sp/10200/thumbnail/entry_id/{entry}", timeout=10)
    double = requests.get(f"{api.sandbox.url}//p/102//sp/10200/thumbnail/entry_id/{entry}", timeout=10)
    assert (double.status_code, double.headers.get("X-Kaltura-App")) == (
        single.status_code,
        single.headers.get("X-Kaltura-App"),
    )


@pytest.mark.parametrize(
    ("property_", "value", "code"),
    [
        ("tags", None, "WRONG_REQUEST_LANGUAGE"),
        ("tags", [], "WRONG_REQUEST_LANGUAGE"),
        ("name", None, "WRONG_REQUEST_LANGUAGE"),
        ("description", [], "WRONG_REQUEST_LANGUAGE"),
        ("tags", ["a", "b"], "PROPERTY_VALIDATION_WRONG_FORMAT"),
        ("name", {"0": "a"}, "PROPERTY_VALIDATION_WRONG_FORMAT"),
        ("referenceId", None, "PROPERTY_VALIDATION_MIN_LENGTH"),
        ("conversionProfileId", None, "CONVERSION_PROFILE_ID_NOT_FOUND"),
        ("mediaType", None, "INVALID_ENUM_VALUE"),
        ("mediaType", [], "INVALID_ENUM_VALUE"),
        ("displayInSearch", None, "INVALID_ENUM_VALUE"),
    ],
)
def test_json_values_of_the_wrong_kind(api: Any, property_: str, value: Any, code: str) -> None:
    body = {"entry": {"objectType": "KalturaMediaEntry", "mediaType": 1, property_: value}}
    assert api.code(send(api, "/api_v3/service/media/action/add", body)) == code


@pytest.mark.parametrize(
    ("property_", "value", "kept"),
    [
        ("name", 5, "5"),
        ("name", True, "1"),
        ("name", False, ""),
        ("name", 1.5, "1.5"),
        ("tags", [{"language": "EN", "value": "one"}], "one"),
        ("partnerData", None, ""),
        ("partnerData", ["a"], "Array"),
        ("partnerSortValue", None, 0),
        ("partnerSortValue", "7 of 9", 7),
        ("partnerSortValue", [3], 1),
    ],
)
def test_json_values_are_cast_as_php_casts(api: Any, property_: str, value: Any, kept: Any) -> None:
    body = {"entry": {"objectType": "KalturaMediaEntry", "mediaType": 1, property_: value}}
    entry = send(api, "/api_v3/service/media/action/add", body)
    assert send(api, "/api_v3/service/media/action/get", {"entryId": entry["id"]})[property_] == kept


def test_a_parameter_that_is_null_is_there_but_empty(api: Any) -> None:
    reply = send(api, "/api_v3/service/media/action/get", {"entryId": None})
    assert (api.code(reply), reply["args"]) == ("ENTRY_ID_NOT_FOUND", {"ENTRY_ID": ""})
    assert api.code(send(api, "/api_v3/service/media/action/add", {"entry": None})) == "MISSING_MANDATORY_PARAMETER"
    assert send(api, "/api_v3/service/media/action/list", {"filter": None, "pager": None})["totalCount"] == 0


def test_four_byte_characters_are_echoed_but_not_stored(api: Any) -> None:
    made = api("media", "add", entry={"mediaType": 1, "name": EMOJI, "tags": EMOJI, "partnerData": EMOJI})
    assert made["name"] == EMOJI
    read = api("media", "get", entryId=made["id"])
    assert (read["name"], read["tags"], read["partnerData"]) == ("film ???? q",) * 3
    assert api("media", "update", entryId=made["id"], mediaEntry={"name": EMOJI})["name"] == EMOJI
    assert api("baseEntry", "getByIds", entryIds=made["id"])[0]["name"] == "film ???? q"
    found = api("media", "list", filter={"nameEqual": "film ???? q", "statusEqual": 7})
    assert found["totalCount"] == 1
    category = api("category", "add", category={"name": EMOJI})
    assert api("category", "get", id=category["id"])["name"] == "film ???? q"


def test_what_kaltura_keeps_in_files_keeps_every_character(api: Any) -> None:
    made = api("data", "add", dataEntry={"name": EMOJI, "dataContent": EMOJI})
    assert api("data", "get", entryId=made["id"])["dataContent"] == EMOJI


def test_a_long_name_is_cut_for_filters_only(api: Any) -> None:
    name = "n" * 300
    made = api("media", "add", entry={"mediaType": 1, "name": name})
    assert made["name"] == api("media", "get", entryId=made["id"])["name"] == name
    for wanted, count in ((name, 0), (name[:256], 1)):
        assert api("media", "list", filter={"nameEqual": wanted, "statusEqual": 7})["totalCount"] == count


def test_bytes_that_are_not_utf8_become_question_marks(api: Any) -> None:
    body = f"ks={api.ks}&format=1&entry[mediaType]=1&entry[name]=a%ffb%C3".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{api.sandbox.service_url}/service/media/action/add"
    assert requests.post(url, data=body, headers=headers, timeout=10).json()["name"] == "a?b?"


def test_ids_compare_without_regard_to_case(api: Any) -> None:
    entry, token = api.media(name="one"), api.token(fileName="a.mp4")
    upper = entry.upper()
    assert api("media", "get", entryId=upper)["id"] == entry
    assert api("media", "update", entryId=upper, mediaEntry={"name": "two"})["id"] == entry
    assert [found["id"] for found in api("baseEntry", "getByIds", entryIds=f"{upper},{entry}")] == [entry]
    for name in ("idEqual", "idIn"):
        assert api("media", "list", filter={name: upper, "statusEqual": 7})["objects"][0]["name"] == "two"
    assert api("uploadToken", "get", uploadTokenId=token.upper())["id"] == token
    asset = api("thumbAsset", "add", entryId=upper, thumbAsset={"tags": "x"})
    assert asset["entryId"] == entry
    listed = api("thumbAsset", "list", filter={"entryIdEqual": upper})
    assert [found["id"] for found in listed["objects"]] == [asset["id"]]
    assert api("media", "delete", entryId=upper) is None
    assert api.code(api("media", "get", entryId=entry)) == "ENTRY_ID_NOT_FOUND"


@pytest.mark.parametrize(("service", "entry_type"), [("media", 1), ("baseEntry", 1), ("data", 6)])
def test_without_session_no_entry_is_found(api: Any, service: str, entry_type: int) -> None:
    made = api("baseEntry", "add", type=entry_type, entry={"objectType": "KalturaMediaEntry", "mediaType": 1})["id"]
    if entry_type == 6:
        made = api("data", "add", dataEntry={"dataContent": "x"})["id"]
    api.ks = ""
    assert api.code(api(service, "get", entryId=made)) == "ENTRY_ID_NOT_FOUND"
    assert api(service, "get", entryId=made, partnerId=102)["id"] == made


def test_a_session_can_be_ended_without_one(api: Any) -> None:
    api.ks = ""
    assert api("session", "end") is None


def test_an_unknown_role_is_accepted_at_the_start(api: Any, sandbox: Sandbox) -> None:
    wish = {"secret": sandbox.admin_secret, "type": 2, "partnerId": 102, "privileges": "setrole:99999"}
    assert isinstance(api("session", "start", **wish), str)


def test_a_user_session_for_everything_may_change_what_others_made(api: Any, sandbox: Sandbox, client: Any) -> None:
    entry = api.media(name="theirs")
    everything = client(sandbox, sandbox.ks("guest", admin=False, privileges="*"))
    nothing = client(sandbox, sandbox.ks("guest", admin=False, privileges="sview:*"))
    assert everything("media", "update", entryId=entry, mediaEntry={"name": "x", "adminTags": "y"})["name"] == "x"
    assert everything("media", "list", filter={"statusEqual": 7})["totalCount"] == 1
    assert nothing.code(nothing("media", "update", entryId=entry, mediaEntry={"name": "x"})) == "INVALID_KS"
    assert nothing("media", "list", filter={"statusEqual": 7})["totalCount"] == 0


def test_one_caption_of_an_entry_is_the_default(api: Any) -> None:
    entry = api.media()
    ids = [
        api("caption_captionAsset", "add", entryId=entry, captionAsset={"language": language, "isDefault": default})[
            "id"
        ]
        for language, default in (("English", 1), ("English", 0), ("French", 1), ("German", 0))
    ]
    for asset in ids:
        api("caption_captionAsset", "setAsDefault", captionAssetId=asset)
        found = api("caption_captionAsset", "list", filter={"entryIdEqual": entry})["objects"]
        assert [caption["id"] for caption in found if caption["isDefault"]] == [asset]


def _multipart(token: str, ks: str, data: bytes) -> bytes:
    fields = {"uploadTokenId": token, "ks": ks, "format": "1", "finalChunk": "1"}
    head = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    file = 'Content-Disposition: form-data; name="fileData"; filename="a.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
    return f"{head}--B\r\n{file}".encode() + data


@pytest.mark.parametrize("ending", [b"", b"\r\n", b"\r\n--B", b"\r\n--"])
def test_a_body_without_its_closing_boundary_is_answered(api: Any, ending: bytes) -> None:
    token = api.token(fileName="a.mp4")
    body = _multipart(token, api.ks, b"x" * 3000) + ending
    url = f"{api.sandbox.service_url}/service/uploadToken/action/upload"
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    reply = requests.post(url, data=body, headers=headers, timeout=10).json()
    if ending == b"\r\n--B":  # the boundary of a part that never comes: this one is whole
        assert reply["status"] == 2
        return
    assert api.code(reply) == "UPLOAD_ERROR"
    # As with every one-shot upload that fails, the token is gone.
    assert api.code(api("uploadToken", "get", uploadTokenId=token)) == "UPLOAD_TOKEN_NOT_FOUND"
    assert list(api.sandbox.account.files.temporary.iterdir()) == []


def test_a_request_that_ends_early_is_answered_and_does_nothing(api: Any, sandbox: Sandbox) -> None:
    token = api.token(fileName="a.mp4")
    body = _multipart(token, api.ks, b"x" * 3000)
    head = (
        "POST /api_v3/service/uploadToken/action/upload HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: {len(body) + 9000}\r\n\r\n"
    )
    with socket.create_connection((sandbox.config.host, sandbox.config.port), 10) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400 ")
    assert api("uploadToken", "get", uploadTokenId=token)["status"] == 0
    assert list(api.sandbox.account.files.temporary.iterdir()) == []
