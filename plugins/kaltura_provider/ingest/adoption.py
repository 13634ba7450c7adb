"""Taking over an entry that somebody else made for the same asset, when the author asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.ingest.identity import ADOPTED_MARK, item_mark
from kaltura_provider.ingest.marks import write_marks
from kaltura_provider.ingest.settings import AdoptBy

if TYPE_CHECKING:
    from kaltura_provider.ingest.ledger import Ledger
    from kaltura_provider.ingest.model import SourceItem
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["adopt"]


def adopt(ledger: Ledger, asset: SourceItem, settings: IngestSettings) -> bool:
    """Mark the one entry that has the asset's reference id, or its name, as the asset's; say whether there was one.

    :raises ValueError: several entries fit, so that only a person can choose; or no reference id is given.
    """
    if settings.adopt_by is None:
        return False
    value = asset.metadata.reference_id
    if settings.adopt_by is AdoptBy.NAME:
        value = asset.metadata.name or asset.name
    if not value:
        raise ValueError("adopt_by: reference needs a reference_id in the metadata")
    found = [
        entry
        for entry in ledger.entries_like(settings.adopt_by, value)
        if not entry.deleted and not any(tag.startswith(item_mark("")) for tag in entry.admin_tags)
    ]
    if len(found) > 1:
        ids = ", ".join(entry.id for entry in found[:5])
        raise ValueError(
            f"{len(found)} entries have the {settings.adopt_by} {value!r} ({ids}): mark one of them by hand with the "
            f"adminTag {item_mark(asset.asset)}, or do not ask for adopt_by"
        )
    if not found:
        return False
    write_marks(ledger, found[0], asset.asset, ADOPTED_MARK)
    return True
