"""When the wanted flavors of an entry are ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import EntryStatus, FlavorAssetStatus
from kaltura_provider.waiting.conditions.entry import EntryReady, explain_flavors, failure_of, gone
from kaltura_provider.waiting.conditions.stuck import entry_hint, entry_patience
from kaltura_provider.waiting.conditions.verdict import State, Verdict
from kaltura_provider.waiting.snapshot import EntrySnapshot, label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.services.flavor_asset import FlavorAsset

__all__ = ["EntryReadyWithFlavors", "FlavorsReady"]

_ENDED = (FlavorAssetStatus.ERROR, FlavorAssetStatus.DELETED, FlavorAssetStatus.NOT_APPLICABLE)
_WITHOUT_CONTENT = (EntryStatus.NO_CONTENT, EntryStatus.IMPORT, EntryStatus.DELETED)
_SETTLED_ENTRY = (EntryStatus.READY, EntryStatus.ERROR_CONVERTING)


@dataclass(frozen=True, slots=True)
class FlavorsReady:
    """Ready once the wanted flavors are; if none are named, once no flavor is being made any more.

    A flavor that Kaltura decides not to make (NOT_APPLICABLE, such as a 1080p version of a small video) does
    not block the wait. The source counts only if it is named (flavor params 0, tag ``source``).

    :param flavor_params_ids: flavor params that must all be ready.
    :param tags: tags that must each be on at least one ready flavor.
    :param minimum: number of ready flavors, without the source.
    :param grace: as in :class:`~kaltura_provider.waiting.conditions.entry.EntryReady`.
    """

    flavor_params_ids: Sequence[int] = ()
    tags: Sequence[str] = ()
    minimum: int = 0
    grace: float = 60.0

    def __post_init__(self) -> None:
        if self.minimum < 0:
            raise ValueError(f"minimum {self.minimum} is negative; give a number of flavors, 0 or more")
        object.__setattr__(self, "flavor_params_ids", tuple(int(number) for number in self.flavor_params_ids))
        object.__setattr__(self, "tags", tuple(tag.strip().lower() for tag in self.tags))

    def evaluate(self, snapshot: EntrySnapshot, time_in_status: float) -> Verdict:
        """Judge ``snapshot``, which has shown this status for ``time_in_status`` seconds."""
        failing = snapshot.status == EntryStatus.ERROR_CONVERTING
        check = gone if failing else failure_of
        if problem := check(snapshot, time_in_status, self.grace):
            return problem
        if snapshot.flavors is None:
            return Verdict.waiting(f"entry {snapshot.id} is {snapshot.describe}")
        verdict = _worst(self._parts(snapshot), snapshot)
        if failing and verdict.state is State.WAITING:
            # No more flavors are made for a failed entry.
            return Verdict.failed(
                f"Kaltura could not convert entry {snapshot.id} (ERROR_CONVERTING){explain_flavors(snapshot)}"
            )
        return verdict

    def needs_flavors(self, snapshot: EntrySnapshot) -> bool:
        """Return whether flavors may have changed. They exist as soon as there is content."""
        return isinstance(snapshot.status, int) and snapshot.status not in _WITHOUT_CONTENT

    def hint(self, snapshot: EntrySnapshot) -> str:
        """Return the usual reason why flavors are missing, and what to do."""
        if snapshot.status == EntryStatus.READY:
            return (
                "the entry is playable but these flavors are still being made: look at its flavors in the KMC, and "
                "that its conversion profile makes them."
            )
        return entry_hint(snapshot)

    def patience(self, snapshot: EntrySnapshot) -> float:
        """Return the seconds after which an entry in this status counts as stuck."""
        return entry_patience(snapshot)

    def _parts(self, snapshot: EntrySnapshot) -> list[Verdict]:
        flavors = [f for f in snapshot.flavors or () if f.status != FlavorAssetStatus.DELETED]
        settled = snapshot.status in _SETTLED_ENTRY and not any(_moving(flavor) for flavor in flavors)
        parts = [self._params(number, flavors, settled) for number in self.flavor_params_ids]
        parts += [self._tag(tag, flavors, settled) for tag in self.tags]
        if self.minimum:
            parts.append(self._count(flavors, settled))
        if not parts:
            parts.append(_all(snapshot, flavors, settled))
        return parts

    def _params(self, number: int, flavors: Sequence[FlavorAsset], settled: bool) -> Verdict:
        own = [flavor for flavor in flavors if flavor.params_id == number]
        return _any_of(own, f"flavor params {number}", settled)

    def _tag(self, tag: str, flavors: Sequence[FlavorAsset], settled: bool) -> Verdict:
        own = [flavor for flavor in flavors if tag in flavor.tags]
        return _any_of(own, f"tag {tag}", settled)

    def _count(self, flavors: Sequence[FlavorAsset], settled: bool) -> Verdict:
        made = [flavor for flavor in flavors if flavor.usable and not flavor.original]
        if len(made) >= self.minimum:
            return Verdict.ready()
        text = f"{len(made)} of at least {self.minimum} flavors are ready"
        return Verdict.failed(f"{text} and no more are being made") if settled else Verdict.waiting(text)


@dataclass(frozen=True, slots=True)
class EntryReadyWithFlavors(EntryReady):
    """Ready once the entry is, and its required flavors are.

    :param flavor_params_ids: flavor params that must all be ready; none are required by default.
    """

    flavor_params_ids: Sequence[int] = ()

    def evaluate(self, snapshot: EntrySnapshot, time_in_status: float) -> Verdict:
        """Judge ``snapshot``, which has shown this status for ``time_in_status`` seconds."""
        verdict = EntryReady.evaluate(self, snapshot, time_in_status)
        if verdict.state is not State.READY or not self.flavor_params_ids:
            return verdict
        flavors = self._flavors.evaluate(snapshot, time_in_status)
        return verdict if flavors.state is State.READY else flavors

    def needs_flavors(self, snapshot: EntrySnapshot) -> bool:
        """Return whether the flavors are needed to judge this snapshot."""
        required = bool(self.flavor_params_ids) and self._flavors.needs_flavors(snapshot)
        return required or EntryReady.needs_flavors(self, snapshot)

    def hint(self, snapshot: EntrySnapshot) -> str:
        """Return the usual reason why an entry stays in this status, and what to do."""
        return self._flavors.hint(snapshot) if self.flavor_params_ids else EntryReady.hint(self, snapshot)

    @property
    def _flavors(self) -> FlavorsReady:
        return FlavorsReady(self.flavor_params_ids, grace=self.grace)


def _moving(flavor: FlavorAsset) -> bool:
    return not flavor.usable and flavor.status not in _ENDED


def _any_of(flavors: Sequence[FlavorAsset], name: str, settled: bool) -> Verdict:
    """Judge the flavors that match one requirement: one that is ready is enough."""
    if any(flavor.usable for flavor in flavors):
        return Verdict.ready()
    if any(_moving(flavor) for flavor in flavors):
        return Verdict.waiting(f"{name} is {', '.join(label(f.status) for f in flavors if _moving(f))}")
    if any(flavor.status == FlavorAssetStatus.NOT_APPLICABLE for flavor in flavors):
        return Verdict.ready()
    if flavors:
        return Verdict.failed(f"{name} could not be made: {'; '.join(flavor.describe for flavor in flavors)}")
    if settled:
        return Verdict.failed(f"no flavor has {name}: check that the entry's conversion profile makes one")
    return Verdict.waiting(f"{name} does not exist yet")


def _all(snapshot: EntrySnapshot, flavors: Sequence[FlavorAsset], settled: bool) -> Verdict:
    if settled and any(flavor.usable for flavor in flavors):
        return Verdict.ready()
    if settled:
        return Verdict.failed(f"entry {snapshot.id} has no flavor that is ready" + explain_flavors(snapshot))
    moving = [flavor for flavor in flavors if _moving(flavor)]
    return Verdict.waiting(f"{len(moving)} of {len(flavors)} flavors are being made" if moving else snapshot.describe)


def _worst(parts: Iterable[Verdict], snapshot: EntrySnapshot) -> Verdict:
    """Combine the verdicts: one failure fails, one wait waits."""
    verdicts = list(parts)
    for state, make in ((State.FAILED, Verdict.failed), (State.WAITING, Verdict.waiting)):
        reasons = [verdict.reason for verdict in verdicts if verdict.state is state]
        if reasons:
            return make(f"entry {snapshot.id}: {'; '.join(reasons)}")
    ready = [flavor.id for flavor in snapshot.flavors or () if flavor.usable]
    return Verdict.ready({"status": _plain(snapshot.status), "flavors": ready})


def _plain(status: int | str | None) -> int | str | None:
    return int(status) if isinstance(status, int) else status
