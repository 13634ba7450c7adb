"""Categories (``category``, ``categoryEntry``): find or make them, and assign entries to them. All calls repeatable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaAPIError, KalturaConfigurationError
from kaltura_provider.api.together import change_each
from kaltura_provider.api.wire import Request
from kaltura_provider.services.category_name import category_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["change_categories", "read_categories", "resolve_categories"]

_BATCH = 50
_SO_ALREADY = ("CATEGORY_ENTRY_ALREADY_EXISTS", "ENTRY_IS_NOT_ASSIGNED_TO_CATEGORY")


def read_categories(values: Any, name: str) -> list[int | str]:
    """Return category ids as numbers and full names (``Courses>Physics``) as text, without duplicates.

    :raises KalturaConfigurationError: one is empty, has an empty level, or has a comma.
    """
    if isinstance(values, str) and all(part.strip().isdecimal() for part in values.split(",")):
        values = values.split(",")
    items: Iterable[Any] = [values] if isinstance(values, str | int) and values != "" else values or ()
    found: dict[int | str, None] = {}
    for item in items:
        text = str(item).strip()
        if text.isdecimal():
            found[int(text)] = None
            continue
        try:
            found[category_name(text)] = None
        except ValueError as error:
            fix = "give a list of ids and full names such as Courses>Physics"
            raise KalturaConfigurationError(name, None, str(error), fix) from None
    return list(found)


def resolve_categories(
    client: KalturaClient, wanted: Sequence[int | str], name: str, *, create: bool = False
) -> dict[int | str, int]:
    """Return the id of each category, by id or full name.

    :param create: whether to make missing categories, level by level.
    :raises KalturaConfigurationError: one does not exist.
    """
    found: dict[int | str, int] = {}
    for item in wanted:
        if isinstance(item, int):
            found[item] = item
            continue
        known = _find(client, item)
        if known is None and not create:
            fix = "give its id or its full name (Courses>Physics), or set create=True to make it"
            raise KalturaConfigurationError(name, item, "does not exist", fix)
        found[item] = known if known is not None else _make(client, item)
    return found


def _find(client: KalturaClient, full_name: str) -> int | None:
    reply = client.call("category", "list", {"filter": {"fullNameEqual": full_name}})
    return next((int(category["id"]) for category in reply["objects"]), None)


def _make(client: KalturaClient, full_name: str) -> int:
    parent, made = 0, 0
    levels = full_name.split(">")
    for depth, level in enumerate(levels, 1):
        path = ">".join(levels[:depth])
        known = _find(client, path)
        if known is None:
            category = {"objectType": "KalturaCategory", "name": level, "parentId": parent or None}
            try:
                known = int(client.call("category", "add", {"category": category})["id"])
            except KalturaAPIError as error:
                # Another process has just made it.
                if error.code != "DUPLICATE_CATEGORY" or (known := _find(client, path)) is None:
                    raise
        parent = made = known
    return made


def change_categories(
    client: KalturaClient, entry_ids: Sequence[str], add: Iterable[int] = (), remove: Iterable[int] = ()
) -> dict[str, int]:
    """Add entries to categories and remove them from others. Assignments already in that state are skipped.

    :return: ``{"added", "removed"}``: how many assignments changed.
    :raises KalturaError: the first refusal; all other changes were made.
    """
    changes = [("add", entry, category) for entry in entry_ids for category in add]
    changes += [("delete", entry, category) for entry in entry_ids for category in remove]
    counts = {"added": 0, "removed": 0}
    refused: KalturaAPIError | None = None
    for start in range(0, len(changes), _BATCH):
        batch = {change: _request(*change) for change in changes[start : start + _BATCH]}
        # A repeated change is refused as already made.
        made = change_each(client, batch, repeatable=True)
        for action, _, _ in made.done:
            counts["added" if action == "add" else "removed"] += 1
        for error in made.refused.values():
            if error.code not in _SO_ALREADY:
                refused = refused or error
    if refused is not None:
        raise refused
    return counts


def _request(action: str, entry_id: str, category_id: int) -> Request:
    pair = {"entryId": entry_id, "categoryId": category_id}
    if action == "delete":
        return Request("categoryEntry", "delete", pair)
    return Request("categoryEntry", "add", {"categoryEntry": {"objectType": "KalturaCategoryEntry", **pair}})
