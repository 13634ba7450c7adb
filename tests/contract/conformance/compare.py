"""Compares the sandbox's reply to one step with the recorded one, leaving out only what depends on the run.

Compared are the HTTP status, the content type, the error marker, the set of keys, the JSON type of every value and
every value but these: ids (mapped), times (unless the request sent them), session strings, the server's address,
default names made of a time, and the counts and members of lists that reach beyond what the replay made itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from conformance.mapping import ID

if TYPE_CHECKING:
    from conformance.mapping import IdMap
    from conformance.recording import Step
    from conformance.sender import Reply

__all__ = ["compare"]

_TIME = re.compile(r"1[5-9]\d{8}|2[01]\d{8}")
_DEFAULT_NAME = re.compile(r"\d+_1[5-9]\d{8}")
_SCOPED = re.compile(r"(^|[:\[])(\w*[Ii]d|fullName|fileName)(Equal|In)\]?$")
_LEGACY_UPLOAD = re.compile(r"[0-9a-f]{35}_\w+\.\w+")
_PLACEHOLDER = re.compile(r"\\\{[A-Z][A-Z0-9_]*\\\}")


def compare(step: Step, reply: Reply, ids: IdMap, *, raced: bool = False) -> list[str]:
    """Say every way in which the reply differs from the recorded one; empty when they agree.

    New pairs of ids are bound in `ids` on the way.

    :param raced: the token's count of bytes depends on which of several parallel chunks came first.
    """
    return _Comparison(step, ids, raced).run(reply)


class _Comparison:
    def __init__(self, step: Step, ids: IdMap, raced: bool) -> None:
        self.step, self.ids, self.raced = step, ids, raced
        self.differences: list[str] = []

    def run(self, reply: Reply) -> list[str]:
        recorded = self.step.response
        self._equal("HTTP status", recorded["status"], reply.status)
        headers = {name.lower(): value for name, value in recorded["headers"].items()}
        expected, found = (_media_type(h.get("content-type", "")) for h in (headers, reply.headers))
        self._equal("content type", expected, found)
        if headers.get("x-kaltura", "").startswith("error-"):
            self._equal("X-Kaltura", headers["x-kaltura"], reply.headers.get("x-kaltura"))
        if "json" in recorded:
            self._value("", "", recorded["json"], reply.json() if reply.body else None)
        elif expected == "text/xml":
            self._xml(recorded["body_text"], reply.text)
        else:
            self._scalar("body", "body", recorded["body_text"], reply.text)
        return self.differences

    def _equal(self, what: str, recorded: Any, actual: Any) -> None:
        if recorded != actual:
            self.differences.append(f"{what}: {_short(recorded)} there, {_short(actual)} here")

    def _xml(self, recorded: str, actual: str) -> None:
        try:
            tree = ElementTree.fromstring(actual)
        except ElementTree.ParseError as error:
            self.differences.append(f"XML: {error}")
            return
        self._value("xml", "xml", _plain(ElementTree.fromstring(recorded)), _plain(tree))

    def _value(self, path: str, key: str, recorded: Any, actual: Any) -> None:
        if type(recorded) is not type(actual):
            self._equal(f"type of {path or 'the reply'}", _kind(recorded), _kind(actual))
        elif isinstance(recorded, dict):
            self._object(path, recorded, actual)
        elif isinstance(recorded, list):
            self._list(path, recorded, actual, len(recorded))
        else:
            self._scalar(path, key, recorded, actual)

    def _object(self, path: str, recorded: dict[str, Any], actual: dict[str, Any]) -> None:
        self._identify(path, recorded, actual)
        if missing := sorted(recorded.keys() - actual.keys()):
            self.differences.append(f"missing in {path or 'the reply'}: {', '.join(missing)}")
        if extra := sorted(actual.keys() - recorded.keys()):
            self.differences.append(f"too much in {path or 'the reply'}: {', '.join(extra)}")
        is_page = "totalCount" in recorded and isinstance(recorded.get("objects"), list)
        for key in [key for key in recorded if key in actual]:  # in order: `id` is known before it is used
            where = f"{path}.{key}" if path else key
            if is_page and key == "objects" and isinstance(actual[key], list):
                self._list(where, recorded[key], actual[key], recorded["totalCount"])
            elif is_page and key == "totalCount":
                self._total(where, recorded, actual)
            elif not (key == "id" and self.ids.is_numbered(str(recorded.get("objectType")))):
                self._value(where, key, recorded[key], actual[key])

    def _identify(self, path: str, recorded: dict[str, Any], actual: dict[str, Any]) -> None:
        one, other, kind = recorded.get("id"), actual.get("id"), str(recorded.get("objectType"))
        numbered = self.ids.is_numbered(kind) and isinstance(one, int) and isinstance(other, int)
        if numbered and not self.ids.bind_number(kind, one, other):
            self.differences.append(f"{path}.id: {other} is another {kind}")

    def _total(self, path: str, recorded: dict[str, Any], actual: dict[str, Any]) -> None:
        objects, total = recorded["objects"], recorded["totalCount"]
        if self._closed(objects, total):
            self._equal(path, total, actual["totalCount"])
        elif type(actual["totalCount"]) is not type(total):
            self._equal(f"type of {path}", _kind(total), _kind(actual["totalCount"]))

    def _closed(self, objects: list[Any], total: int) -> bool:
        """Whether everything a list holds was made by the replay, so that its members can be compared."""
        if any(_SCOPED.search(name) for name in self.step.fields):
            return True
        known = all(isinstance(item, dict) and item.get("id") in self.ids for item in objects)
        return total == len(objects) and known and bool(objects)

    def _list(self, path: str, recorded: list[Any], actual: list[Any], total: int) -> None:
        ids = [item.get("id") if isinstance(item, dict) else None for item in recorded]
        if self.step.call[0] == "multirequest" or not all(isinstance(one, str) for one in ids):
            self._pairs(path, recorded, actual)
            return
        is_page = path == "objects" or path.endswith(".objects")
        closed = not is_page or self._closed(recorded, total)
        if closed:
            self._equal(f"number of {path or 'elements'}", len(recorded), len(actual))
        rest = {item.get("id"): item for item in actual if isinstance(item, dict)}
        unmatched = []
        for item in recorded:
            twin = rest.pop(self.ids.actual(item["id"]), None)
            if twin is None:
                unmatched.append(item)
            else:
                self._value(f"{path}[{item['id']}]", "", item, twin)
        self._unmatched(path, unmatched, list(rest.values()), closed)

    def _unmatched(self, path: str, recorded: list[dict[str, Any]], actual: list[dict[str, Any]], closed: bool) -> None:
        for item in recorded:
            same = [other for other in actual if other.get("flavorParamsId") == item.get("flavorParamsId")]
            twin = (same or actual or [None])[0]
            if twin is None:
                continue
            if closed and item["id"] not in self.ids:
                actual.remove(twin)
                self._value(f"{path}[{item['id']}]", "", item, twin)
            else:
                self._shape(f"{path}[{item['id']}]", item, twin)

    def _shape(self, path: str, recorded: dict[str, Any], actual: dict[str, Any]) -> None:
        """Another object of the same kind: only the kind and the JSON types can be compared."""
        self._equal(f"{path}.objectType", recorded.get("objectType"), actual.get("objectType"))
        for key in [key for key in recorded if key in actual]:
            if _kind(recorded[key]) != _kind(actual[key]) and key != "status":
                self._equal(f"type of {path}.{key}", _kind(recorded[key]), _kind(actual[key]))

    def _pairs(self, path: str, recorded: list[Any], actual: list[Any]) -> None:
        self._equal(f"number of {path or 'elements'}", len(recorded), len(actual))
        for index, (one, other) in enumerate(zip(recorded, actual, strict=False)):
            self._value(f"{path}[{index}]", "", one, other)

    def _scalar(self, path: str, key: str, recorded: Any, actual: Any) -> None:
        if recorded == actual or key == "executionTime" or (self.raced and key == "uploadedFileSize"):
            return
        one, other = str(recorded), str(actual)
        if one not in self.step.sent_values and _TIME.fullmatch(one) and _TIME.fullmatch(other):
            return
        if _DEFAULT_NAME.fullmatch(one) and _DEFAULT_NAME.fullmatch(other):
            return
        if _LEGACY_UPLOAD.fullmatch(one) and _LEGACY_UPLOAD.fullmatch(other):
            return
        if ID.fullmatch(one) and one not in self.ids and ID.fullmatch(other) and len(one) == len(other):
            if one in self.step.sent_values or not self.ids.bind(one, other):
                self.differences.append(f"{path}: {other} stands for another id")
            return
        if not self._same_text(key, one, other):
            self.differences.append(f"{path}: {_short(recorded)} there, {_short(actual)} here")

    def _same_text(self, key: str, recorded: str, actual: str) -> bool:
        service = self.step.call[0]
        if self.ids.number(service, key, recorded) == actual:
            return True
        address = self.ids.word("BASE_URL")
        kept = recorded.replace("{BASE_URL_ESC}", address).replace("{BASE_URL}", address)
        # Any session will do where one was recorded.
        pattern = re.escape(self.ids.translate(kept.replace("{KS}", "\0"))).replace(re.escape("\0"), ".+")
        pattern = _PLACEHOLDER.sub(".+", pattern)
        if not _TIME.fullmatch(recorded):
            pattern = _loosen(pattern)
        return bool(re.fullmatch(pattern, actual, re.DOTALL))


def _loosen(pattern: str) -> str:
    """Let a text hold any time and any duration where the recorded one holds one."""
    pattern = re.sub(r"(?<!\d)1[5-9]\d{8}(?!\d)", r"\\d{10}", pattern)
    return re.sub(r"(<executionTime>)[^<]+", r"\1[^<]+", pattern)


def _media_type(header: str) -> str:
    return header.split(";")[0].strip().lower()


def _plain(element: ElementTree.Element) -> Any:
    children = list(element)
    if not children:
        return element.text or ""
    if all(child.tag == "item" for child in children):
        return [_plain(child) for child in children]
    return {child.tag: _plain(child) for child in children}


def _kind(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "float"}
    return names.get(type(value), "null")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."
