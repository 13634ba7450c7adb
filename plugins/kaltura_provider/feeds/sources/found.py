"""What a source is asked with, and what it answers: the items of a run, and what it left out and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.feeds.watermark import Watermark

__all__ = ["Found", "FoundItem", "Search"]


@dataclass(frozen=True, slots=True)
class Search:
    """What a source has to know besides its own fields.

    :param day: the day of the run, for the placeholder ``{{ ds }}``.
    :param timezone: the time zone of dates that say none.
    :param interval: take what was modified in it (from its beginning until before its end), whatever other runs did.
    :param watermark: up to where earlier runs have come, for a source that remembers.
    :param last_try: Airflow will not run this task again if it fails.
    :param kind_known: the feed says what kind of media all its items are, so nobody has to look into them.
    :param unknown_files: what to do with objects of unknown kinds: ``ignore``, ``fail`` or ``data``.
    """

    aws_conn_id: str = "aws_default"
    http_conn_id: str | None = None
    unknown_files: str = "ignore"
    kind_known: bool = False
    last_try: bool = False
    day: date = date(1970, 1, 1)
    timezone: str = "UTC"
    interval: tuple[datetime, datetime] | None = None
    watermark: Watermark | None = None


@dataclass(frozen=True, slots=True)
class FoundItem:
    """One item of a run.

    :param uri: its address, which may hold secrets.
    :param metadata: fields of its entry that come before those of the feed.
    :param size: in bytes, where the source tells it without opening the item; so for ``etag`` and ``last_modified``.
    """

    uri: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    size: int | None = None
    etag: str = ""
    last_modified: datetime | None = None


@dataclass
class Found:
    """What a source holds for a run.

    :param place: where it looked, as logs may show it.
    :param left_out: names of what it did not take, by reason.
    :param changes: entries to change or delete, as
        :class:`~kaltura_provider.feeds.changes.KalturaChangeListedOperator` takes them.
    :param warnings: what the author of the feed should know besides.
    :param watermark: of a source that remembers, what the next run has to know once these items have settled.
    """

    place: str
    items: list[FoundItem] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    changes: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    watermark: Watermark | None = None

    @property
    def looked_at(self) -> int:
        """How many there were, taken or not."""
        return len(self.items) + len(self.changes) + sum(map(len, self.left_out.values()))
