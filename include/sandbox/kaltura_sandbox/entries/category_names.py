"""The ``categories`` and ``categoriesIds`` of entries, kept in step with the assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.entries import store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaltura_sandbox.api.call import Call

__all__ = ["rename_entries"]


def rename_entries(call: Call, entry_ids: Iterable[str]) -> None:
    """Write the names and ids of the categories an entry is in into its record."""
    for entry_id in entry_ids:
        entry = call.tables.entries.get(entry_id)
        if entry is None:
            continue
        rows = call.tables.category_entries.find("entry = ?", (entry_id,))
        found = [call.tables.categories.get(row["categoryId"]) for row in rows]
        categories = sorted((row for row in found if row is not None), key=lambda row: row["id"])
        entry["categories"] = ",".join(row["fullName"] for row in categories)
        entry["categoriesIds"] = ",".join(str(row["id"]) for row in categories)
        store.save(call.account, entry)
