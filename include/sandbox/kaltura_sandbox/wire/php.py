"""The casts PHP applies to request values, and its serialisation format (`format=3`)."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["serialize", "to_bool", "to_float", "to_int", "to_str"]

_NUMBER = re.compile(r"[ \t\n\r\v\f]*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)")


def to_float(value: Any) -> float:
    """Cast like ``(float)``: the leading number of a string, 0 when there is none."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str) and (match := _NUMBER.match(value)):
        return float(match.group(1))
    return 0.0


def to_int(value: Any) -> int:
    """Cast like ``(int)``: the leading number of a string, cut to a whole one."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+", value):
        return int(value)
    number = to_float(value)
    return int(number) if abs(number) < 2**63 else 0


def to_bool(value: Any) -> bool:
    """Cast as Kaltura does: ``false`` in any case, ``""`` and ``"0"`` are false, the rest follows PHP truthiness."""
    if isinstance(value, str):
        return value.lower() != "false" and value not in ("", "0")
    return bool(value)


def to_str(value: Any) -> str:
    """Cast like ``(string)``: true is ``1``, false and null are empty, whole floats print without a fraction.

    Maps and lists, which are PHP arrays, read ``Array``.
    """
    if isinstance(value, dict | list):
        return "Array"
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def serialize(value: Any) -> str:
    """Serialise a JSON-like value in PHP's ``serialize`` format; string lengths count bytes."""
    match value:
        case None:
            return "N;"
        case bool():
            return f"b:{int(value)};"
        case int():
            return f"i:{value};"
        case float():
            return f"d:{value!r};"
        case str():
            return f's:{len(value.encode())}:"{value}";'
        case dict():
            body = "".join(serialize(key) + serialize(item) for key, item in value.items())
            return f"a:{len(value)}:{{{body}}}"
        case _:
            body = "".join(serialize(index) + serialize(item) for index, item in enumerate(value))
            return f"a:{len(value)}:{{{body}}}"
