"""The plan of a run as data: one row for each item of its source, with the decision and the reason.

Discover creates the plan and maps only the items to ingest. A dry run shows it, and the summary counts by it. A plan
can be out of date when a task starts, so the task decides again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Decision", "Plan", "PlannedItem", "files_of"]

_MOST_ROWS = 200


class Decision(StrEnum):
    """What a run does with one item. The first six need a task, the others do not."""

    NEW = "new"
    """The item is ingested."""
    UNDER_WAY = "under way"
    """An earlier run started it, and this run finishes it."""
    REPLACE = "changed: replace"
    """Its entry gets the new content."""
    FAIL = "changed: fail"
    """Its entry holds other content, and the feed treats that as a failure."""
    SIDECARS = "new sidecar files"
    """Its entry holds exactly these bytes, and its sidecar files are not all attached or have changed."""
    METADATA = "new metadata"
    """Its entry holds exactly these bytes, and its metadata at the source is new."""
    THERE = "already there"
    """Its entry is READY and holds exactly these bytes."""
    SKIP = "changed: skip"
    """Its entry holds other content and keeps it."""
    DELETED = "deleted in Kaltura"
    """It was ingested before, and somebody deleted its entry."""
    UNSTABLE = "unstable"
    """Its source is still changing it. The next run looks at it again."""
    WAITING = "waiting"
    """It cannot be ingested yet, for the given reason. A later run looks at it again."""
    IGNORED = "ignored"
    """It is left out for the given reason."""
    TO_UPDATE = "to update"
    """A row of a manifest changes its entry."""
    TO_DELETE = "to delete"
    """A row of a manifest deletes its entry."""

    @property
    def settled(self) -> bool:
        """Whether no task is needed."""
        return self not in _WITH_TASK

    @property
    def is_item(self) -> bool:
        """Whether this is about an item that the run takes from its source."""
        return self not in (Decision.IGNORED, Decision.TO_UPDATE, Decision.TO_DELETE)


_WITH_TASK = frozenset(
    (Decision.NEW, Decision.UNDER_WAY, Decision.REPLACE, Decision.FAIL, Decision.SIDECARS, Decision.METADATA)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """One item of a plan.

    :param uri: the address, with secrets in it encrypted.
    :param size: the size in bytes, if the source lists it.
    :param transfer: ``upload``, ``import`` or ``bulk``.
    :param error: why the item cannot be ingested, although its source lists it. Its task fails with this text.
    :param sidecars: files to attach to the entry, with secrets in their addresses encrypted.
    :param identity: identifies the item instead of its address.
    :param checksum: what the bytes must hash to.
    :param metadata_digest: what tells, as a mark on the entry, whether this metadata was applied.
    :param metadata_file: the file beside it that the metadata comes from: ``uri``, ``etag`` and, if it belongs to other
        items too, their addresses as ``owners``.
    :param etag: the ETag of the item, if the source lists it.
    :param contents: what tells whether any of its files has changed, for items that are set aside.
    :param reference: the reference that a task would return, if no task is needed because of what Kaltura holds.
    """

    uri: str
    decision: Decision
    name: str = ""
    tags: tuple[str, ...] = ()
    size: int | None = None
    transfer: str = "upload"
    entry_id: str | None = None
    reason: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    sidecars: tuple[Mapping[str, Any], ...] = ()
    identity: str = ""
    checksum: str = ""
    metadata_digest: str | None = None
    metadata_file: Mapping[str, Any] | None = None
    etag: str = ""
    contents: str = ""
    reference: Mapping[str, Any] | None = None

    @property
    def request(self) -> dict[str, Any]:
        """The request for a task."""
        more: dict[str, Any] = {
            "identity": self.identity,
            "checksum": self.checksum,
            "sidecars": [dict(file) for file in self.sidecars],
            "metadata_digest": self.metadata_digest,
            "metadata_file": self.metadata_file,
            "etag": self.etag,
            "contents": self.contents,
            "error": self.error,
        }
        request = {"uri": self.uri, "metadata": dict(self.metadata)}
        return request | {name: value for name, value in more.items() if value}

    def row(self) -> dict[str, Any]:
        """Return the row for people, as plain values, with secrets in the address hidden."""
        from kaltura_provider.hooks.sources import shown_address

        return {
            "uri": shown_address(self.uri),
            "decision": self.decision.value,
            "name": self.name,
            "tags": list(self.tags),
            "bytes": self.size,
            "transfer": self.transfer,
            "entry_id": self.entry_id,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions of one run, in the order of its source."""

    items: tuple[PlannedItem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def wanted(self) -> list[PlannedItem]:
        """The items that need a task."""
        return [item for item in self.items if not item.decision.settled]

    @property
    def counts(self) -> dict[str, int]:
        """The number of items per decision."""
        return dict(Counter(item.decision.value for item in self.items))

    def settled(self) -> list[dict[str, Any]]:
        """Return the references of the items that need no task because of what Kaltura holds."""
        return [dict(item.reference) for item in self.items if item.reference is not None]

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows as plain values."""
        return [item.row() for item in self.items]

    def __str__(self) -> str:
        """Return the plan as a text table with totals. At most 200 rows are shown."""
        return "\n".join(_lines(self.rows(), self.counts))


def _lines(rows: list[dict[str, Any]], counts: Mapping[str, int]) -> Iterable[str]:
    from kaltura_provider.api.redaction import printable

    for row in rows[:_MOST_ROWS]:
        size = "" if row["bytes"] is None else f"  {row['bytes']:,} bytes"
        entry = f"  entry {row['entry_id']}" if row["entry_id"] else ""
        named = f"  {row['name']!r}" if row["name"] else ""
        tags = f"  [{', '.join(row['tags'])}]" if row["tags"] else ""
        why = f"  ({row['reason']})" if row["reason"] else ""
        yield printable(f"  {row['decision']:18} {row['uri']}{size}{entry}{named}{tags}{why}")
    if len(rows) > _MOST_ROWS:
        yield f"  ... and {len(rows) - _MOST_ROWS:,} more"
    yield "  " + (", ".join(f"{count:,} {decision}" for decision, count in counts.items()) or "no items found")


def files_of(request: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the files of an item besides its own, by address.

    Each has ``etag`` (empty where no listing contained it); ``owners``, the addresses of other items that it belongs
    to, if there are any; and, if the metadata of the entry comes from it, ``metadata``, the digest of that.

    :param request: the request for a task, as :attr:`PlannedItem.request` makes it.
    """
    files = {str(file["uri"]): _file(file) for file in request.get("sidecars") or ()}
    if metadata_file := request.get("metadata_file"):
        digest = request.get("metadata_digest")
        files[str(metadata_file["uri"])] = {**_file(metadata_file), "metadata": digest}
    return files


def _file(listed: Mapping[str, Any]) -> dict[str, Any]:
    owners = listed.get("owners")
    return {"etag": str(listed.get("etag") or ""), **({"owners": list(owners)} if owners else {})}
