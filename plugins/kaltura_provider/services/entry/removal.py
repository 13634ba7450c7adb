"""Deleting, recycling and restoring entries: by id, or by a filter that finds at most a given number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaConfigurationError,
    KalturaNotFoundError,
    KalturaPermanentError,
)
from kaltura_provider.api.together import change_each
from kaltura_provider.api.wire import Request
from kaltura_provider.services.entry.listing import walk
from kaltura_provider.services.entry.view import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["Removal", "act_on_entries", "find_limited"]

_BATCH = 50


class Removal(StrEnum):
    """What is done to entries."""

    DELETE = "delete"
    RECYCLE = "recycle"
    RESTORE = "restore"

    @property
    def action(self) -> str:
        """The action of ``baseEntry``."""
        return "restoreRecycled" if self is Removal.RESTORE else self.value


# Kaltura's error if the entry is already in that state.
_DONE_ALREADY = {
    Removal.DELETE: "ENTRY_ID_NOT_FOUND",
    Removal.RECYCLE: "INVALID_ENTRY_STATUS_FOR_RECYCLE",
    Removal.RESTORE: "INVALID_ENTRY_STATUS_FOR_RESTORE",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Entry ids by result: ``done``, ``missing`` (the entry does not exist), ``failed`` with Kaltura's reason."""

    done: list[str]
    missing: list[str]
    failed: dict[str, str]
    retry: KalturaAPIError | None = None


def find_limited(client: KalturaClient, wanted: Mapping[str, Any], maximum: int) -> list[dict[str, Any]]:
    """Return the entries that a filter finds (id, name, createdAt), at most ``maximum``.

    :raises KalturaConfigurationError: it finds more. :raises KalturaError: as :func:`~.listing.walk`.
    """
    found = list(islice(walk(client, wanted, fields=("id", "name", "createdAt")), maximum + 1))
    if len(found) > maximum:
        raise KalturaConfigurationError(
            "filter", None, f"finds more than max_entries ({maximum}) entries", "narrow it, or raise max_entries"
        )
    return found


def act_on_entries(client: KalturaClient, ids: Sequence[str], removal: Removal) -> Outcome:
    """Delete, recycle or restore entries. Entries already in that state are skipped.

    A failure does not affect the other entries.

    :return: the result of each; ``retry`` is an error that a retry may cure, if there was one.
    :raises KalturaError: Kaltura cannot be asked, or has no recycle bin.
    """
    outcome = Outcome([], [], {})
    retry: KalturaAPIError | None = None
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        requests = {entry_id: Request("baseEntry", removal.action, {"entryId": entry_id}) for entry_id in batch}
        # Doing it twice has the same effect as doing it once.
        made = change_each(client, requests, repeatable=True)
        outcome.done.extend(made.done)
        for entry_id, result in made.refused.items():
            if result.code == "FEATURE_RECYCLE_BIN_DISABLED":
                raise result
            elif isinstance(result, KalturaNotFoundError):
                outcome.missing.append(entry_id)
            elif result.code == _DONE_ALREADY[removal] and _is_there(client, entry_id, removal):
                outcome.done.append(entry_id)
            else:
                outcome.failed[entry_id] = str(result)
                retry = retry or (None if isinstance(result, KalturaPermanentError) else result)
    return Outcome(outcome.done, outcome.missing, outcome.failed, retry)


def _is_there(client: KalturaClient, entry_id: str, removal: Removal) -> bool:
    """Return whether an earlier attempt already brought the entry into the wanted state."""
    entry = Entry.of(client.call("baseEntry", "get", {"entryId": entry_id}))
    return entry.recycled is (removal is Removal.RECYCLE)
