"""Values as Kaltura writes them: numbers that come as text, and lists that come as text with commas."""

from __future__ import annotations

from typing import Any

__all__ = ["number_or_text", "whole_number", "words"]


def whole_number(value: Any) -> int | None:
    """Return a size, count, id or time; Kaltura sends these as numbers, as text and with a fraction.

    :raises ValueError: it is not a number.
    """
    if value in (None, ""):
        return None
    text = str(value)
    # Through a float only where there is a fraction: a float is exact up to 2**53 only.
    return int(text) if text.lstrip("-").isdecimal() else int(float(text))


def number_or_text(value: Any) -> int | str | None:
    """Return an id that is a number for Kaltura's own objects and text for those of plugins."""
    if value is None:
        return None
    text = str(value)
    return int(text) if text.lstrip("-").isdecimal() else text


def words(value: Any) -> tuple[str, ...]:
    """Return the parts of a list that Kaltura keeps as text with commas, such as tags."""
    parts = (part.strip() for part in str(value or "").split(","))
    return tuple(part for part in parts if part)
