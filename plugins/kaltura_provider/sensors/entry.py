"""Sensors that wait for entries: for content, flavors or moderation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kaltura_provider.api.enums import EntryStatus, ModerationStatus, named_status
from kaltura_provider.hooks.batch import raise_retryable
from kaltura_provider.hooks.flavors import with_flavors
from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.links.entry import ENTRY_LINKS, begin_links, push_links
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

_UNDER_WAY = ("sent", "importing", "replacing")
_LEDGER_FIELDS = {"uri", "name", "size", "item_id", "content_id"}
_MAX_TOKENS = 5


@renamed_arguments({"entry": "entry_id"})
class _EntrySensor(KalturaSensor):
    template_fields: Sequence[str] = ("entry_id", *KalturaSensor.template_fields)
    operator_extra_links = ENTRY_LINKS

    def __init__(self, *, entry_id: Any, grace: float = 60.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.grace = grace

    def subject(self) -> Targets:
        """Return the entries."""
        return Targets(self.entry_id, name="entry_id", key="entry_id", is_settled=self.is_settled)

    def is_settled(self, reference: Mapping[str, Any]) -> bool:
        """Return whether an item reference shows that there is no need to wait."""
        return False

    def update(self, reference: dict[str, Any], result: Any) -> dict[str, Any]:
        """Return the reference with the entry's status."""
        status = result["status"] if isinstance(result, dict) else result
        return {**reference, **named_status(EntryStatus, status)}

    def execute(self, context: Context) -> Any:
        """Wait in the triggerer or on this worker."""
        begin_links(context)
        return super().execute(context)

    def begin(self, context: Context, subject: Targets) -> None:
        """Point the task's links at the first entry."""
        push_links(context, self.hook.account, subject.ids[0])


