"""The watermark of an ``s3_new`` feed: what its runs have ingested, kept in Airflow's asset state store.

A run reads the watermark in *discover* and drafts the next one. *summary* commits the draft with one write, after every
item of the run is settled. If a run dies before that, the watermark stays as it was, and the next run finds the same
objects again.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from kaltura_provider.feeds.state.stored_version import check_version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from kaltura_provider.hooks.listing import S3Object

__all__ = ["StateStore", "Watermark", "WatermarkStore"]

_CURRENT, _DRAFT = "s3_new", "s3_new_draft"
VERSION = 1
_DIGEST = 12
# Airflow advises against values of more than 64 KiB. Base64 turns 3 bytes into 4.
_PER_PAGE = 48 * 1024 * 3 // 4 // _DIGEST


class StateStore(Protocol):
    """Airflow's accessor for the state of one asset."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the stored value, or ``default``."""

    def set(self, key: str, value: Any) -> None:
        """Store a value."""

    def delete(self, key: str) -> None:
        """Delete a key if it exists."""


def _digest(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=_DIGEST).digest()


@dataclass(frozen=True)
class Watermark:
    """What the runs of a feed have seen and ingested.

    :param moment: modification time, by the clock of S3, of the newest object seen so far.
    :param settled: digests of address and ETag of the ingested objects, as far back as a run looks.
    :param unsettled: digests of addresses that the next run checks again regardless of their age, because they failed
        or were still changing.
    """

    moment: dt.datetime | None = None
    settled: frozenset[bytes] = frozenset()
    unsettled: frozenset[bytes] = frozenset()

    def is_settled(self, item: S3Object) -> bool:
        """Return whether an earlier run ingested this object with this content."""
        return _digest(item.uri, item.etag) in self.settled

    def is_unsettled(self, item: S3Object) -> bool:
        """Return whether an earlier run left this object for the next one."""
        return _digest(item.uri) in self.unsettled

    def after(
        self, objects: Sequence[S3Object], taken: Collection[str], unstable: Iterable[S3Object], overlap: dt.timedelta
    ) -> Watermark:
        """Return the watermark that is valid after a run has ingested its items.

        :param objects: all objects that the run listed.
        :param taken: the addresses of the objects that the run ingests.
        :param unstable: the objects that the run leaves for the next one.
        """
        moments = [item.modified for item in objects if item.modified]
        newest = max([*moments, *([self.moment] if self.moment else [])], default=None)
        settled = frozenset(
            _digest(item.uri, item.etag)
            for item in objects
            if (item.uri in taken or self.is_settled(item))
            and (newest is None or item.modified is None or item.modified > newest - overlap)
        )
        return Watermark(newest, settled, frozenset(_digest(item.uri) for item in unstable))


class WatermarkStore:
    """Stores the watermark of a feed and the draft of its successor."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def read(self) -> Watermark:
        """Return the watermark. It is empty before the first run is settled.

        :raises NewerData: a newer version of this package wrote it.
        """
        record = self._store.get(_CURRENT)
        if record is None:
            return Watermark()
        check_version(record, VERSION, "watermark of an s3_new feed")
        moment = dt.datetime.fromisoformat(record["moment"]) if record["moment"] else None
        return Watermark(moment, self._read_pages(record["settled"]), self._read_pages(record["unsettled"]))

    def draft(self, watermark: Watermark, run_id: str) -> None:
        """Store the watermark that a run will commit. An older draft that was never committed is deleted."""
        current = self._store.get(_CURRENT) or {}
        self._delete(current.get("replaced", ()))
        older = self._store.get(_DRAFT) or {}
        if older.get("id") != current.get("id"):
            self._delete([*older.get("settled", ()), *older.get("unsettled", ())])
        name = uuid4().hex
        record = {
            "version": VERSION,
            "id": name,
            "run_id": run_id,
            "moment": watermark.moment.isoformat() if watermark.moment else None,
            "settled": self._write_pages(f"{name}_settled", watermark.settled),
            "unsettled": self._write_pages(f"{name}_unsettled", watermark.unsettled),
        }
        self._store.set(_DRAFT, record)

    def commit(self, run_id: str, failed: Iterable[str]) -> bool:
        """Turn the draft of a run into the watermark.

        :param failed: addresses of the items that failed, which the next run checks again.
        :return: ``False`` if a later run has replaced the draft.
        """
        draft = self._store.get(_DRAFT)
        if draft is None or draft["run_id"] != run_id:
            return False
        current = self._store.get(_CURRENT) or {}
        if current.get("id") == draft["id"]:
            return True
        again = self._write_pages(f"{draft['id']}_failed", [_digest(uri) for uri in failed])
        replaced = [*current.get("settled", ()), *current.get("unsettled", ())]
        self._store.set(_CURRENT, {**draft, "unsettled": [*draft["unsettled"], *again], "replaced": replaced})
        return True

    def _write_pages(self, name: str, digests: Iterable[bytes]) -> list[str]:
        ordered = sorted(digests)
        keys: list[str] = []
        for start in range(0, len(ordered), _PER_PAGE):
            key = f"s3_new_{name}_{len(keys)}"
            self._store.set(key, b64encode(b"".join(ordered[start : start + _PER_PAGE])).decode())
            keys.append(key)
        return keys

    def _read_pages(self, keys: Iterable[str]) -> frozenset[bytes]:
        content = b"".join(b64decode(self._store.get(key, "")) for key in keys)
        return frozenset(content[start : start + _DIGEST] for start in range(0, len(content), _DIGEST))

    def _delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._store.delete(key)
