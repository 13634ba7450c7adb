"""Encode call parameters as the form fields that Kaltura reads: ``entry[name]=x``, ``pager[pageSize]=500``.

Every call uses form fields, for two reasons. Uploads must be multipart forms, so one encoding serves all calls. And a
server silently ignores a JSON body if anything on the way adds a charset to its content type.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from kaltura_provider.api.errors import KalturaConfigurationError

__all__ = ["MAX_FIELDS", "NULL", "flatten", "flatten_all"]

MAX_FIELDS = 10_000
"""PHP's ``max_input_vars`` as Kaltura ships it. The server silently drops further fields."""


class _Null:
    """The type of :data:`NULL`."""

    def __repr__(self) -> str:
        return "NULL"

    def __reduce__(self) -> str:
        return "NULL"


NULL: Final = _Null()
"""Sets a property to null on the server; ``None`` leaves it out of the request."""


def flatten(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return ``params`` as form fields in their order.

    Nested mappings and sequences become bracketed names. ``True`` and ``False`` become ``1`` and ``0``, ``None`` is
    left out, and :data:`NULL` becomes ``name__null``. An empty sequence or mapping becomes ``name[-]``, which is how
    Kaltura writes an empty array.

    :raises TypeError: a value cannot be encoded; names the field.
    :raises ValueError: a name contains brackets or a number is not finite.
    """
    return [pair for name, value in params.items() for pair in _fields(_checked(name), value)]


def flatten_all(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Like :func:`flatten`, for a whole request. Raises if there are more fields than the server reads.

    :raises KalturaConfigurationError: the server would drop some of the fields.
    """
    fields = flatten(params)
    if len(fields) > MAX_FIELDS:
        raise KalturaConfigurationError(
            "parameters",
            len(fields),
            f"exceed the {MAX_FIELDS} form fields that the server reads",
            "split the call into several calls",
        )
    return fields


def _fields(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, _Null):
        yield f"{name}__null", ""
    elif isinstance(value, Mapping):
        yield from _container(name, [(_checked(key), item) for key, item in value.items()])
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        yield from _container(name, [(str(index), item) for index, item in enumerate(value)])
    else:
        yield name, _scalar(name, value)


def _container(name: str, items: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    if not items:
        yield f"{name}[-]", ""
    for key, item in items:
        if isinstance(item, _Null):
            yield f"{name}[{key}__null]", ""
        else:
            yield from _fields(f"{name}[{key}]", item)


def _scalar(name: str, value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"parameter {name} is {value}, which cannot be sent; use a finite number")
        # In some places, such as file offsets, the server takes exponents for text, so none are written.
        return str(int(value)) if value.is_integer() else format(value, "f").rstrip("0")
    raise TypeError(f"parameter {name} is a {type(value).__name__}; use str, int, float, bool, a mapping or a list")


def _checked(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"parameter name {name!r} is not a string")
    if not name or "[" in name or "]" in name:
        raise ValueError(f"parameter name {name!r} is empty or contains brackets")
    return name
