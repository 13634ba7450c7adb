"""Wait for entries to be ready, for their flavors, or for a moderator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kaltura_provider.hooks.flavors import with_flavors
from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink, push_links
from kaltura_provider.sensors.base import KalturaSensor
from kaltura_provider.sensors.targets import Targets
from kaltura_provider.waiting.conditions.entry import EntryReady
from kaltura_provider.waiting.conditions.moderation import EntryModerated
from kaltura_provider.waiting.snapshot import TokenSnapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.triggers.entry import (
        KalturaEntryReadyTrigger,
        KalturaFlavorReadyTrigger,
        KalturaModerationTrigger,
    )

__all__ = ["KalturaEntryReadySensor", "KalturaFlavorReadySensor", "KalturaModerationSensor"]

READY = 2
_UNDER_WAY = ("sent", "importing", "replacing")
_LEDGER_FIELDS = {"uri", "name", "size", "item_id", "content_id"}
_MOST_TOKENS = 5


class _EntrySensor(KalturaSensor):
    template_fields: Sequence[str] = ("entry", *KalturaSensor.template_fields)
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())

    def __init__(self, *, entry: Any, grace: float = 60.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry = entry
        self.grace = grace

    def subject(self) -> Targets:
        """Return the entries."""
        return Targets(self.entry, name="entry", key="entry_id", is_settled=self.is_settled)

    def is_settled(self, reference: Mapping[str, Any]) -> bool:
        """Tell whether an asset reference says already what is waited for."""
        return False

    def update(self, reference: dict[str, Any], result: Any) -> dict[str, Any]:
        """Return the reference with the entry's status."""
        return {**reference, "entry_status": result["status"] if isinstance(result, dict) else result}

    def begin(self, context: Context, subject: Targets) -> None:
        """Make the task's links lead to the first entry."""
        push_links(context, self.hook.account, subject.ids[0])


