"""How long the media of entries is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.services.entry.view import Entry
from kaltura_provider.services.paging import list_request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["durations"]

_STATUSES = "-2,-1,0,1,2,4,5,6,7"
_FIELDS = "id,status,duration,msDuration,displayInSearch"


def durations(client: KalturaClient, entry_ids: Sequence[str]) -> dict[str, float]:
    """Return the duration in seconds of each entry that exists, whatever its status: 0 for images and documents.

    :param entry_ids: at most 500 ids, which fit one page.
    :raises KalturaError: Kaltura did not answer, or refused.
    """
    request = list_request("baseEntry", {"idIn": ",".join(entry_ids), "statusIn": _STATUSES}, fields=_FIELDS)
    listed = client.call(request.service, request.action, request.params)
    entries = map(Entry.of, listed.get("objects") or [])
    return {entry.id: entry.duration for entry in entries if not entry.deleted}
