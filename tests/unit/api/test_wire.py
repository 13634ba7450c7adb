import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl

import pytest

from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaNotFoundError,
    KalturaPermanentError,
    KalturaTransportError,
    TransportFault,
)
from kaltura_provider.api.wire import (
    HttpReply,
    Request,
    call_request,
    check_redirect,
    first_error,
    is_repeatable,
    multi_request,
    read_file_reply,
    read_multi_reply,
    read_reply,
    result,
)

_URL = "http://k/api_v3"
_JSON = {"content-type": "application/json", "x-kaltura-session": "1844674407, 1795452990"}


def _reply(value, status=200, **headers):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return HttpReply(status, {**_JSON, **headers}, body)


def _error(code, args=(), message="m"):
    return {"code": code, "message": message, "objectType": "KalturaAPIException", "args": args or []}


def test_a_call_is_a_form():
    request = call_request(_URL, "media", "get", {"entryId": "0_a"}, ks="K")
    assert request.url == "http://k/api_v3/service/media/action/get"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(request.body.decode())) == {
        "entryId": "0_a", "format": "1", "clientTag": "airflow-provider-kaltura", "ks": "K",
    }  # fmt: skip


def test_a_call_without_a_session_sends_none():
    assert b"ks=" not in call_request(_URL, "session", "start", {}, ks=None).body


def test_the_callers_parameters_cannot_replace_the_session_or_the_format():
    sent = parse_qsl(call_request(_URL, "media", "get", {"ks": "other", "format": 2}, ks="K").body.decode())
    assert [value for name, value in sent if name in ("ks", "format")] == ["K", "1"]


@pytest.mark.parametrize("name", ["", "a/b", "media?x", "../x", "1a", "a-b"])
def test_only_names_become_part_of_the_address(name):
    with pytest.raises(ValueError, match="not the name"):
        call_request(_URL, name, "get", {}, ks=None)
    with pytest.raises(ValueError, match="not the name"):
        call_request(_URL, "media", name, {}, ks=None)


def test_a_multirequest_is_numbered_from_one():
    requests = [
        Request("uploadToken", "add", {"uploadToken": {"fileName": "a.mp4"}}),
        Request("media", "get", {"entryId": result(1, "objects", 0, "id"), "service": "stolen"}),
    ]
    request = multi_request(_URL, requests, ks="K")
    assert request.url == "http://k/api_v3/service/multirequest"
    assert dict(parse_qsl(request.body.decode())) == {
        "1[uploadToken][fileName]": "a.mp4", "1[service]": "uploadToken", "1[action]": "add",
        "2[entryId]": "{1:result:objects:0:id}", "2[service]": "media", "2[action]": "get",
        "format": "1", "clientTag": "airflow-provider-kaltura", "ks": "K",
    }  # fmt: skip


def test_references():
    assert (result(1), result(2, "id")) == ("{1:result}", "{2:result:id}")
    with pytest.raises(ValueError, match="counted from 1"):
        result(0)


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "text", [], {"id": "0_a"}, {"code": "ENTRY_ID_NOT_FOUND"}])
def test_every_json_value_is_a_result(value):
    assert read_reply(_reply(value), "media", "get") == value


def test_an_exception_is_raised_although_the_status_is_200():
    with pytest.raises(KalturaNotFoundError) as caught:
        read_reply(_reply(_error("ENTRY_ID_NOT_FOUND", {"ENTRY_ID": "0_x"})), "media", "get")
    error = caught.value
    assert (error.service, error.action, error.details, error.request_id) == (
        "media", "get", {"ENTRY_ID": "0_x"}, "1844674407, 1795452990",
    )  # fmt: skip


def test_arguments_may_be_an_empty_array():
    with pytest.raises(KalturaPermanentError) as caught:
        read_reply(_reply(_error("SERVICE_NOT_SPECIFIED")), "media", "get")
    assert caught.value.details == {}


def test_an_error_in_a_header_counts_when_there_is_no_body():
    with pytest.raises(KalturaPermanentError, match="SERVICE_FORBIDDEN"):
        read_reply(_reply(b"", **{"x-kaltura": "error-SERVICE_FORBIDDEN"}), "media", "serve")


