"""Turn a call into an HTTP request, and a reply into a value or an error. No I/O."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode, urlsplit

from kaltura_provider.api.errors import KalturaAPIError, KalturaTransportError, TransportFault, api_error
from kaltura_provider.api.multipart import FilePart, StreamedBody, frame
from kaltura_provider.api.params import flatten_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "HttpReply",
    "HttpRequest",
    "Request",
    "call_names",
    "call_request",
    "check_redirect",
    "first_error",
    "is_repeatable",
    "multi_request",
    "read_file_reply",
    "read_multi_reply",
    "read_reply",
    "referred_results",
    "result",
]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"\{(\d+):result[:}]")
# Actions that only read or, like session.start, create nothing that the server stores.
_READING = re.compile(r"(get|list|count|ping|search)([A-Z].*)?|startSession|startWidgetSession")
_SECONDS = re.compile(r"[0-9]{1,9}")
_ERROR_START = 64
# Longer than any error, so it is a file.
_ERROR_LENGTH = 65_536
_CLIENT_TAG = "airflow-provider-kaltura"


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a multirequest; ``params`` may hold references made by :func:`result`."""

    service: str
    action: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A POST request. ``body`` is bytes, or is streamed with a known length."""

    url: str
    headers: Mapping[str, str]
    body: bytes | StreamedBody = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A reply as received. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str | None:
        """The server's own id of this request (``X-Kaltura-Session``)."""
        return self.headers.get("x-kaltura-session") or None


def result(n: int, *path: str | int) -> str:
    """Return a reference to the result of request ``n`` (counted from 1) of the same multirequest.

    ``result(1, "objects", 0, "id")`` is ``{1:result:objects:0:id}``. If the value
    does not exist or the request failed, the server puts an empty string in its place and still runs the call.
    """
    if n < 1:
        raise ValueError(f"requests are counted from 1, not {n}")
    return "{" + ":".join([str(n), "result", *map(str, path)]) + "}"


def referred_results(params: Any) -> list[int]:
    """Return the numbers of the requests that these parameters of a multirequest refer to."""
    return [int(number) for number in _REFERENCE.findall(str(params))]


def is_repeatable(service: str, action: str) -> bool:
    """Return whether a call only reads and is therefore always safe to repeat."""
    if (service.lower(), action.lower()) == ("session", "start"):
        return True
    # Kaltura's names are case-insensitive. A name in the wrong case is only repeated less often.
    return _READING.fullmatch(action) is not None


def call_request(
    service_url: str,
    service: str,
    action: str,
    params: Mapping[str, Any],
    *,
    ks: str | None,
    file: FilePart | None = None,
) -> HttpRequest:
    """Build the request of one call. With a ``file`` it is a multipart form."""
    fields = flatten_all({**params, **_common(ks)})
    url = f"{service_url}/service/{_name(service)}/action/{_name(action)}"
    return _post(url, fields, file)


def multi_request(service_url: str, requests: Sequence[Request], *, ks: str | None) -> HttpRequest:
    """Build the request of a multirequest, whose calls are numbered from 1."""
    numbered: dict[str, Any] = {}
    for number, request in enumerate(requests, 1):
        call = {"service": _name(request.service), "action": _name(request.action)}
        numbered[str(number)] = {**request.params, **call}
    return _post(f"{service_url}/service/multirequest", flatten_all({**numbered, **_common(ks)}), None)


def read_reply(reply: HttpReply, service: str, action: str) -> Any:
    """Return the JSON value of a reply.

    :raises KalturaAPIError: the value is an error, even with HTTP status 200.
    :raises KalturaTransportError: the reply does not come from a Kaltura server, is cut off, has a bad HTTP status, or
        is not what the action answers with.
    """
    value = _json_value(reply, service, action)
    error = _as_error(value, service, action, reply.request_id)
    if error is not None:
        raise error
    _check_shape(reply, value, service, action)
    return value


def read_multi_reply(reply: HttpReply, requests: Sequence[Request]) -> list[Any]:
    """Return one element per request: its value, or the :class:`KalturaAPIError` (not raised) it ended with.

    :raises KalturaAPIError: the multirequest as a whole was refused.
    :raises KalturaTransportError: as :func:`read_reply`, or if elements are missing.
    """
    names = ("multirequest", call_names(requests))
    values = read_reply(reply, *names)
    if not isinstance(values, list) or len(values) != len(requests):
        count = len(values) if isinstance(values, list) else "no list of"
        message = f"the answer has {count} results for {len(requests)} requests"
        _fail(reply, TransportFault.NOT_JSON, message, *names)
    results = []
    for value, request in zip(values, requests, strict=True):
        error = _as_error(value, request.service, request.action, reply.request_id)
        if error is None:
            _check_shape(reply, value, request.service, request.action)
        results.append(value if error is None else error)
    return results