class KalturaEntryReadySensor(_EntrySensor):
    """Wait until entries are READY and hold content; fail with Kaltura's reason when they never will.

    :param entry: an entry id, an asset reference as the other operators return it, or a list of either. References
        that failed or were skipped before, or are known to be READY, are handed on without a look.
    :param moderation: what an entry that a moderator has not approved is: ``"ready"``, ``"wait"`` or ``"fail"``.
    :param replacement: ``"wait"`` for new content that is replacing the old, or ``"ignore"`` it.
    :param grace: seconds that ERROR_IMPORTING, or an entry Kaltura does not show, must last before it is believed.
    :param flavors: list the flavors too when the wait is over, in one call: each asset reference then has ``flavors``
        and ``seconds``, as :class:`~kaltura_provider.operators.flavors.KalturaListFlavorsOperator` returns them.
    :return: for an entry id, the id (``None`` if it failed and may); for a list of ids
        ``{"ready": [id], "failed": {id: reason}}``; for an asset reference, the reference with ``entry_status`` and
        ``state`` as they are now (``done``, or ``failed`` with ``error``), for a list of them a list. A reference whose
        content Kaltura was still taking over (``importing``, ``replacing``) is confirmed: its entry gets the mark that
        says which content it holds.
    :raises AirflowFailException: an entry failed for good: the message is the reason Kaltura gives.
    :raises AirflowSensorTimeout: the time is up: the message says what was missing and the usual cause.

    The other arguments are :class:`~kaltura_provider.sensors.base.KalturaSensor`'s.
    """

    def __init__(
        self,
        *,
        moderation: Literal["ready", "wait", "fail"] = "ready",
        replacement: Literal["wait", "ignore"] = "wait",
        flavors: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        EntryReady(moderation=moderation, replacement=replacement, grace=self.grace)
        self.moderation = moderation
        self.replacement = replacement
        self.flavors = flavors

    def trigger_type(self) -> type[KalturaEntryReadyTrigger]:
        """Return the trigger that waits for entries."""
        from kaltura_provider.triggers.entry import KalturaEntryReadyTrigger

        return KalturaEntryReadyTrigger

    def condition(self) -> dict[str, Any]:
        """Return the arguments of ``EntryReady``."""
        return {"moderation": self.moderation, "replacement": self.replacement, "grace": self.grace}

    def is_settled(self, reference: Mapping[str, Any]) -> bool:
        """Tell whether the entry was seen READY with these bytes, and no moderator is waited for."""
        done = reference.get("state") == "done" and reference.get("entry_status") == READY
        return done and self.moderation == "ready"

    def finish(self, result: Any) -> Any:
        """Confirm references whose content Kaltura was still taking over (they become ``done``); list flavors."""
        references = result if isinstance(result, list) else [result]
        settled = [self._settled(reference) for reference in references]
        if self.flavors:
            settled = with_flavors(self.hook.get_conn(), settled)
        return settled if isinstance(result, list) else settled[0]

    def _settled(self, reference: Any) -> Any:
        if not isinstance(reference, dict) or reference.get("state") not in _UNDER_WAY:
            return reference
        if reference.get("entry_status") != READY or not reference.keys() >= _LEDGER_FIELDS:
            return reference
        from kaltura_provider.ingest.confirmation import confirm
        from kaltura_provider.ingest.item import ItemRef

        confirmed = confirm(self.hook.get_conn(), ItemRef.from_dict(reference))
        return {**reference, **confirmed.to_dict()}

    def explain_timeout(self, subject: Targets, waiting: Mapping[str, str]) -> str:
        """Return how much of the uploads that are waited for has arrived."""
        from kaltura_provider.api.errors import KalturaError

        lines = []
        for reference in subject.waiting_references(waiting)[:_MOST_TOKENS]:
            token_id = reference.get("token_id")
            if not token_id:
                continue
            try:
                token = TokenSnapshot.of(self.hook.call("uploadToken", "get", uploadTokenId=token_id))
            except KalturaError as error:
                lines.append(f"the upload token of entry {reference['entry_id']}: {error}")
                break
            lines.append(f"the upload token of entry {reference['entry_id']} is {token.describe}")
        return "; ".join(lines)


class KalturaFlavorReadySensor(_EntrySensor):
    """Wait until the wanted flavors of entries are ready; without a wish, until none is being made any more.

    A flavor that Kaltura decides not to make (NOT_APPLICABLE) blocks nothing.

    :param entry: as for :class:`KalturaEntryReadySensor`; so is what is returned.
    :param flavor_params_ids: flavor params that must all be there (0 is the source).
    :param tags: tags of which each must be on at least one flavor that is there.
    :param minimum: so many flavors besides the source.
    """

    template_fields: Sequence[str] = (*_EntrySensor.template_fields, "flavor_params_ids", "tags", "minimum")

    def __init__(
        self,
        *,
        flavor_params_ids: Sequence[int] = (),
        tags: Sequence[str] = (),
        minimum: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.flavor_params_ids = flavor_params_ids
        self.tags = tags
        self.minimum = minimum

    def trigger_type(self) -> type[KalturaFlavorReadyTrigger]:
        """Return the trigger that waits for flavors."""
        from kaltura_provider.triggers.entry import KalturaFlavorReadyTrigger

        return KalturaFlavorReadyTrigger

    def condition(self) -> dict[str, Any]:
        """Return the arguments of ``FlavorsReady``."""
        return {
            "flavor_params_ids": [int(number) for number in _listed(self.flavor_params_ids)],
            "tags": [str(tag) for tag in _listed(self.tags)],
            "minimum": int(self.minimum),
            "grace": self.grace,
        }


class KalturaModerationSensor(_EntrySensor):
    """Wait until a moderator, or the account's rules, have approved entries; a rejection fails.

    :param entry: as for :class:`KalturaEntryReadySensor`; a reference gets ``moderation_status``.
    :param flagged: what an entry is that a viewer flagged for review: ``"wait"``, ``"ready"`` or ``"fail"``.
    """

    def __init__(self, *, flagged: Literal["wait", "ready", "fail"] = "wait", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        EntryModerated(flagged=flagged, grace=self.grace)
        self.flagged = flagged

    def trigger_type(self) -> type[KalturaModerationTrigger]:
        """Return the trigger that waits for moderation."""
        from kaltura_provider.triggers.entry import KalturaModerationTrigger

        return KalturaModerationTrigger

    def condition(self) -> dict[str, Any]:
        """Return the arguments of ``EntryModerated``."""
        return {"flagged": self.flagged, "grace": self.grace}

    def update(self, reference: dict[str, Any], result: Any) -> dict[str, Any]:
        """Return the reference with the moderation status."""
        return {**reference, "moderation_status": result}


def _listed(value: Any) -> list[Any]:
    """Return a list; text (from a template) is cut at commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.strip("[]() ").split(",") if part.strip()]
    return list(value)
