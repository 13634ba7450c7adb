"""category: the tree that entries are sorted into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.listing import BASE_FILTER, PAGER, list_reply, page, split
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import BOOL, INT, STRING, TIME, Access, EnumType, ObjectType, prop
from kaltura_sandbox.entries.categories import new_category, unassign
from kaltura_sandbox.entries.category_names import rename_entries
from kaltura_sandbox.errors import KalturaError, declare

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["CATEGORY", "category_or_error"]

declare("DUPLICATE_CATEGORY", 'The category "@CATEGORY@" already exists')
declare("PARENT_CATEGORY_NOT_FOUND", 'The parent category id "@ID@" was not found')

_RO, _INSERT = Access.READ_ONLY, Access.INSERT_ONLY
_MEMBERS = EnumType("KalturaCategoryUserPermissionLevel", range(4))

CATEGORY = ObjectType(
    "KalturaCategory",
    prop("id", INT, _RO),
    prop("parentId", INT),
    prop("depth", INT, _RO),
    prop("partnerId", INT, _RO),
    prop("name"),
    prop("fullName", STRING, _RO),
    prop("fullIds", STRING, _RO),
    prop("entriesCount", INT, _RO),
    prop("createdAt", TIME, _RO),
    prop("updatedAt", TIME, _RO),
    prop("description"),
    prop("tags"),
    prop("appearInList", EnumType("KalturaAppearInListType", [1, 3])),
    prop("privacy", EnumType("KalturaPrivacyType", [1, 2, 3])),
    prop("inheritanceType", EnumType("KalturaInheritanceType", [1, 2])),
    prop("userJoinPolicy", EnumType("KalturaUserJoinPolicyType", [1, 2, 3])),
    prop("defaultPermissionLevel", _MEMBERS),
    prop("owner"),
    prop("directEntriesCount", INT, _RO),
    prop("referenceId"),
    prop("contributionPolicy", EnumType("KalturaContributionPolicyType", [1, 2])),
    prop("membersCount", INT, _RO),
    prop("pendingMembersCount", INT, _RO),
    prop("privacyContext"),
    prop("privacyContexts", STRING, _RO),
    prop("status", EnumType("KalturaCategoryStatus", [1, 2, 3, 4]), _RO),
    prop("inheritedParentId", INT, _RO),
    prop("partnerSortValue", INT),
    prop("partnerData"),
    prop("defaultOrderBy"),
    prop("directSubCategoriesCount", INT, _RO),
    prop("moderation", BOOL),
    prop("pendingEntriesCount", INT, _RO),
    prop("isAggregationCategory", BOOL),
    prop("aggregationCategories"),
)

_FILTER = ObjectType(
    "KalturaCategoryFilter",
    *[prop(name, INT) for name in ("idEqual", "parentIdEqual", "depthEqual", "statusEqual", "appearInListEqual")],
    *[
        prop(name)
        for name in (
            "idIn", "idNotIn", "parentIdIn", "statusIn", "fullNameEqual", "fullNameStartsWith", "fullNameIn",
            "fullIdsEqual", "fullIdsStartsWith", "nameOrReferenceIdStartsWith", "freeText", "tagsLike",
            "referenceIdEqual", "ancestorIdIn",
        )
    ],
    prop("createdAtGreaterThanOrEqual", TIME),
    prop("createdAtLessThanOrEqual", TIME),
    prop("updatedAtGreaterThanOrEqual", TIME),
    prop("updatedAtLessThanOrEqual", TIME),
    base=BASE_FILTER,
)  # fmt: skip

_DEFAULTS: Record = {
    "appearInList": 1,
    "privacy": 1,
    "inheritanceType": 2,
    "userJoinPolicy": 3,
    "defaultPermissionLevel": 3,
    "contributionPolicy": 1,
    "membersCount": 0,
    "pendingMembersCount": 0,
    "privacyContext": "",
    "privacyContexts": "",
    "partnerSortValue": 0,
    "isAggregationCategory": False,
    "aggregationCategories": "",
}
# What only a category read back from the database has.
_STORED: Record = {"owner": "", "moderation": False}

_ORDERS = ("name", "fullName", "depth", "createdAt", "updatedAt", "partnerSortValue", "entriesCount")

service = Service("category")


def category_or_error(call: Call, category_id: int) -> Record:
    """Return a category by its id.

    :raises KalturaError: ``CATEGORY_NOT_FOUND``.
    """
    found = call.tables.categories.get(category_id)
    if found is None:
        raise KalturaError("CATEGORY_NOT_FOUND", category_id)
    return found


@service.action("add", param("category", CATEGORY), level=Level.ADMIN)
def add(call: Call, category: ObjectValue) -> Record:
    """Make a category below ``parentId``, or at the root."""
    category.check_insert()
    category.require("name")
    parent_id = category.get("parentId", 0)
    parent = call.tables.categories.get(parent_id) if parent_id else None
    if parent_id and parent is None:
        raise KalturaError("PARENT_CATEGORY_NOT_FOUND", parent_id)
    name = category.values["name"]
    full_name = f"{parent['fullName']}>{name}" if parent else name
    with call.account.database.transaction():
        if call.tables.categories.first("full_name = ?", (full_name,)):
            raise KalturaError("DUPLICATE_CATEGORY", full_name)
        made = new_category(call, name, parent)
        made |= {key: value for key, value in category.values.items() if value is not None}
        made["parentId"] = parent_id
        call.tables.categories.put(made)
    fresh = made | {"parentId": parent_id or None}
    return CATEGORY.dump(_counted(call, fresh, _DEFAULTS))


@service.action("get", param("id", INT))
def get(call: Call, category_id: int) -> Record:
    """One category."""
    return _show(call, category_or_error(call, category_id))


@service.action("update", param("id", INT), param("category", CATEGORY), level=Level.ADMIN)
def update(call: Call, category_id: int, category: ObjectValue) -> Record:
    """Change a category; a new name changes the full names of all below it."""
    stored = category_or_error(call, category_id)
    category.check_update(stored)
    changed = stored | category.values | {"updatedAt": call.account.clock.now()}
    with call.account.database.transaction():
        call.tables.categories.put(changed)
        if changed["name"] != stored["name"]:
            _rename(call, stored, f"{stored['fullName'].rpartition('>')[0]}>{changed['name']}".lstrip(">"))
    return _show(call, category_or_error(call, category_id))


@service.action("delete", param("id", INT), param("moveEntriesToParentCategory", INT, 1), level=Level.ADMIN)
def delete(call: Call, category_id: int, _move: int) -> None:
    """Delete a category and all below it; entries leave it."""
    category = category_or_error(call, category_id)
    with call.account.database.transaction():
        for below in [category, *_below(call, category)]:
            for row in call.tables.category_entries.find("category = ?", (below["id"],)):
                unassign(call, row["entryId"], below["id"])
                rename_entries(call, [row["entryId"]])
            call.tables.categories.delete(below["id"])


@service.action("list", param("filter", _FILTER, None), param("pager", PAGER, None))
def list_(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Categories that match."""
    values = wanted.values if wanted else {}
    found = [row for row in call.tables.categories.find() if _matches(row, values)]
    order = str(values.get("orderBy") or "")
    if order[1:] in _ORDERS:
        found.sort(key=lambda row: row.get(order[1:]) or 0, reverse=order[0] == "-")
    limit, offset = page(pager)
    shown = [_show(call, row) for row in found[offset : offset + limit]]
    return list_reply("KalturaCategoryListResponse", len(found), shown)


