"""How long the media of entries is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.services.entry.view import Entry
from kaltura_provider.services.paging import list_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["durations"]

_STATUSES = "-2,-1,0,1,2,4,5,6,7"
_BATCH = 100
_FIELDS = "id,status,duration,msDuration,displayInSearch"


def durations(client: KalturaClient, entry_ids: Sequence[str]) -> dict[str, float]:
    """Return the duration in seconds of each entry that exists, whatever its status: 0 for images and documents.

    :raises KalturaError: Kaltura did not answer, or refused.
    """
    found: dict[str, float] = {}
    for start in range(0, len(entry_ids), _BATCH):
        conditions = {"idIn": ",".join(entry_ids[start : start + _BATCH]), "statusIn": _STATUSES}
        entries = map(Entry.of, list_all(client, "baseEntry", conditions, fields=_FIELDS))
        found |= {entry.id: entry.duration for entry in entries if not entry.deleted}
    return found
