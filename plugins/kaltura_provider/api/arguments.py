"""Check arguments before anything is sent: ids by their format, enumerations by name or number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import TypeVar

from kaltura_provider.api.errors import KalturaConfigurationError

__all__ = ["asset_id", "choice", "choose", "entry_id", "entry_ids", "flag", "moment", "number", "token_id"]

_ENTRY_ID = re.compile(r"(\d{1,10}_)?[a-z0-9]{6,20}")
_TOKEN_ID = re.compile(r"\d{1,10}_[0-9a-f]{32}")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "none": False, "": False}
# Kaltura takes numbers up to ten years (in seconds) as an offset from now.
_RELATIVE_TIME = 315_360_000

EnumT = TypeVar("EnumT", bound=IntEnum)
WordT = TypeVar("WordT", bound=StrEnum)


def entry_id(value: object, name: str = "entry_id") -> str:
    """Return a checked entry id such as ``0_ab12cd34``. The reference of a source item or an entry stands for its id.

    :raises KalturaConfigurationError: the value does not have the format of an entry id; names the argument.
    """
    given = value.get("entry_id", value.get("id")) if isinstance(value, dict) else value
    return _id(given, name, _ENTRY_ID, "0_ab12cd34", "an entry id")


def asset_id(value: object, name: str = "asset_id") -> str:
    """Return the checked id of a flavor, thumbnail, caption or attachment asset; see :func:`entry_id`."""
    given = value.get("asset_id", value.get("id")) if isinstance(value, dict) else value
    return _id(given, name, _ENTRY_ID, "0_ab12cd34", "an asset id")


def token_id(value: object, name: str = "token_id") -> str:
    """Return a checked upload token id: ``0_`` and 32 hexadecimal digits. A mapping stands for its ``token_id``."""
    given = value.get("token_id") if isinstance(value, dict) else value
    return _id(given, name, _TOKEN_ID, "0_0123456789abcdef0123456789abcdef", "an upload token id")


def entry_ids(value: object, name: str = "entry_ids") -> list[str]:
    """Return checked entry ids without duplicates.

    :param value: one entry id, a list of them, or comma-separated text.
    :raises KalturaConfigurationError: a value does not have the format of an entry id, or there are none.
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
        raise KalturaConfigurationError(name, text, f"is not {what}", f"give an id such as {example}")
    return text


def choose(enumeration: type[EnumT], value: object, name: str) -> EnumT:
    """Return the member with this name (in any case) or this number (as ``int`` or text).

    :raises KalturaConfigurationError: the value is not a member; the message lists all members.
    """
    text = str(int(value) if isinstance(value, (IntEnum, bool)) else value).strip()
    for member in enumeration:
        if text == str(int(member)) or re.sub(r"[\s-]+", "_", text).upper() == member.name:
            return member
    known = ", ".join(f"{member.name.lower()} ({int(member)})" for member in enumeration)
    raise KalturaConfigurationError(name, text, "is unknown", f"use one of {known}")


def choice(enumeration: type[WordT], value: object, name: str) -> WordT:
    """Return the member of an enumeration of words.

    :raises KalturaConfigurationError: there is none; lists those there are.
    """
    try:
        return enumeration(str(value))
    except ValueError:
        raise KalturaConfigurationError(
            name, str(value), "is unknown", f"use one of {', '.join(enumeration)}"
        ) from None


def number(value: object, name: str, *, minimum: int = 0, maximum: int | None = None) -> int:
    """Return a whole number, given as ``int`` or text.

    :raises KalturaConfigurationError: the value is not a whole number, or out of range.
    """
    text = str(value).strip()
    found = int(text) if re.fullmatch(r"-?\d+", text) and not isinstance(value, bool) else None
    if found is None or found < minimum or (maximum is not None and found > maximum):
        reach = f"of {minimum} or more" if maximum is None else f"from {minimum} to {maximum}"
        raise KalturaConfigurationError(name, text, "is out of range", f"give a whole number {reach}")
    return found


def flag(value: object, name: str) -> bool:
    """Return a boolean, given as ``bool`` or as the text that a template renders it to.

    :raises KalturaConfigurationError: the value is neither true nor false.
    """
    found = _FLAGS.get(str(value).strip().lower())
    if found is None:
        raise KalturaConfigurationError(name, str(value), "is neither true nor false", "give true or false")
    return found


def moment(value: object, name: str) -> int:
    """Return UNIX seconds.

    :param value: a ``datetime`` (UTC if it has no time zone), ISO 8601 text, or UNIX seconds.
    :raises KalturaConfigurationError: the value is not a date, or before 1980: Kaltura takes small numbers as an
        offset from the current time.
    """
    if isinstance(value, str) and not value.strip().isdecimal():
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            fix = "write it like 2026-01-31T12:00:00+00:00"
            raise KalturaConfigurationError(name, value, "is not a date", fix) from None
    if isinstance(value, datetime):
        value = int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    seconds = int(float(str(value))) if re.fullmatch(r"\d+(\.\d+)?", str(value).strip()) else -1
    if seconds <= _RELATIVE_TIME:
        raise KalturaConfigurationError(name, str(value), "is not a date after 1979", "give UNIX seconds or a date")
    return seconds
