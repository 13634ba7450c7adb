"""Checks of what callers give, made before anything is sent: ids by their shape, enumerations by name or number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import IntEnum
from typing import TypeVar

from kaltura_provider.api.errors import KalturaConfigurationError

__all__ = ["asset_id", "choose", "entry_id", "entry_ids", "flag", "moment", "number", "token_id"]

_ENTRY_ID = re.compile(r"(\d{1,10}_)?[a-z0-9]{6,20}")
_TOKEN_ID = re.compile(r"\d{1,10}_[0-9a-f]{32}")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "none": False, "": False}
# Kaltura takes numbers up to ten years (in seconds) as an offset from now.
_RELATIVE_TIME = 315_360_000

EnumT = TypeVar("EnumT", bound=IntEnum)


def entry_id(value: object, name: str = "entry_id") -> str:
    """Return an entry id, checked: such as ``0_ab12cd34``; an asset reference or an entry stands for its id.

    :raises KalturaConfigurationError: it has not the shape of one; names the argument.
    """
    given = value.get("entry_id", value.get("id")) if isinstance(value, dict) else value
    return _id(given, name, _ENTRY_ID, "0_ab12cd34", "entry id")


def asset_id(value: object, name: str = "asset_id") -> str:
    """Return the id of a flavor, thumbnail, caption or attachment asset, checked as :func:`entry_id`."""
    return _id(value.get("id") if isinstance(value, dict) else value, name, _ENTRY_ID, "0_ab12cd34", "asset id")


def token_id(value: object, name: str = "token_id") -> str:
    """Return an upload token id, checked: such as ``0_`` and 32 hexadecimal digits; a mapping's ``token_id`` counts."""
    given = value.get("token_id") if isinstance(value, dict) else value
    return _id(given, name, _TOKEN_ID, "0_ and 32 hexadecimal digits", "upload token id")


def entry_ids(value: object, name: str = "entry_ids") -> list[str]:
    """Return one entry id, a list of them or text with commas as a list without doubles, checked.

    :raises KalturaConfigurationError: one has not the shape of an id, or there is none.
    """
    items: Iterable[object]
    if isinstance(value, str):
        items = [item.strip() for item in value.split(",") if item.strip()]
    elif isinstance(value, Iterable) and not isinstance(value, (dict, bytes)):
        items = value
    else:
        items = [value]
    ids = list(dict.fromkeys(entry_id(item, name) for item in items))
    if not ids:
        raise KalturaConfigurationError(name, None, "is empty", "give at least one entry id")
    return ids


def _id(value: object, name: str, shape: re.Pattern[str], example: str, what: str) -> str:
    text = "" if value is None else str(value).strip()
    if not shape.fullmatch(text):
        raise KalturaConfigurationError(name, text, f"is no {what}", f"give one such as {example}")
    return text


def choose(enumeration: type[EnumT], value: object, name: str) -> EnumT:
    """Return the member that a name (in any case), a number or a number as text stands for.

    :raises KalturaConfigurationError: there is none; lists those there are.
    """
    text = str(int(value) if isinstance(value, (IntEnum, bool)) else value).strip()
    for member in enumeration:
        if text == str(int(member)) or re.sub(r"[\s-]+", "_", text).upper() == member.name:
            return member
    known = ", ".join(f"{member.name.lower()} ({int(member)})" for member in enumeration)
    raise KalturaConfigurationError(name, text, "is unknown", f"use one of {known}")


def number(value: object, name: str, *, minimum: int = 0, maximum: int | None = None) -> int:
    """Return a whole number, given as one or as text.

    :raises KalturaConfigurationError: it is none, or out of range.
    """
    text = str(value).strip()
    found = int(text) if re.fullmatch(r"-?\d+", text) and not isinstance(value, bool) else None
    if found is None or found < minimum or (maximum is not None and found > maximum):
        reach = f"of {minimum} or more" if maximum is None else f"from {minimum} to {maximum}"
        raise KalturaConfigurationError(name, text, "is out of range", f"give a whole number {reach}")
    return found


def flag(value: object, name: str) -> bool:
    """Return yes or no, given as such or as the text a template makes of it.

    :raises KalturaConfigurationError: it is neither.
    """
    found = _FLAGS.get(str(value).strip().lower())
    if found is None:
        raise KalturaConfigurationError(name, str(value), "is neither yes nor no", "give true or false")
    return found


def moment(value: object, name: str) -> int:
    """Return UNIX seconds for a ``datetime`` (without time zone: UTC), ISO 8601 text or a number of seconds.

    :raises KalturaConfigurationError: it is no date, or before 1980, which Kaltura takes as an offset from now.
    """
    if isinstance(value, str) and not value.strip().isdecimal():
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            fix = "write it like 2026-01-31T12:00:00+00:00"
            raise KalturaConfigurationError(name, value, "is no date", fix) from None
    if isinstance(value, datetime):
        value = int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    seconds = int(float(str(value))) if re.fullmatch(r"\d+(\.\d+)?", str(value).strip()) else -1
    if seconds <= _RELATIVE_TIME:
        raise KalturaConfigurationError(name, str(value), "is no date after 1979", "give UNIX seconds or a date")
    return seconds
