"""Asset references completed by the flavors of their entries."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaltura_provider.api.client import KalturaClient

__all__ = ["seconds_since_start", "with_flavors"]


def with_flavors(client: KalturaClient, references: Iterable[Any]) -> list[Any]:
    """Return the references with ``flavors`` and ``seconds``; what is not a reference comes back as it is.

    :raises KalturaError: the flavors could not be listed.
    """
    from kaltura_provider.services.flavor_asset import list_flavors

    references = list(references)
    ids = {ref["entry_id"] for ref in references if isinstance(ref, dict) and ref.get("entry_id")}
    found = list_flavors(client, sorted(ids)) if ids else {}
    return [
        {**ref, "flavors": found.get(ref.get("entry_id") or "", []), **seconds_since_start(ref)}
        if isinstance(ref, dict)
        else ref
        for ref in references
    ]


def seconds_since_start(ref: Mapping[str, Any]) -> dict[str, float]:
    """Return how many seconds have passed since the item's first task began."""
    return {"seconds": round(time.time() - ref["started"], 1)} if "started" in ref else {}
