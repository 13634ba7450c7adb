"""What a run is going to do, as data: one row for each item that its source holds, and why.

Discover makes the plan, and maps only what it says is to be brought in; a dry run shows it; the summary counts by it.
A plan may be out of date by the time a task works on it: the task decides anew.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Decision", "Plan", "PlannedItem"]

_MOST_ROWS = 200


class Decision(StrEnum):
    """What a run does with one item. The first four are mapped to tasks, the others are settled."""

    NEW = "new"
    """It is brought in."""
    UNDER_WAY = "under way"
    """An earlier run has begun it; this one brings it to its end."""
    REPLACE = "changed: replace"
    """Its entry gets the new content."""
    FAIL = "changed: fail"
    """Its entry holds other content, and the feed says that this is a failure."""
    THERE = "already there"
    """Its entry holds exactly these bytes and is READY."""
    SKIP = "changed: skip"
    """Its entry holds other content, which it keeps."""
    DELETED = "deleted in Kaltura"
    """It was brought in before, and somebody deleted its entry."""
    IGNORED = "ignored"
    """It is not taken, for the reason given."""

    @property
    def settled(self) -> bool:
        """Whether no task is needed."""
        return self in (Decision.THERE, Decision.SKIP, Decision.DELETED, Decision.IGNORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """One item of a plan.

    :param uri: its address, fit to be stored: a secret in it is sealed.
    :param size: bytes, where the source tells it.
    :param transfer: ``upload`` or ``import``.
    :param reference: of an item that is settled in Kaltura, the reference a task would have returned.
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
    reference: Mapping[str, Any] | None = None

    @property
    def request(self) -> dict[str, Any]:
        """What a task is asked for."""
        return {"uri": self.uri, "metadata": dict(self.metadata)}

    def row(self) -> dict[str, Any]:
        """Return what people are shown, as plain values; the address without its secrets."""
        from kaltura_provider.hooks.sources import printable

        return {
            "uri": printable(self.uri),
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

    @property
    def wanted(self) -> list[PlannedItem]:
        """The items that tasks have to bring in."""
        return [item for item in self.items if not item.decision.settled]

    @property
    def counts(self) -> dict[str, int]:
        """How many items there are of each decision."""
        return dict(Counter(item.decision.value for item in self.items))

    def settled(self) -> list[dict[str, Any]]:
        """Return the references of the items that are settled in Kaltura already."""
        return [dict(item.reference) for item in self.items if item.reference is not None]

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows as plain values."""
        return [item.row() for item in self.items]

    def __str__(self) -> str:
        """Return the plan as a table of text with its sums, cut off after 200 rows."""
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
    yield "  " + (", ".join(f"{count:,} {decision}" for decision, count in counts.items()) or "nothing was found")