@pytest.mark.parametrize(
    ("reply", "fault", "words"),
    [
        (_reply(b"<html>Welcome</html>"), TransportFault.NOT_JSON, "a web page"),
        (_reply(b""), TransportFault.NOT_JSON, "is empty"),
        (_reply(b'{"id": "0_'), TransportFault.NOT_JSON, "not complete JSON"),
        (_reply(b"\xff\xfe\x00"), TransportFault.NOT_JSON, "not complete JSON"),
        (_reply(b"<html>502</html>", 502), TransportFault.STATUS, "HTTP 502 Bad Gateway"),
        (_reply(b"", 599), TransportFault.STATUS, "HTTP 599"),
        (_reply(b"", 404, **{"x-kaltura-app": "exiting on error 5"}), TransportFault.STATUS, "exiting on error 5"),
        (_reply(b"", 302), TransportFault.STATUS, "HTTP 302"),
    ],
)
def test_what_is_no_answer_is_a_transport_error(reply, fault, words):
    with pytest.raises(KalturaTransportError, match=words) as caught:
        read_reply(reply, "media", "get")
    assert (caught.value.fault, caught.value.status) == (fault, reply.status)
    assert "ks=K" not in str(caught.value)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://u:p@new.example/api_v3/service/media/action/get?ks=K", "https://new.example/api_v3; use that as"),
        ("https://old.example/tv/api_v3/service/media/action/get/", "check the path of the service URL"),
        ("https://old.example/start?ks=K", "https://old.example/start, where it has no API; check the path"),
        ("", "check the path of the service URL"),
    ],
)
def test_a_redirect_says_what_is_wrong_with_the_service_url(location, words):
    request = call_request("https://old.example/tv/api_v3", "media", "get", {}, ks="K")
    with pytest.raises(KalturaTransportError, match=words) as caught:
        check_redirect(request, _reply(b"", 301, location=location))
    assert caught.value.fault is TransportFault.REDIRECT
    assert "ks=K" not in str(caught.value)
    assert "u:p" not in str(caught.value)
    check_redirect(request, _reply(b"{}"))


def test_retry_after_is_seconds_or_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    found = []
    for header in ("7", later, "soon", "-5", "inf", "nan", "1e9", "9" * 400, "Fri, 31 Dec 99999 23:59:59 GMT", ""):
        with pytest.raises(KalturaTransportError) as caught:
            read_reply(_reply(b"", 503, **{"retry-after": header}), "media", "get")
        found.append(caught.value.retry_after)
    assert found[0] == 7
    assert 35 < found[1] <= 40
    assert found[2:] == [None] * 8


def test_the_elements_of_a_multirequest_are_values_or_errors():
    requests = [Request("media", "get"), Request("media", "delete"), Request("media", "count")]
    elements = [{"id": "0_a"}, _error("ENTRY_ID_NOT_FOUND", {"ENTRY_ID": ""}), None]
    results = read_multi_reply(_reply(elements), requests)
    assert results[0] == {"id": "0_a"}
    assert isinstance(results[1], KalturaNotFoundError)
    assert (results[1].service, results[1].action) == ("media", "delete")
    assert results[2] is None
    assert first_error(results) is results[1]
    assert first_error([1, None]) is None


def test_falsy_results_stay_what_they_are():
    requests = [Request("media", "count")] * 4
    assert read_multi_reply(_reply([0, False, "", []]), requests) == [0, False, "", []]


@pytest.mark.parametrize("value", [[], [1], [1, 2, 3], {"objects": []}, "text", None])
def test_a_multirequest_with_missing_elements_is_no_answer(value):
    with pytest.raises(KalturaTransportError, match="for 2 requests"):
        read_multi_reply(_reply(value), [Request("media", "get"), Request("media", "get")])


def test_a_multirequest_refused_as_a_whole_is_raised():
    with pytest.raises(KalturaAPIError, match="SERVICE_FORBIDDEN"):
        read_multi_reply(_reply(_error("SERVICE_FORBIDDEN")), [Request("media", "get")])


@pytest.mark.parametrize(
    ("service", "action", "expected"),
    [
        ("media", "get", True),
        ("baseEntry", "getByIds", True),
        ("baseEntry", "listByReferenceId", True),
        ("uploadToken", "list", True),
        ("media", "count", True),
        ("system", "ping", True),
        ("session", "start", True),
        ("session", "startWidgetSession", True),
        ("appToken", "startSession", True),
        ("media", "add", False),
        ("uploadToken", "add", False),
        ("uploadToken", "upload", False),
        ("media", "update", False),
        ("media", "delete", False),
        ("media", "addContent", False),
        ("playlist", "listenAndDo", False),
        ("caption_captionAsset", "setAsDefault", False),
    ],
)
def test_only_reading_is_repeated_blindly(service, action, expected):
    assert is_repeatable(service, action) is expected


def test_a_served_file_that_quotes_an_error_is_a_file():
    log = b'row 7: {"objectType": "KalturaAPIException", "code": "X"}\n'
    assert read_file_reply(_reply(log), "bulkUpload", "serveLog") == log
    quoting = b'{"rows": [{"objectType": "KalturaAPIException"}]}'
    assert read_file_reply(_reply(quoting), "bulkUpload", "serveLog") == quoting
    error = b'{"objectType": "KalturaAPIException", "code": "ENTRY_ID_NOT_FOUND", "message": "no"}'
    with pytest.raises(KalturaNotFoundError):
        read_file_reply(_reply(error), "bulkUpload", "serveLog")
