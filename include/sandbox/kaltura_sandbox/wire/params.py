"""Request parameters: how path pairs, query, form fields and JSON become one nested map."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

__all__ = ["QUESTION_MARK", "decode_json", "merge", "nest", "parse_query", "path_pairs"]

Params = dict[str, Any]

# The name of an error handler for decoding: what is not valid becomes a question mark.
QUESTION_MARK = "kaltura_sandbox.question_mark"
codecs.register_error(QUESTION_MARK, lambda error: ("?", getattr(error, "end", 0)))

_BRACKETS = re.compile(r"\[([^\]]*)\]")


def parse_query(text: str) -> list[tuple[str, str]]:
    """Split a query string or form body into pairs; bytes that are not UTF-8 read ``?``, as on the real server."""
    pairs = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_unquote(name), _unquote(value)))
    return pairs


def _unquote(text: str) -> str:
    return unquote_plus(text, encoding="utf-8", errors=QUESTION_MARK)


def path_pairs(path: str) -> tuple[str, list[tuple[str, str]]]:
    """Split ``/api_v3/service/media/action/get/entryId/0_x`` into its root and its key/value pairs."""
    segments = [_unquote(part) for part in path.split("/") if part]
    root = segments.pop(0) if segments else ""
    if segments and segments[0] == "index.php":
        segments.pop(0)
    return root, [(segments[at], segments[at + 1]) for at in range(0, len(segments) - 1, 2)]


def nest(pairs: Iterable[tuple[str, Any]]) -> Params:
    """Build the nested map of ``a[b][c]=1``, ``a:b:c=1`` and plain names; later pairs win.

    The colon form is also understood inside JSON bodies, where values may be maps already.
    """
    result: Params = {}
    for name, value in pairs:
        _assign(result, _keys(name), value)
    return result


def _keys(name: str) -> list[str]:
    head, bracket, _ = name.partition("[")
    if not bracket or not head:
        return name.split(":")
    return [*head.split(":"), *_BRACKETS.findall(name[len(head) :])]


def _assign(target: Params, keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        step = target.get(_next_index(target, key))
        if not isinstance(step, dict):
            step = {}
            target[_next_index(target, key)] = step
        target = step
    last = _next_index(target, keys[-1])
    if isinstance(value, Mapping):
        value = nest(value.items())
    if isinstance(value, dict) and isinstance(target.get(last), dict):
        merge(target[last], value)
    else:
        target[last] = value


def _next_index(target: Params, key: str) -> str:
    if key:
        return key
    numbers = [int(name) for name in target if name.isdigit()]
    return str(max(numbers, default=-1) + 1)


def merge(target: Params, over: Mapping[str, Any]) -> None:
    """Merge ``over`` into ``target``, recursively for maps; the values of ``over`` win."""
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value


def decode_json(text: str) -> Params:
    """Decode a JSON body. Anything other than a JSON object counts as an empty body."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return {}
    try:
        decoded = json.loads(text)
    except ValueError:
        return {}
    return nest(decoded.items()) if isinstance(decoded, dict) else {}
