"""The input of a source, and its result: the items of a run, and what it left out and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Found", "FoundItem", "Search"]

_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Search:
    """What a source needs to know besides its own fields.

    :param unknown_files: what to do with objects of unknown types: ``ignore``, ``fail`` or ``data``.
    :param kind_known: whether the feed gives the media type of all items, so their content need not be checked.
    :param last_try: whether Airflow will not retry this task if it fails.
    :param day: the day of the run, for the placeholder ``{{ ds }}``.
    :param timezone: the time zone of dates without one.
    :param interval: take the objects modified from its start until before its end, whatever other runs did.
    :param now: the moment of the search.
    :param memory: what the last settled run stored, for a source that continues where it ended: a
        :class:`~kaltura_provider.feeds.state.watermark.Watermark` or
        :class:`~kaltura_provider.feeds.state.known_document.KnownDocument`.
    :param window: the interval of the run, whether or not it asks for one.
    :param events: the payloads of the events that started the run, for a source whose runs events start.
    """

    aws_conn_id: str = "aws_default"
    http_conn_id: str | None = None
    unknown_files: str = "ignore"
    kind_known: bool = False
    last_try: bool = False
    day: date = date(1970, 1, 1)
    timezone: str = "UTC"
    interval: tuple[datetime, datetime] | None = None
    memory: Any = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    window: tuple[datetime, datetime] | None = None
    events: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class FoundItem:
    """One item of a run.

    :param uri: its address, which can contain secrets.
    :param metadata: fields of its entry, which override those of the feed.
    :param size: size in bytes. Like ``etag`` and ``last_modified``, it is set if the source lists it.
    :param newest: when the newest of its files was modified, if it has several.
    :param waiting: why the item cannot be ingested yet, although nothing is wrong; a later run looks again.
    :param error: why it cannot be ingested at all; its task fails with this text.
    :param metadata_file: ``uri``, ``size`` and ``etag`` of a JSON or YAML file with metadata of its entry, which
        overrides ``metadata``; or ``error``, why it cannot be used.
    :param sidecars: files to attach to its entry, as in :mod:`kaltura_provider.hooks.sidecars`. Their addresses
        can contain secrets. Like the metadata file, a file that belongs to other items too has ``owners``, their
        addresses.
    :param identity: identifies the item instead of its address.
    :param checksum: what its bytes must hash to (:mod:`~kaltura_provider.upload.sources.digest`).
    """

    uri: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    size: int | None = None
    etag: str = ""
    last_modified: datetime | None = None
    newest: datetime | None = None
    waiting: str = ""
    error: str = ""
    metadata_file: Mapping[str, Any] | None = None
    sidecars: tuple[Mapping[str, Any], ...] = ()
    identity: str = ""
    checksum: str = ""

    @property
    def contents(self) -> str:
        """The digest of its files, of what they hold, and of whether they can be used; empty without an ETag.

        It is another one once a file of the item has changed, has come, or is gone. Of files without ETags, only that
        they are there is known.
        """
        from kaltura_provider.ingest.identity import digest

        files = [*self.sidecars, *([self.metadata_file] if self.metadata_file else [])]
        if not self.etag:
            return ""
        known = sorted(f"{file['uri']} {file.get('etag', '')}" for file in files)
        return digest("contents", self.etag, *known, self.error)[:_LENGTH]


@dataclass
class Found:
    """What a source lists for a run.

    :param place: where the source looked, in a form that can be logged.
    :param left_out: names of the items it does not take, by reason.
    :param changes: entries to change or delete, for
        :class:`~kaltura_provider.feeds.outcome.changes.KalturaChangeListedOperator`.
    :param warnings: further messages for the author of the feed.
    :param memory: what to store for the next run after these items are settled, if the source remembers.
    :param drafted: the type of the source, if ``memory`` has been drafted for the summary to store.
    :param set_aside: the items that are not tried any more, ``[{"uri", "reason"}]``.
    """

    place: str
    items: list[FoundItem] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    changes: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    memory: Any = None
    drafted: str | None = None
    set_aside: list[dict[str, str]] = field(default_factory=list)

    @property
    def looked_at(self) -> int:
        """The number of listed items, taken or not."""
        return len(self.items) + len(self.changes) + sum(map(len, self.left_out.values()))
