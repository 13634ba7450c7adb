"""Numbers, times and names as the board writes them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from jinja2.filters import do_filesizeformat

from kaltura_provider.api.redaction import printable
from kaltura_provider.feeds.schema import DAG_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FILTERS", "byte_size", "counted", "feed_name", "file_name", "hours", "is_feed"]

_UNKNOWN = "–"  # noqa: RUF001 - tables show an en dash where a value is missing


def byte_size(value: float | None) -> str:
    """Return a number of bytes such as ``1.4 GB``; a dash if it is unknown."""
    return _UNKNOWN if value is None else do_filesizeformat(value)


def time_span(seconds: float | None) -> str:
    """Return a length of time such as ``2 h 5 min``; a dash if it is unknown."""
    if seconds is None:
        return _UNKNOWN
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


def is_feed(dag_id: str) -> bool:
    """Return whether a DAG is a feed."""
    return dag_id.startswith(DAG_PREFIX)


def feed_name(dag_id: str) -> str:
    """Return the name of a feed; the DAG's id for other DAGs."""
    return dag_id.removeprefix(DAG_PREFIX)


def file_name(uri: str) -> str:
    """Return the last part of the path of an address."""
    return uri.partition("?")[0].rstrip("/").rpartition("/")[2] or uri


def shown(value: Any) -> str:
    """Return foreign text as one line without secrets."""
    return printable(str(value))


FILTERS: dict[str, Callable[..., str]] = {
    "byte_size": byte_size,
    "time_span": time_span,
    "clock": clock,
    "hours": hours,
    "counted": counted,
    "iso": iso,
    "utc": utc,
    "feed_name": feed_name,
    "file_name": file_name,
    "shown": shown,
}
