"""Ids and placeholders: which id of the sandbox stands for which id of the recording."""

from __future__ import annotations

import re
import threading
from typing import Any

__all__ = ["ID", "TOKEN", "IdMap"]

ID = re.compile(r"\b[01]_(?:[0-9a-f]{32}|[0-9a-z]{8})\b")
TOKEN = re.compile(r"[01]_[0-9a-f]{32}")

_NUMBERED = {
    "KalturaBulkUpload": "bulk",
    "KalturaCategory": "category",
    "KalturaConversionProfile": "profile",
}
_CATEGORY_FIELDS = ("categoryid", "categoriesids", "categoryfullids", "fullids", "parentid")
_BULK_URL = re.compile(r"(/service/bulkUpload[^/]*/action/\w+/id/)(\d+)", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")


class IdMap:
    """Learns the pairs from replies and translates requests; one for a whole replay."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._numbers: dict[tuple[str, int], int] = {}
        self._words: dict[str, str] = {}
        self._lock = threading.Lock()

    def __contains__(self, recorded: str) -> bool:
        return recorded in self._ids

    def bind(self, recorded: str, actual: str) -> bool:
        """Note that `actual` stands for `recorded`; False when another id does already."""
        with self._lock:
            return self._ids.setdefault(recorded, actual) == actual

    def actual(self, recorded: str) -> str | None:
        """Return the sandbox's id for a recorded one, if it is known."""
        return self._ids.get(recorded)

    def set_word(self, name: str, value: str) -> None:
        """Give a placeholder such as ``KS`` its value."""
        self._words[name] = value

    def word(self, name: str) -> str:
        """Return the value of a placeholder; an unknown session is the ADMIN one."""
        if name in self._words:
            return self._words[name]
        return self._words.get("USER_KS" if name.startswith("USER") else "KS", "")

    def bind_number(self, object_type: str, recorded: int, actual: int) -> bool:
        """`bind` for the kinds of objects that are numbered."""
        key = (_NUMBERED[object_type], recorded)
        with self._lock:
            return self._numbers.setdefault(key, actual) == actual

    @staticmethod
    def is_numbered(object_type: str) -> bool:
        """Whether the ids of such objects are counted up from 1 by the server."""
        return object_type in _NUMBERED

    def translate(self, text: str) -> str:
        """Replace every known id and every placeholder inside a text."""
        text = _PLACEHOLDER.sub(lambda match: self.word(match[1]), text)
        text = _BULK_URL.sub(lambda match: match[1] + self.number("bulkupload", "id", match[2]), text)
        return ID.sub(lambda match: self._ids.get(match[0], match[0]), text)

    def translate_value(self, value: Any) -> Any:
        """`translate` for every string of a JSON value."""
        if isinstance(value, str):
            return self.translate(value)
        if isinstance(value, dict):
            return {key: self.translate_value(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.translate_value(part) for part in value]
        return value

    def number(self, service: str, field: str, text: str) -> str:
        """Translate the numbers of a field that holds ids of a numbered kind of object."""
        kind = self._kind(service, field)
        if not kind:
            return text
        return re.sub(r"\d+", lambda match: str(self._numbers.get((kind, int(match[0])), match[0])), text)

    @staticmethod
    def _kind(service: str, field: str) -> str:
        name = re.split(r"[:\[\]]+", field.rstrip("]"))[-1].lower()
        if service.startswith("bulkupload") and name == "id":
            return "bulk"
        if service == "category" and name in ("id", "idequal", "idin"):
            return "category"
        return "category" if name.startswith(_CATEGORY_FIELDS) else ""
