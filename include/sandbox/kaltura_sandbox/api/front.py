"""The front controller: formats, headers, single calls and multirequests."""

from __future__ import annotations

import contextlib
import os
import random
import re
import socket
import time
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api import dispatch
from kaltura_sandbox.api.call import FileReply
from kaltura_sandbox.api.parameters import collect
from kaltura_sandbox.api.registry import find_action, find_service
from kaltura_sandbox.errors import KalturaError, ServerCrash
from kaltura_sandbox.server.message import Request, Response
from kaltura_sandbox.wire import php
from kaltura_sandbox.wire.formats import JSON, JSONP, PHP, XML, render

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account

__all__ = ["answer"]

_HOST = socket.gethostname()
_REFERENCE = re.compile(r"\{(\d+):result(?::(.*))?\}", re.DOTALL)
_EXPOSED = "Server, Content-Length, Content-Range, Date, X-Kaltura, X-Kaltura-Session, X-Me"
_COMMON = ("ks", "partnerId", "p", "clientTag")


def answer(account: Account, request: Request) -> Response:
    """Answer one API request."""
    if request.method == "OPTIONS":
        return _preflight()
    started = time.perf_counter()
    params, uploads = collect(request, account.files)
    headers = _headers(account)
    try:
        number = php.to_int(params.get("format", XML))
        if number not in (JSON, XML, PHP, JSONP):
            headers["X-Kaltura-App"] = "exiting on error 25 - Bad query"
            return Response(200, headers)
        value = _execute(account, request, params, headers)
        if isinstance(value, FileReply):
            value.response.headers = headers | value.response.headers
            return value.response
        content_type, body = render(
            value, number, seconds=time.perf_counter() - started, callback=php.to_str(params.get("callback", ""))
        )
        headers["Content-Type"] = php.to_str(params.get("content-type", "")) or content_type
        return Response(200, headers, body)
    except ServerCrash:
        return Response(500, {"Content-Type": "text/html; charset=UTF-8"})
    finally:
        for upload in uploads:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(upload.path)


def _preflight() -> Response:
    return Response(
        200,
        {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "POST, GET, HEAD, OPTIONS",
            "Access-Control-Allow-Headers": "Content-Type, Range, Cache-Control",
            "Access-Control-Max-Age": "86400",
            "Content-Type": "text/html; charset=UTF-8",
        },
    )


def _headers(account: Account) -> dict[str, str]:
    return {
        "X-Me": _HOST,
        "X-Kaltura-Session": f"{random.randrange(1 << 31)}, {account.clock.now()}",  # noqa: S311 - an id in a header, not a secret
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": _EXPOSED,
        "Cache-Control": "no-store, no-cache, must-revalidate",
        "Expires": "Sun, 19 Nov 2000 08:52:00 GMT",
        "Pragma": "no-cache",
    }


def _execute(account: Account, request: Request, params: dict[str, Any], headers: dict[str, str]) -> Any:
    if php.to_str(params.get("service", "")).lower() == "multirequest":
        return _multirequest(account, request, params, headers)
    value = dispatch.run(account, request, params, headers)
    if isinstance(value, KalturaError) and _returns_file(params):
        headers["X-Kaltura"] = f"error-{value.code}"
        headers["X-Kaltura-App"] = f"exiting on error {value.code} - {value.message}"
        return FileReply(Response(200, {"Content-Type": "text/html; charset=UTF-8"}))
    return value.render() if isinstance(value, KalturaError) else value


def _returns_file(params: dict[str, Any]) -> bool:
    """Whether the action answers with a file. Its errors are then only headers."""
    service = find_service(php.to_str(params.get("service", "")))
    action = find_action(service, php.to_str(params.get("action", ""))) if service else None
    return action is not None and action.returns_file


def _multirequest(account: Account, request: Request, params: dict[str, Any], headers: dict[str, str]) -> Any:
    """Run the numbered sub-requests in order; a failed one does not stop the others.

    Numbers begin at 1, or at 0 as Kaltura's own Python client counts; references count from 1 in both cases.
    """
    first = 0 if "0" in params else 1
    common = {name: params[name] for name in _COMMON if name in params}
    results: list[Any] = []
    while (
        isinstance(part := params.get(str(len(results) + first)), dict) and part.get("service") and part.get("action")
    ):
        resolved = _resolve(common | part, results)
        value = dispatch.run(account, request, resolved, headers, len(results) + 1)
        if isinstance(value, FileReply):
            return value
        results.append(value.render() if isinstance(value, KalturaError) else value)
    return results


def _resolve(value: Any, results: list[Any]) -> Any:
    """Replace ``{N:result:path}`` with the result of sub-request N, or with an empty string if it is missing."""
    if isinstance(value, dict):
        return {name: _resolve(item, results) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, results) for item in value]
    if not isinstance(value, str) or not (found := _REFERENCE.search(value)):
        return value
    number = int(found.group(1))
    target = results[number - 1] if 0 < number <= len(results) else None
    if isinstance(target, dict) and target.get("objectType") == "KalturaAPIException":
        target = None
    text = _text(_walk(target, (found.group(2) or "").split(":") if found.group(2) else []))
    return value[: found.start()] + text + value[found.end() :]


def _text(value: Any) -> str:
    return "" if isinstance(value, dict | list) else php.to_str(value)


def _walk(value: Any, path: list[str]) -> Any:
    for at, step in enumerate(path):
        if isinstance(value, list) and step == "_all":
            return "".join(f"{_text(_walk(item, path[at + 1 :]))}," for item in value)
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value
