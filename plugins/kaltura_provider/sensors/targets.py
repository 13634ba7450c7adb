"""The objects a sensor waits for, read from its argument, and the result in the same shape."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Targets"]

_ID: Final = re.compile(r"[A-Za-z0-9_.-]+")

_NOT_WAITED_FOR: Final = ("failed", "skipped")
"""States of an item reference that an earlier task has settled."""


class Targets:
    """The objects of one sensor.

    :param given: the rendered value of the sensor's argument: an id, the result of another operator (a mapping), or a
        list of either. Text may be one id, ids separated by commas, or a list or mapping as JSON or Python writes it,
        as when a template renders an XCom.
    :param name: the argument's name, for errors.
    :param key: the field of a mapping that holds the id.
    :param is_settled: returns whether a mapping needs no waiting.
    :raises ValueError: the argument is not valid; the message names it, the value and the fix.
    """

    def __init__(
        self,
        given: Any,
        *,
        name: str,
        key: str,
        is_settled: Callable[[Mapping[str, Any]], bool] = lambda _: False,
    ) -> None:
        value = _unpacked(given)
        self.many = not isinstance(value, str | int | Mapping) and value is not None
        self.key = key
        self.items = [_item(one, name, key) for one in (value if self.many else [value])]
        self.references = any(isinstance(item, dict) for item in self.items)
        if self.references and not all(isinstance(item, dict) for item in self.items):
            raise ValueError(f"{name} mixes ids and results of operators; give a list of one kind")
        self._settled = [
            isinstance(item, dict) and (not item.get(key) or item.get("state") in _NOT_WAITED_FOR or is_settled(item))
            for item in self.items
        ]

    @property
    def ids(self) -> list[str]:
        """The ids to wait for, each once, in the given order."""
        waited = (item for item, settled in zip(self.items, self._settled, strict=True) if not settled)
        return list(dict.fromkeys(str(item[self.key]) if isinstance(item, dict) else item for item in waited))

    def waiting_references(self, waiting: Iterable[str]) -> list[dict[str, Any]]:
        """Return the mappings of the objects that are not ready yet."""
        ids = set(waiting)
        return [item for item in self.items if isinstance(item, dict) and item.get(self.key) in ids]

    def outcome(
        self,
        report: Mapping[str, Any],
        update: Callable[[dict[str, Any], Any], dict[str, Any]],
        describe: Callable[[str, Any], Any],
    ) -> Any:
        """Return what goes to XCom, in the shape of the argument.

        :param report: ``{"ready": {id: result}, "failed": {id: reason}, "waiting": {id: reason}}``.
        :param update: returns the new reference of a ready object, from its reference and result.
        :param describe: returns the value for one ready id, from the id and its result.
        :return: for an id, the value of ``describe``, or ``None`` if it is not ready; for a list of ids
            ``{"ready": [...], "failed": {id: reason}}`` (and ``waiting`` if any are); for a reference the updated
            reference, for a list of references a list.
        """
        if self.references:
            updated = [
                item if settled else self._reference(item, report, update)
                for item, settled in zip(self.items, self._settled, strict=True)
            ]
            return updated if self.many else updated[0]
        ready: Mapping[str, Any] = report["ready"]
        if not self.many:
            return next((describe(key, result) for key, result in ready.items()), None)
        listed = {
            "ready": [describe(one, ready[one]) for one in self.ids if one in ready],
            "failed": dict(report["failed"]),
        }
        return {**listed, "waiting": dict(report["waiting"])} if report["waiting"] else listed

    def _reference(
        self,
        item: Any,
        report: Mapping[str, Any],
        update: Callable[[dict[str, Any], Any], dict[str, Any]],
    ) -> dict[str, Any]:
        object_id = str(item[self.key])
        if object_id in report["ready"]:
            return update(dict(item), report["ready"][object_id])
        if object_id in report["failed"]:
            error = {"kind": "wait", "message": report["failed"][object_id], "retry_helps": False}
            return {**item, "state": "failed", "error": error}
        return {**item, "waiting": True, "note": report["waiting"].get(object_id, "not checked")}


def _unpacked(given: Any) -> Any:
    """Parse text into the value it represents. Other values are returned unchanged."""
    if not isinstance(given, str):
        return list(given) if _is_lazy(given) else given
    text = given.strip()
    if text.startswith(("[", "{", "(")):
        for read in (json.loads, ast.literal_eval):
            try:
                return read(text)
            except (ValueError, SyntaxError):
                continue
    return [part.strip() for part in text.split(",") if part.strip()] if "," in text else text


def _is_lazy(given: Any) -> bool:
    """Return whether this is a set or the lazy sequence of a mapped task's results."""
    return not isinstance(given, list | tuple | Mapping | int) and hasattr(given, "__iter__")


def _item(one: Any, name: str, key: str) -> str | dict[str, Any]:
    if isinstance(one, Mapping):
        if key in one or "state" in one:
            return dict(one)
        # In the objects that Kaltura returns, the id is named "id".
        if "id" not in one:
            raise ValueError(f"{name} is a mapping without {key!r}; give the result of an operator, or an id")
        return {**one, key: one["id"]}
    text = str(one).strip() if isinstance(one, str | int) and not isinstance(one, bool) else ""
    if not _ID.fullmatch(text):
        raise ValueError(
            f"{name} {one!r} is not an id: give one such as 0_ab12cd34, the result of an operator, or a list of either"
        )
    return text
