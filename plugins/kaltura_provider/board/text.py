"""Numbers and times as the board writes them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FILTERS", "file_name", "sized", "spoken"]

_STEP = 1000.0
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def sized(value: float | None) -> str:
    """Return a number of bytes such as ``1.4 GB``; a dash if it is unknown."""
    if value is None:
        return "–"  # noqa: RUF001 - a dash in a table
    number, unit = float(value), 0
    while number >= _STEP and unit < len(_UNITS) - 1:
        number, unit = number / _STEP, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if unit == 0 or number >= 100 else f"{number:.1f} {_UNITS[unit]}"


def spoken(seconds: float | None) -> str:
    """Return a length of time such as ``2 h 5 min``; a dash if it is unknown."""
    if seconds is None:
        return "–"  # noqa: RUF001
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours < 1:
        return f"{minutes} min {whole % 60} s" if minutes < 10 else f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if days < 2 else f"{days} d {hours % 24} h"


def clock(seconds: float | None) -> str:
    """Return the duration of media such as ``1:02:05``."""
    if seconds is None:
        return ""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def hours(seconds: float) -> str:
    """Return seconds as hours of media, such as ``12.5``."""
    value = seconds / 3600
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def counted(number: int) -> str:
    """Return a number with separators between its thousands."""
    return f"{number:,}"


def iso(moment: dt.datetime) -> str:
    """Return a moment for the attribute of a ``<time>``, which the page shows in the reader's zone."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc(moment: dt.datetime) -> str:
    """Return a moment for readers without JavaScript."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def file_name(uri: str) -> str:
    """Return the last part of the path of an address."""
    return uri.partition("?")[0].rstrip("/").rpartition("/")[2] or uri


def shown(value: Any) -> str:
    """Return foreign text as one line without secrets."""
    return printable(str(value))


FILTERS: dict[str, Callable[..., str]] = {
    "sized": sized,
    "spoken": spoken,
    "clock": clock,
    "hours": hours,
    "counted": counted,
    "iso": iso,
    "utc": utc,
    "file_name": file_name,
    "shown": shown,
}
