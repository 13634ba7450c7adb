"""The document that an ``rss`` feed read last, with its ``ETag`` and ``Last-Modified`` for a conditional GET."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from kaltura_provider.feeds.state.stored_version import check_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaltura_provider.feeds.state.watermark import StateStore

__all__ = ["KnownDocument", "ValidatorStore"]

_CURRENT, _DRAFT = "rss", "rss_draft"
VERSION = 1


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A document whose items have all been brought in: its address without secrets, and its validators."""

    address: str = ""
    etag: str = ""
    last_modified: str = ""


class ValidatorStore:
    """The document that is known, and the draft of the next one."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def read(self) -> KnownDocument:
        """Return the known document. It is empty before the first run is settled.

        :raises NewerData: a newer version of this package wrote it.
        """
        record = dict(self._store.get(_CURRENT) or {})
        check_version(record, VERSION, "known document of an rss feed")
        record.pop("version", None)
        return KnownDocument(**record)

    def draft(self, document: KnownDocument, run_id: str) -> None:
        """Store what becomes known when a run has settled."""
        self._store.set(_DRAFT, {"run_id": run_id, "document": asdict(document)})

    def commit(self, run_id: str, failed: Iterable[str]) -> bool:
        """Make the draft of a run the known document, unless an item failed: then the next run reads it again."""
        draft = self._store.get(_DRAFT)
        if draft is None or draft["run_id"] != run_id:
            return False
        if not list(failed):
            self._store.set(_CURRENT, {"version": VERSION, **draft["document"]})
        return True
