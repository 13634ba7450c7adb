"""Read entries: 500 per call, flavors only if needed, and a second look at missing entries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kaltura_provider.api.errors import KalturaAPIError
from kaltura_provider.api.wire import Request
from kaltura_provider.services.flavor_asset import FlavorAsset
from kaltura_provider.waiting.polling.readers import BATCH, Answers, Calls, batches, pages, read_one_by_one
from kaltura_provider.waiting.snapshot import ENTRY_FIELDS, FLAVOR_FIELDS, EntrySnapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kaltura_provider.waiting.conditions.verdict import EntryCondition

__all__ = ["EntryReader"]

FLAVOR_BATCH: Final = 100
"""Number of entries whose flavors are listed in one call. A profile makes about ten flavors per entry."""
FLAVOR_AGE: Final = 60.0
"""Seconds after which flavors are read again even if their entry did not change. Not every flavor updates it."""


@dataclass(frozen=True, slots=True)
class _Known:
    entry: EntrySnapshot
    flavors: tuple[FlavorAsset, ...]
    read_at: float


class EntryReader:
    """Reads entries with ``baseEntry.getByIds``, which returns every status except deleted."""

    batch = BATCH

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def read(self, wanted: Mapping[str, Sequence[EntryCondition]], now: float) -> Calls[Answers]:
        """Yield the calls that read these entries, with flavors for the conditions that need them."""
        answers = yield Request(
            "baseEntry",
            "getByIds",
            {"entryIds": ",".join(wanted), "responseProfile": {"type": 1, "fields": ENTRY_FIELDS}},
        )
        entries = {snapshot.id: snapshot for snapshot in map(EntrySnapshot.of, answers)}
        missing = [entry_id for entry_id in wanted if entry_id not in entries]
        confirmed, refused = yield from self._confirm(missing)
        entries |= confirmed
        entries |= yield from self._with_flavors(entries, wanted, now)
        return {**entries, **refused}

    def keep(self, ids: Iterable[str]) -> None:
        """Forget the flavors of all entries but these."""
        kept = set(ids)
        self._known = {entry_id: known for entry_id, known in self._known.items() if entry_id in kept}

    def _confirm(self, missing: Sequence[str]) -> Calls[tuple[dict[str, EntrySnapshot], dict[str, KalturaAPIError]]]:
        """Read each entry with a list by id, which has no default filters and includes deleted entries."""
        found: dict[str, EntrySnapshot] = {}
        refused: dict[str, KalturaAPIError] = {}
        profile = {"type": 1, "fields": ENTRY_FIELDS}
        answers = yield from read_one_by_one(
            {
                entry_id: Request("baseEntry", "list", {"filter": {"idEqual": entry_id}, "responseProfile": profile})
                for entry_id in missing
            }
        )
        for entry_id, answer in answers.items():
            if isinstance(answer, KalturaAPIError):
                refused[entry_id] = answer
            else:
                shown = answer.get("objects") or []
                found[entry_id] = EntrySnapshot.of(shown[0]) if shown else EntrySnapshot.absent(entry_id)
        return found, refused

    def _with_flavors(
        self,
        entries: Mapping[str, EntrySnapshot],
        wanted: Mapping[str, Sequence[EntryCondition]],
        now: float,
    ) -> Calls[dict[str, EntrySnapshot]]:
        asked = {
            entry_id: entry
            for entry_id, entry in entries.items()
            if any(condition.needs_flavors(entry) for condition in wanted.get(entry_id, ()))
        }
        stale = {entry_id: entry for entry_id, entry in asked.items() if self._is_stale(entry, now)}
        for part in batches(stale, FLAVOR_BATCH):
            owners = sorted({entry.flavor_owner for entry in part.values()})
            answers = yield from pages("flavorAsset", {"entryIdIn": ",".join(owners)}, FLAVOR_FIELDS)
            flavors = [FlavorAsset.of(answer) for answer in answers]
            for entry_id, entry in part.items():
                own = tuple(flavor for flavor in flavors if flavor.entry_id == entry.flavor_owner)
                self._known[entry_id] = _Known(entry, own, now)
        return {entry_id: replace(entry, flavors=self._known[entry_id].flavors) for entry_id, entry in asked.items()}

    def _is_stale(self, entry: EntrySnapshot, now: float) -> bool:
        known = self._known.get(entry.id)
        return known is None or known.entry != entry or now - known.read_at >= FLAVOR_AGE
