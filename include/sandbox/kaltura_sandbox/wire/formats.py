"""Results and errors in the four response formats: JSON 1, XML 2 (the default), PHP 3 and JSONP 9."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from kaltura_sandbox.wire import php

__all__ = ["JSON", "JSONP", "PHP", "XML", "render"]

JSON, XML, PHP, JSONP = 1, 2, 3, 9


def render(value: Any, response_format: int, *, seconds: float, callback: str = "") -> tuple[str, bytes]:
    """Render a JSON-like value.

    :param seconds: the execution time, which only XML shows.
    :returns: the Content-Type and the body.
    """
    match response_format:
        case 1:
            return "application/json", _json(value).encode()
        case 3:
            return "text/html; charset=UTF-8", php.serialize(value).encode()
        case 9:
            return "application/javascript", f"{callback}({_json(value)});".encode()
        case _:
            return "text/xml;charset=UTF-8", _xml_document(value, seconds).encode()


def _json(value: Any) -> str:
    # PHP escapes the slash; clients that compare text see the same bytes.
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def _xml_document(value: Any, seconds: float) -> str:
    if isinstance(value, dict) and value.get("objectType") == "KalturaAPIException":
        body = _xml_error(value)
    elif isinstance(value, list) and any(_is_error(item) for item in value):
        body = "".join(f"<item>{_xml_error(item) if _is_error(item) else _xml(item)}</item>" for item in value)
    else:
        body = _xml(value)
    return (
        f'<?xml version="1.0" encoding="utf-8"?><xml><result>{body}</result>'
        f"<executionTime>{seconds:.6f}</executionTime></xml>"
    )


def _is_error(value: Any) -> bool:
    return isinstance(value, dict) and value.get("objectType") == "KalturaAPIException"


def _xml_error(error: dict[str, Any]) -> str:
    items = "".join(
        "<item><objectType>KalturaApiExceptionArg</objectType>"
        f"<name>{_text(name)}</name><value>{_text(text)}</value></item>"
        for name, text in dict(error["args"] or {}).items()
    )
    return (
        f"<error><code>{_text(error['code'])}</code><message>{_text(error['message'])}</message>"
        f"<objectType>KalturaAPIException</objectType><args>{items}</args></error>"
    )


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        named = dict(value)
        kind = named.pop("objectType", None)
        head = f"<objectType>{kind}</objectType>" if kind else ""
        return head + "".join(f"<{name}>{_xml(item)}</{name}>" for name, item in named.items())
    if isinstance(value, list):
        return "".join(f"<item>{_xml(item)}</item>" for item in value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return _text(value)


def _text(value: Any) -> str:
    return escape(php.to_str(value), {'"': "&quot;"})
