"""What the runs of an ``s3_new`` feed have settled, kept in Airflow's asset state store.

A run reads the watermark in *discover* and drafts its successor there. Only *summary*, when every item has settled,
makes the draft the watermark, with one write. A run that dies in between leaves the watermark as it was, and the next
one finds the same objects again.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from kaltura_provider.hooks.listing import S3Object

__all__ = ["LOOKED_KEY", "StateStore", "Watermark", "WatermarkStore"]

LOOKED_KEY = "watermark_drafted"
"""XCom by which discover tells summary that there is a draft."""

_CURRENT, _DRAFT = "s3_new", "s3_new_draft"
_DIGEST = 12
# Airflow advises against values of more than 64 KiB; Base64 makes 4 bytes of 3.
_PER_PAGE = 48 * 1024 * 3 // 4 // _DIGEST


class StateStore(Protocol):
    """Airflow's accessor to the state of one asset."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return what is stored, or ``default``."""

    def set(self, key: str, value: Any) -> None:
        """Store a value."""

    def delete(self, key: str) -> None:
        """Delete a key, if it is there."""


def _digest(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=_DIGEST).digest()


@dataclass(frozen=True)
class Watermark:
    """Up to where a feed has come.

    :param moment: when the newest object that was seen was modified, by the clock of S3.
    :param settled: digests of address and ETag of the objects brought in, as far back as a run looks.
    :param unsettled: digests of the addresses that are looked at again, however old they are: they failed, or were
        still changing.
    """

    moment: dt.datetime | None = None
    settled: frozenset[bytes] = frozenset()
    unsettled: frozenset[bytes] = frozenset()

    def is_settled(self, item: S3Object) -> bool:
        """Whether an earlier run has brought in this object with this content."""
        return _digest(item.uri, item.etag) in self.settled

    def is_unsettled(self, item: S3Object) -> bool:
        """Whether an earlier run could not bring in this object."""
        return _digest(item.uri) in self.unsettled

    def after(
        self, objects: Sequence[S3Object], taken: Collection[str], unstable: Iterable[S3Object], overlap: dt.timedelta
    ) -> Watermark:
        """Return the watermark once a run has brought in what it takes.

        :param objects: all that it saw. :param taken: addresses of what it takes.
        :param unstable: what it leaves for the next run.
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
    """The watermark of a feed and the draft of the next one."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def read(self) -> Watermark:
        """Return the watermark; an empty one before the first run has settled."""
        record = self._store.get(_CURRENT)
        if record is None:
            return Watermark()
        moment = dt.datetime.fromisoformat(record["moment"]) if record["moment"] else None
        return Watermark(moment, self._read_pages(record["settled"]), self._read_pages(record["unsettled"]))

    def draft(self, watermark: Watermark, run_id: str) -> None:
        """Store what becomes the watermark when a run has settled. An older draft that never did is deleted."""
        current = self._store.get(_CURRENT) or {}
        self._delete(current.get("replaced", ()))
        older = self._store.get(_DRAFT) or {}
        if older.get("id") != current.get("id"):
            self._delete([*older.get("settled", ()), *older.get("unsettled", ())])
        name = uuid4().hex
        record = {
            "id": name,
            "run_id": run_id,
            "moment": watermark.moment.isoformat() if watermark.moment else None,
            "settled": self._write_pages(f"{name}_settled", watermark.settled),
            "unsettled": self._write_pages(f"{name}_unsettled", watermark.unsettled),
        }
        self._store.set(_DRAFT, record)

    def commit(self, run_id: str, failed: Iterable[str]) -> bool:
        """Make the draft of a run the watermark.

        :param failed: addresses of the items that are not in; the next run looks at them again.
        :return: whether it is the watermark; not so if a later run has drafted another one since.
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