def read_file_reply(reply: HttpReply, service: str, action: str) -> bytes:
    """Return the file that a ``serve`` action answered with.

    :raises KalturaAPIError: the server answered with an error, in a header or as JSON.
    :raises KalturaTransportError: as :func:`read_reply`.
    """
    if reply.status != HTTPStatus.OK or not reply.body or _is_error(reply.body):
        read_reply(reply, service, action)
    return reply.body


def _is_error(body: bytes) -> bool:
    """Distinguish an error in JSON from a file that quotes one, such as a log."""
    if not body[:_ERROR_START].lstrip().startswith(b"{") or len(body) > _ERROR_LENGTH:
        return False
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("objectType") == "KalturaAPIException"


def first_error(results: Sequence[Any]) -> KalturaAPIError | None:
    """Return the first error among the results of a multirequest, or ``None``."""
    return next((element for element in results if isinstance(element, KalturaAPIError)), None)


def call_names(requests: Sequence[Request]) -> str:
    """Return the names of a multirequest's calls for people, each once: ``media.add,media.addContent``."""
    return ",".join(dict.fromkeys(f"{request.service}.{request.action}" for request in requests))


def _common(ks: str | None) -> dict[str, Any]:
    return {"format": 1, "clientTag": _CLIENT_TAG, "ks": ks}


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a service or action")
    return name


def _post(url: str, fields: Sequence[tuple[str, str]], file: FilePart | None) -> HttpRequest:
    body: bytes | StreamedBody
    if file is None:
        content_type, body = "application/x-www-form-urlencoded", urlencode(fields).encode()
    else:
        content_type, body = frame(fields, file)
    return HttpRequest(url, {"Content-Type": content_type, "Accept": "application/json"}, body)


def _check_shape(reply: HttpReply, value: Any, service: str, action: str) -> None:
    """Check that a list has objects: what has none by mistake would look like a list of nothing."""
    found = value.get("objects") if isinstance(value, dict) else None
    if action == "list" and not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
        _fail(reply, TransportFault.NOT_JSON, "the answer has no list of objects", service, action)


def _as_error(value: Any, service: str, action: str, request_id: str | None) -> KalturaAPIError | None:
    # A result may have a "code" of its own. Only the type distinguishes an error from a result.
    if not isinstance(value, dict) or value.get("objectType") != "KalturaAPIException":
        return None
    args = value.get("args")
    details = {str(k): str(v) for k, v in args.items()} if isinstance(args, dict) else {}
    return api_error(
        str(value.get("code", "")),
        str(value.get("message", "")),
        details,
        service=service,
        action=action,
        request_id=request_id,
    )


def check_redirect(request: HttpRequest, reply: HttpReply) -> None:
    """Refuse redirects: the client does not send its form to another address.

    :raises KalturaTransportError: the server redirects; the message names the mistake in the service URL.
    """
    if not 300 <= reply.status < 400:
        return
    location = reply.headers.get("location", "")
    try:
        place, is_service = _place(location), "/service/" in urlsplit(location).path
    except ValueError:
        place, is_service = "something that is not an address", False
    if is_service and place != _place(request.url):
        message = f"the server redirects to {place}; use that as the service URL"
    else:
        message = f"the server redirects to {place}, where it has no API; check the path of the service URL"
    _fail(reply, TransportFault.REDIRECT, message, "", "")


def _place(url: str) -> str:
    """Return the service URL in an address, without user and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.partition('/service/')[0]}"


def _json_value(reply: HttpReply, service: str, action: str) -> Any:
    if reply.status != HTTPStatus.OK:
        _fail(reply, TransportFault.STATUS, _status_text(reply), service, action)
    refused = re.match(r"error-\s*([A-Z0-9_]+)", reply.headers.get("x-kaltura", ""))
    if not reply.body and refused:
        # Actions that serve files report errors in a header and send no body.
        raise api_error(refused[1], "", service=service, action=action, request_id=reply.request_id)
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        _fail(reply, TransportFault.NOT_JSON, _unreadable_text(reply), service, action)


def _status_text(reply: HttpReply) -> str:
    try:
        phrase = f" {HTTPStatus(reply.status).phrase}"
    except ValueError:
        phrase = ""
    reason = reply.headers.get("x-kaltura-app", "")
    return f"HTTP {reply.status}{phrase}" + (f" ({reason})" if reason else "")


def _unreadable_text(reply: HttpReply) -> str:
    start = reply.body.lstrip()[:1]
    if not reply.body:
        return "the answer is empty"
    if start == b"<":
        return "the answer is a web page or XML, not JSON; check that this is the address of a Kaltura server"
    return f"the answer is not complete JSON ({len(reply.body)} bytes)"


def _fail(reply: HttpReply, fault: TransportFault, message: str, service: str, action: str) -> NoReturn:
    raise KalturaTransportError(
        message,
        fault=fault,
        service=service,
        action=action,
        request_id=reply.request_id,
        status=reply.status,
        retry_after=_retry_after(reply.headers.get("retry-after")),
    )


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` header, which holds a whole number of seconds or a date."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, OverflowError):
        return None