def _matches(row: Record, values: Record) -> bool:
    return all(_holds(row, name, value) for name, value in values.items() if value not in (None, ""))


def _holds(row: Record, name: str, value: Any) -> bool:
    if name == "freeText":
        return str(value).lower() in f"{row['fullName']} {row.get('tags') or ''}".lower()
    if name == "nameOrReferenceIdStartsWith":
        return any(str(row.get(key) or "").startswith(value) for key in ("name", "referenceId"))
    if name == "ancestorIdIn":
        return bool(set(split(value)) & set(row["fullIds"].split(">")[:-1]))
    for suffix, test in _TESTS.items():
        if name.endswith(suffix):
            return bool(test(row.get(name.removesuffix(suffix)), value))
    return True


_TESTS: dict[str, Any] = {
    "GreaterThanOrEqual": lambda stored, value: stored >= value,
    "LessThanOrEqual": lambda stored, value: stored <= value,
    "StartsWith": lambda stored, value: str(stored or "").lower().startswith(value.lower()),
    "Like": lambda stored, value: value.lower() in str(stored or "").lower(),
    "NotIn": lambda stored, value: str(stored) not in split(value),
    "In": lambda stored, value: str(stored) in split(value),
    "Equal": lambda stored, value: str(stored).lower() == str(value).lower(),
}


def _show(call: Call, row: Record) -> Record:
    return CATEGORY.dump(_counted(call, row, _STORED | _DEFAULTS))


def _counted(call: Call, row: Record, defaults: Record) -> Record:
    numbers = [below["id"] for below in [row, *_below(call, row)]]
    counts = [call.tables.category_entries.count("category = ?", (number,)) for number in numbers]
    return (
        defaults
        | row
        | {
            "directEntriesCount": counts[0],
            "entriesCount": sum(counts),
            "directSubCategoriesCount": call.tables.categories.count("parent = ?", (row["id"],)),
        }
    )


def _below(call: Call, row: Record) -> list[Record]:
    """All categories under this one."""
    start = row["fullIds"] + ">"
    return [other for other in call.tables.categories.find() if other["fullIds"].startswith(start)]


def _rename(call: Call, stored: Record, full_name: str) -> None:
    below = _below(call, stored)
    call.tables.categories.change(stored["id"], fullName=full_name)
    for other in below:
        call.tables.categories.change(other["id"], fullName=full_name + other["fullName"][len(stored["fullName"]) :])
    for number in [stored["id"], *(other["id"] for other in below)]:
        rows = call.tables.category_entries.find("category = ?", (number,))
        rename_entries(call, [row["entryId"] for row in rows])
