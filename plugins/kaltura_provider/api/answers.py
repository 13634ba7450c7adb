"""Answers made fit to be handed on: one part of them, chosen properties, and no secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.redaction import HIDDEN, redact
from kaltura_provider.api.signing import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["pick", "select"]


def select(answer: Any, path: str | None) -> Any:
    """Return the part of an answer that a path such as ``objects.0.id`` names, with secrets replaced by ``***``.

    :raises KalturaConfigurationError: there is no such part; says how far the path goes.
    """
    # Hidden first: what a value is called tells a secret, and the path leads past its name.
    value = _hidden(answer)
    for step, name in enumerate(path.split(".") if path else ()):
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            there = f"{len(value)} elements" if isinstance(value, list) else ", ".join(value if value else ())
            if not isinstance(value, (list, dict)):
                there = "a single value"
            reached = ".".join((path or "").split(".")[:step]) or "the answer"
            raise KalturaConfigurationError("result_path", path, f"is not in the answer: no {name}",
                                            f"{reached} has {there or 'nothing'}")  # fmt: skip
    return value


def pick(value: Any, fields: Sequence[str] | None) -> Any:
    """Return an object, a list of objects or a list answer with only the chosen properties of each object."""
    if not fields:
        return value
    if isinstance(value, list):
        return [pick(item, fields) for item in value]
    if isinstance(value, dict):
        if isinstance(value.get("objects"), list):
            return {**value, "objects": pick(value["objects"], fields)}
        return {name: value[name] for name in fields if name in value}
    return value


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: HIDDEN if is_secret_name(name) else _hidden(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    return redact(value) if isinstance(value, str) else value