class KalturaEntryReadySensor(_EntrySensor):
    """Wait until entries are READY and hold content; fail with Kaltura's reason if they never will be.

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas. Item references that failed or were skipped earlier, or are known to be READY, are passed on unchecked.
    :param moderation: how to treat an entry that a moderator has not approved: ``"ready"``, ``"wait"`` or ``"fail"``.
    :param replacement: ``"wait"`` for new content that is replacing the old, or ``"ignore"`` it.
    :param grace: seconds that ERROR_IMPORTING, or an entry Kaltura does not find, must last to count as a failure.
    :param flavors: whether to list the flavors too when the wait is over: each result of another operator then has
        ``flavors`` and ``seconds``, as ``KalturaListFlavorsOperator`` returns them.
    :param flavor_params_ids: flavor params that must be ready too (0 is the source). An entry that does not get one of
        them fails.
    :return: for an id, the id (``None`` if it failed and ``allow_failed`` is set); for a list of ids,
        ``{"ready": [id], "failed": {id: reason}}``; for the result of another operator, that result with ``status``,
        ``status_number`` and, in an item reference, ``state`` (``done``, or ``failed`` with ``error``); for a list of
        these, a list. If Kaltura was still importing or replacing an item's content, its entry is now marked with the
        content it holds.
    :raises AirflowFailException: an entry failed permanently. The message is the reason Kaltura gives.
    :raises AirflowSensorTimeout: the time is up. The message says what was missing and the usual cause.

    The other arguments are :class:`~kaltura_provider.sensors.base.KalturaSensor`'s.
    """

    template_fields: Sequence[str] = (*_EntrySensor.template_fields, "flavor_params_ids")

    def __init__(
        self,
        *,
        moderation: Literal["ready", "wait", "fail"] = "ready",
        replacement: Literal["wait", "ignore"] = "wait",
        flavors: bool = False,
        flavor_params_ids: Sequence[int] | str = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        EntryReady(moderation=moderation, replacement=replacement, grace=self.grace)
        self.moderation = moderation
        self.replacement = replacement
        self.flavors = flavors
        self.flavor_params_ids = flavor_params_ids

    def trigger_type(self) -> type[KalturaEntryReadyTrigger]:
        """Return the trigger that waits for entries."""
        from kaltura_provider.triggers.entry import KalturaEntryReadyTrigger

        return KalturaEntryReadyTrigger

    def condition(self) -> dict[str, Any]:
        """Return the arguments of ``EntryReadyWithFlavors``."""
        return {
            "moderation": self.moderation,
            "replacement": self.replacement,
            "grace": self.grace,
            "flavor_params_ids": _numbers(self.flavor_params_ids),
        }

    def is_settled(self, reference: Mapping[str, Any]) -> bool:
        """Return whether the entry is known to be READY with this content, and nothing else matters."""
        done = reference.get("state") == "done" and _is_ready(reference)
        return done and self.moderation == "ready" and not _listed(self.flavor_params_ids)

    def finish(self, result: Any) -> Any:
        """Confirm references whose content Kaltura was still importing (they become ``done``), and list flavors.

        :raises KalturaItemsFailed: Kaltura could not be asked about some; a retry can help.
        """
        references = result if isinstance(result, list) else [result]
        settled = self._settled(references)
        if self.flavors:
            settled = with_flavors(self.hook.get_conn(), settled)
        return settled if isinstance(result, list) else settled[0]

    def _settled(self, references: Sequence[Any]) -> list[Any]:
        places = [place for place, reference in enumerate(references) if _can_be_confirmed(reference)]
        settled = list(references)
        if places:
            from kaltura_provider.ingest.confirmation import confirm_all
            from kaltura_provider.ingest.item import ItemRef

            refs = [ItemRef.from_dict(references[place]) for place in places]
            confirmed = confirm_all(self.hook.get_conn(), refs)
            raise_retryable(confirmed)
            for place, ref in zip(places, confirmed, strict=True):
                settled[place] = {**references[place], **ref.to_dict()}
        return settled

    def explain_timeout(self, subject: Targets, waiting: Mapping[str, str]) -> str:
        """Return how much of the pending uploads has arrived."""
        from kaltura_provider.api.errors import KalturaError

        lines = []
        for reference in subject.waiting_references(waiting)[:_MAX_TOKENS]:
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
    """Wait until the requested flavors of entries are ready. By default, wait until no flavor is being made any more.

    A flavor that Kaltura decides not to make (NOT_APPLICABLE) is not waited for.

    :param entry_id: as for :class:`KalturaEntryReadySensor`, as is the result.
    :param flavor_params_ids: flavor params that must all be ready (0 is the source).
    :param tags: tags, each of which at least one ready flavor must have.
    :param minimum: number of flavors besides the source.
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
            "flavor_params_ids": _numbers(self.flavor_params_ids),
            "tags": [str(tag) for tag in _listed(self.tags)],
            "minimum": int(self.minimum),
            "grace": self.grace,
        }


class KalturaModerationSensor(_EntrySensor):
    """Wait until a moderator or the account's rules have approved entries. A rejection fails the task.

    :param entry_id: as for :class:`KalturaEntryReadySensor`. The result has ``moderation_status`` and
        ``moderation_status_number``.
    :param flagged: how to treat an entry that a viewer flagged for review: ``"wait"``, ``"ready"`` or ``"fail"``.
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
        return {**reference, **named_status(ModerationStatus, result, "moderation_status")}


def _can_be_confirmed(reference: Any) -> bool:
    if not isinstance(reference, dict) or reference.get("state") not in _UNDER_WAY:
        return False
    return _is_ready(reference) and reference.keys() >= _LEDGER_FIELDS


def _is_ready(reference: Mapping[str, Any]) -> bool:
    return reference.get("status_number") == EntryStatus.READY


def _numbers(value: Any) -> list[int]:
    return [int(number) for number in _listed(value)]


def _listed(value: Any) -> list[Any]:
    """Return a list; text from a template is split at commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.strip("[]() ").split(",") if part.strip()]
    return list(value)
