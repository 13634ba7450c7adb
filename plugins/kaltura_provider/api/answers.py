"""Select parts of an answer, without its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.redaction import HIDDEN, redact
from kaltura_provider.api.signing import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["pick", "select"]


def select(answer: Any, path: str | None) -> Any:
    """Return the part of an answer at a path such as ``objects.0.id``, with secrets replaced by ``***``.

    :raises KalturaConfigurationError: the answer has no such part; the message says how far the path leads.
    """
    # Hide secrets first: they are recognized by their name, and the path leads past it.
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
            raise KalturaConfigurationError("result_path", path, f"is not in the answer ({name!r} is missing)",
                                            f"choose from what {reached} holds: {there or 'nothing'}")  # fmt: skip
    return value


def pick(value: Any, fields: Sequence[str] | None) -> Any:
    """Reduce each object to the chosen properties; takes an object, a list of objects or a list answer."""
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
