"""Categories named on an entry: found by full name or id, made when an ADMIN session names new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import split
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import Record

__all__ = ["assign", "category_by_name", "new_category", "resolve_categories", "unassign"]

_LIMIT = 32


def resolve_categories(call: Call, entry: Record, names: str | None, ids: str | None) -> None:
    """Set an entry's categories by full names (``A>B,C``) or by ids."""
    if call.has("privacycontext"):
        raise KalturaError("ENTRY_CATEGORY_FIELD_IS_DEPRECATED")
    wanted = (
        [_by_id(call, text) for text in split(ids)]
        if ids
        else [category_by_name(call, name) for name in split(names or "")]
    )
    if len(wanted) > _LIMIT:
        raise KalturaError("MAX_CATEGORIES_FOR_ENTRY_REACHED", _LIMIT)
    for row in call.tables.category_entries.find("entry = ?", (entry["id"],)):
        call.tables.category_entries.delete(row["id"])
    for category in wanted:
        assign(call, entry["id"], category)
    entry["categories"] = ",".join(category["fullName"] for category in wanted)
    entry["categoriesIds"] = ",".join(str(category["id"]) for category in wanted)


def _by_id(call: Call, text: str) -> Record:
    category = call.tables.categories.get(int(text)) if text.isdigit() else None
    if category is None:
        raise KalturaError("CATEGORY_NOT_FOUND", text)
    return category


def category_by_name(call: Call, full_name: str) -> Record:
    """Return the category of a full name; missing ones, parents too, are made for ADMIN sessions."""
    found = call.tables.categories.first("full_name = ?", (full_name,))
    if found is not None:
        return found
    if not call.is_admin:
        raise KalturaError("PROPERTY_VALIDATION_ADMIN_PROPERTY", "categories")
    parent_name, _, name = full_name.rpartition(">")
    parent = category_by_name(call, parent_name) if parent_name else None
    return new_category(call, name, parent)


def new_category(call: Call, name: str, parent: Record | None) -> Record:
    """Store a category below its parent."""
    number = call.account.database.next_number("category")
    now = call.account.clock.now()
    return call.tables.categories.put(
        {
            "id": number,
            "parentId": parent["id"] if parent else 0,
            "depth": parent["depth"] + 1 if parent else 0,
            "partnerId": call.partner_id,
            "name": name,
            "fullName": f"{parent['fullName']}>{name}" if parent else name,
            "fullIds": f"{parent['fullIds']}>{number}" if parent else str(number),
            "createdAt": now,
            "updatedAt": now,
            "status": 2,
        }
    )


def assign(call: Call, entry_id: str, category: Record) -> Record:
    """Put an entry into a category."""
    return call.tables.category_entries.put(
        {
            "id": f"{category['id']}.{entry_id}",
            "categoryId": category["id"],
            "entryId": entry_id,
            "createdAt": call.account.clock.now(),
            "categoryFullIds": category["fullIds"],
            "status": 2,
            "creatorUserId": call.user_id,
        }
    )


def unassign(call: Call, entry_id: str, category_id: int) -> bool:
    """Take an entry out of a category; False when it was not in it."""
    key = f"{category_id}.{entry_id}"
    if call.tables.category_entries.get(key) is None:
        return False
    call.tables.category_entries.delete(key)
    return True
