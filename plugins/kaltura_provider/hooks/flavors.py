"""Adds the flavors and durations of entries to item references."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaltura_provider.api.client import KalturaClient

__all__ = ["seconds_since_start", "with_flavors"]


def with_flavors(client: KalturaClient, references: Iterable[Any]) -> list[Any]:
    """Return the references with ``flavors``, ``duration`` (seconds) and ``seconds``; other values are unchanged.

    :raises KalturaError: the flavors or durations could not be listed.
    """
    from kaltura_provider.services.entry.durations import durations
    from kaltura_provider.services.flavor_asset import list_flavors, shown_flavor

    references = list(references)
    ids = {ref["entry_id"] for ref in references if isinstance(ref, dict) and ref.get("entry_id")}
    listed = list_flavors(client, sorted(ids))
    lengths = durations(client, sorted(ids))
    found = {entry_id: [shown_flavor(flavor) for flavor in flavors] for entry_id, flavors in listed.items()}
    return [
        {
            **ref,
            "flavors": found.get(ref.get("entry_id") or "", []),
            "duration": lengths.get(ref.get("entry_id") or "") or None,
            **seconds_since_start(ref),
        }
        if isinstance(ref, dict)
        else ref
        for ref in references
    ]


def seconds_since_start(ref: Mapping[str, Any]) -> dict[str, float]:
    """Return the seconds since the item's first task started."""
    return {"seconds": round(time.time() - ref["started"], 1)} if "started" in ref else {}
