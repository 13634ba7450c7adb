"""categoryEntry: which entry is in which category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.listing import BASE_FILTER, PAGER, list_reply, page, split
from kaltura_sandbox.api.registry import Service, param
from kaltura_sandbox.api.types import INT, STRING, TIME, Access, EnumType, ObjectType, prop
from kaltura_sandbox.entries.categories import assign, unassign
from kaltura_sandbox.entries.category_names import rename_entries
from kaltura_sandbox.errors import KalturaError, declare
from kaltura_sandbox.services.category import category_or_error

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["CATEGORY_ENTRY"]

declare("CATEGORY_ENTRY_ALREADY_EXISTS", "Entry already assigned to this category")
declare("ENTRY_IS_NOT_ASSIGNED_TO_CATEGORY", "Entry is not assigned to this category")
declare("MUST_FILTER_ON_ENTRY_OR_CATEGORY", "Must filter on entry or category")

_MOST_CATEGORIES = 32
_STATUS = EnumType("KalturaCategoryEntryStatus", [1, 2, 3, 4])

CATEGORY_ENTRY = ObjectType(
    "KalturaCategoryEntry",
    prop("categoryId", INT),
    prop("entryId"),
    prop("createdAt", TIME, Access.READ_ONLY),
    prop("categoryFullIds", STRING, Access.READ_ONLY),
    prop("status", _STATUS, Access.READ_ONLY),
    prop("creatorUserId", STRING, Access.INSERT_ONLY),
)
_FILTER = ObjectType(
    "KalturaCategoryEntryFilter",
    prop("categoryIdEqual", INT),
    prop("categoryIdIn"),
    prop("entryIdEqual"),
    prop("entryIdIn"),
    prop("createdAtGreaterThanOrEqual", TIME),
    prop("createdAtLessThanOrEqual", TIME),
    prop("categoryFullIdsStartsWith"),
    prop("statusEqual", _STATUS),
    prop("statusIn"),
    prop("creatorUserIdEqual"),
    prop("creatorUserIdIn"),
    base=BASE_FILTER,
)

service = Service("categoryEntry")


@service.action("add", param("categoryEntry", CATEGORY_ENTRY))
def add(call: Call, category_entry: ObjectValue) -> Record:
    """Put an entry into a category."""
    category_entry.check_insert()
    category_entry.require("categoryId", "entryId")
    entry_id, category_id = category_entry.values["entryId"], category_entry.values["categoryId"]
    entry = call.tables.entries.get(entry_id)
    if entry is None or entry["status"] == 3:
        raise KalturaError("INVALID_ENTRY_ID", entry_id)
    category = category_or_error(call, category_id)
    with call.account.database.transaction():
        rows = call.tables.category_entries.find("entry = ?", (entry_id,))
        if any(row["categoryId"] == category_id for row in rows):
            raise KalturaError("CATEGORY_ENTRY_ALREADY_EXISTS")
        if len(rows) >= _MOST_CATEGORIES:
            raise KalturaError("MAX_CATEGORIES_FOR_ENTRY_REACHED", _MOST_CATEGORIES)
        made = assign(call, entry_id, category)
        rename_entries(call, [entry_id])
    return CATEGORY_ENTRY.dump(made)


@service.action("delete", param("entryId", STRING), param("categoryId", INT))
def delete(call: Call, entry_id: str, category_id: int) -> None:
    """Take an entry out of a category."""
    if call.tables.entries.get(entry_id) is None:
        raise KalturaError("INVALID_ENTRY_ID", entry_id)
    category_or_error(call, category_id)
    with call.account.database.transaction():
        if not unassign(call, entry_id, category_id):
            raise KalturaError("ENTRY_IS_NOT_ASSIGNED_TO_CATEGORY")
        rename_entries(call, [entry_id])


@service.action("list", param("filter", _FILTER, None), param("pager", PAGER, None))
def list_(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return assignments of the entries or categories the filter names."""
    values = {name: value for name, value in (wanted.values if wanted else {}).items() if value not in (None, "")}
    if not values.keys() & {"entryIdEqual", "entryIdIn", "categoryIdEqual", "categoryIdIn"}:
        raise KalturaError("MUST_FILTER_ON_ENTRY_OR_CATEGORY")
    column = "entry" if values.keys() & {"entryIdEqual", "entryIdIn"} else "category"
    asked = values.get(f"{column}IdEqual", values.get(f"{column}IdIn"))
    texts = [str(asked)] if f"{column}IdEqual" in values else split(str(asked))
    keys: list[Any] = [int(text) if column == "category" and text.isdigit() else text for text in texts]
    places = ",".join("?" * len(keys))
    rows = call.tables.category_entries.find(f"{column} IN ({places})", keys)
    rows = [row for row in rows if _matches(row, values)]
    rows.sort(key=lambda row: row["createdAt"], reverse=str(values.get("orderBy", "")).startswith("-"))
    limit, offset = page(pager)
    shown = [CATEGORY_ENTRY.dump(row) for row in rows[offset : offset + limit]]
    return list_reply("KalturaCategoryEntryListResponse", len(rows), shown)


def _matches(row: Record, values: Record) -> bool:
    for name, value in values.items():
        if name.endswith("Equal") and not name.endswith("OrEqual"):
            holds = str(row.get(name[:-5])) == str(value)
        elif name.endswith("In"):
            holds = str(row.get(name[:-2])) in split(str(value))
        elif name == "categoryFullIdsStartsWith":
            holds = row["categoryFullIds"].startswith(value)
        else:
            holds = True
        if not holds:
            return False
    first, last = values.get("createdAtGreaterThanOrEqual"), values.get("createdAtLessThanOrEqual")
    return bool((first or 0) <= row["createdAt"] <= (last or row["createdAt"]))
