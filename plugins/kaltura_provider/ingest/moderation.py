"""A moderator's decisions about entries."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.arguments import choose
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.wire import Request, first_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["Decision", "FlagType", "moderate", "read_decision"]

_BATCH = 50


class Decision(StrEnum):
    """What a moderator decides."""

    APPROVE = "approve"
    REJECT = "reject"
    FLAG = "flag"


class FlagType(IntEnum):
    """KalturaModerationFlagType: why an entry is flagged."""

    SEXUAL_CONTENT = 1
    VIOLENT_REPULSIVE = 2
    HARMFUL_DANGEROUS = 3
    SPAM_COMMERCIALS = 4
    COPYRIGHT = 5
    TERMS_OF_USE_VIOLATION = 6


def read_decision(decision: str, flag_type: Any, comments: str | None) -> tuple[Decision, FlagType | None]:
    """Return a decision and its flag.

    :raises KalturaConfigurationError: one is unknown, missing, or of no use.
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
    """Carry out a decision on entries.

    :raises KalturaError: the first refusal; the other entries have been dealt with all the same.
    """
    for start in range(0, len(ids), _BATCH):
        requests = [_request(entry_id, decision, flag, comments) for entry_id in ids[start : start + _BATCH]]
        # Each flag counts; the other decisions are the same when made twice.
        error = first_error(client.multirequest(requests, repeatable=decision is not Decision.FLAG))
        if error is not None:
            raise error


def _request(entry_id: str, decision: Decision, flag: FlagType | None, comments: Any) -> Request:
    if decision is not Decision.FLAG:
        return Request("baseEntry", decision.value, {"entryId": entry_id})
    said = {"objectType": "KalturaModerationFlag", "flaggedEntryId": entry_id, "flagType": flag, "comments": comments}
    return Request("baseEntry", "flag", {"moderationFlag": said})
