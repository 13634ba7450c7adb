"""Read values as Kaltura writes them: numbers as text, and lists as comma-separated text."""

from __future__ import annotations

import csv
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaTransportError, TransportFault
from kaltura_provider.api.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["number_or_text", "reading", "snake_case", "whole_number", "words"]

_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")
_SHOWN = 200


def whole_number(value: Any) -> int | None:
    """Return a size, count, id or time. Kaltura sends these as numbers, as text, or with a fraction.

    :raises ValueError: it is not a number.
    """
    if value in (None, ""):
        return None
    text = str(value)
    # Convert through a float only if there is a fraction: floats are exact only up to 2**53.
    return int(text) if text.lstrip("-").isdecimal() else int(float(text))


def number_or_text(value: Any) -> int | str | None:
    """Return an id: a number for Kaltura's own objects, text for those of plugins."""
    if value is None:
        return None
    text = str(value)
    return int(text) if text.lstrip("-").isdecimal() else text


def words(value: Any) -> tuple[str, ...]:
    """Return the parts of comma-separated text, such as tags."""
    parts = (part.strip() for part in str(value or "").split(","))
    return tuple(part for part in parts if part)


def snake_case(name: str) -> str:
    """Return a name of Kaltura's as Python writes it: ``sizeInBytes`` becomes ``size_in_bytes``."""
    return _CAPITAL.sub(lambda letter: f"_{letter[0].lower()}", name)


@contextmanager
def reading(kind: str) -> Iterator[None]:
    """Read an object of an answer.

    :param kind: what the object should be, for the error: ``an entry``.
    :raises KalturaTransportError: a field is missing, or has a value that it cannot have.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, csv.Error, SyntaxError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else printable(str(error), _SHOWN)
        raise KalturaTransportError(f"the answer is not {kind}: {what}", fault=TransportFault.NOT_JSON) from None
