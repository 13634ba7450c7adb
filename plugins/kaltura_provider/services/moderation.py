"""Moderation decisions about entries: approve, reject, flag."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.arguments import choose
from kaltura_provider.api.enums import ModerationStatus
from kaltura_provider.api.errors import KalturaAPIError, KalturaConfigurationError, KalturaPermanentError, api_error
from kaltura_provider.api.together import change_each
from kaltura_provider.api.wire import Request
from kaltura_provider.services.entry.view import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["Decision", "FlagType", "moderate", "read_decision"]

_BATCH = 50
_MOST_NAMED = 10


class Decision(StrEnum):
    """A moderation decision."""

    APPROVE = "approve"
    REJECT = "reject"
    FLAG = "flag"


_STATUS = {
    Decision.APPROVE: ModerationStatus.APPROVED,
    Decision.REJECT: ModerationStatus.REJECTED,
    Decision.FLAG: ModerationStatus.FLAGGED_FOR_REVIEW,
}


class FlagType(IntEnum):
    """KalturaModerationFlagType: why an entry is flagged."""

    SEXUAL_CONTENT = 1
    VIOLENT_REPULSIVE = 2
    HARMFUL_DANGEROUS = 3
    SPAM_COMMERCIALS = 4
    COPYRIGHT = 5
    TERMS_OF_USE_VIOLATION = 6


def read_decision(decision: str, flag_type: Any, comments: str | None) -> tuple[Decision, FlagType | None]:
    """Return a decision and its flag type.

    :raises KalturaConfigurationError: one is unknown or missing, or does not belong to this decision.
    """
    try:
        chosen = Decision(str(decision).strip().lower())
    except ValueError:
        raise KalturaConfigurationError("decision", decision, "is unknown", f"use {', '.join(Decision)}") from None
    if chosen is Decision.FLAG:
        return chosen, choose(FlagType, flag_type, "flag_type")
    for name, value in (("flag_type", flag_type), ("comments", comments)):
        if value:
            raise KalturaConfigurationError(name, str(value), f"does not go with {chosen.value}", "leave it out")
    return chosen, None


def moderate(
    client: KalturaClient, ids: Sequence[str], decision: Decision, flag: FlagType | None = None, comments: Any = None
) -> None:
    """Apply a decision to entries. Entries already in that state are skipped.

    :raises KalturaError: Kaltura refuses some; the error names them. The decision was applied to the others.
    """
    refused: dict[str, KalturaAPIError] = {}
    for start in range(0, len(ids), _BATCH):
        batch = _undecided(client, ids[start : start + _BATCH], decision)
        if not batch:
            continue
        requests = {entry_id: _request(entry_id, decision, flag, comments) for entry_id in batch}
        # Every flag counts; the other decisions can be made twice.
        refused |= change_each(client, requests, repeatable=decision is not Decision.FLAG).refused
    if refused:
        raise _refusal(refused)


def _undecided(client: KalturaClient, ids: Sequence[str], decision: Decision) -> list[str]:
    """Return the entries that the decision was not applied to yet, and those that cannot be read."""
    try:
        entries = client.call("baseEntry", "getByIds", {"entryIds": ",".join(ids)})
    except KalturaPermanentError:
        return list(ids)  # a narrow role may be allowed to decide but not to read
    held = {entry.id: entry.moderation for entry in map(Entry.of, entries)}
    return [entry_id for entry_id in ids if held.get(entry_id) != _STATUS[decision]]


def _refusal(refused: Mapping[str, KalturaAPIError]) -> KalturaAPIError:
    """Return one error for several: one that a retry may cure if there is one, with the entries it is about."""
    errors = list(refused.values())
    said = next((error for error in errors if not isinstance(error, KalturaPermanentError)), errors[0])
    about = [entry_id for entry_id, error in refused.items() if error.code == said.code]
    named = ", ".join(about[:_MOST_NAMED]) + (f" and {len(about) - _MOST_NAMED} more" * (len(about) > _MOST_NAMED))
    return api_error(
        said.code,
        said.message,
        {**said.details, "entries": named},
        service=said.service,
        action=said.action,
        request_id=said.request_id,
    )


def _request(entry_id: str, decision: Decision, flag: FlagType | None, comments: Any) -> Request:
    if decision is not Decision.FLAG:
        return Request("baseEntry", decision.value, {"entryId": entry_id})
    said = {"objectType": "KalturaModerationFlag", "flaggedEntryId": entry_id, "flagType": flag, "comments": comments}
    return Request("baseEntry", "flag", {"moderationFlag": said})
