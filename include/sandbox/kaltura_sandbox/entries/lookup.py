"""Read entries: which ones a session can see, and the conditions that list and count add to a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import list_reply, page
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.query import entry_query
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record
    from kaltura_sandbox.store.query import Query

__all__ = ["count_entries", "entitled", "entitlement_enforced", "list_entries", "readable"]

_MOST = 10_000
_STATUS = ("statusEqual", "statusIn", "statusNotEqual", "statusNotIn")
_MODERATION = tuple(f"moderationStatus{suffix}" for suffix in ("Equal", "In", "NotEqual", "NotIn"))
_DISPLAY = tuple(f"displayInSearch{suffix}" for suffix in ("Equal", "In", "NotEqual", "NotIn"))
# A USER session lists only its own entries, unless the filter says exactly which it wants.
_OPENS = ("idEqual", "idIn", "referenceIdEqual", "referenceIdIn", "redirectFromEntryId", "parentEntryIdEqual")


def entitlement_enforced(call: Call) -> bool:
    """Whether category entitlement hides entries from this session."""
    if call.has("disableentitlement"):
        return False
    return call.account.config.entitlement or call.has("enableentitlement")


def entitled(call: Call, entry: Record) -> bool:
    """Whether the session may see an entry in lists."""
    if not entitlement_enforced(call):
        return True
    return call.session is not None and call.session.may("disableentitlementforentry", entry["id"])


def readable(call: Call, entry_id: str, *kinds: int) -> Record:
    """Return an entry for ``get``; without a session or partner, no entry is found.

    :raises KalturaError: ``ENTRY_ID_NOT_FOUND``.
    """
    entry = store.find(call, entry_id, *kinds)
    if entry["partnerId"] != call.partner_id:
        raise KalturaError("ENTRY_ID_NOT_FOUND", entry_id)
    return entry


def _build(call: Call, value: ObjectValue | None, kinds: tuple[int, ...], *, counting: bool) -> Query:
    query = entry_query(value)
    sent = {name for name, item in (value.values if value else {}).items() if item is not None}
    if kinds:
        query.one_of("type", kinds)
    if not sent & {"idEqual", "redirectFromEntryId"}:
        if not sent.intersection(_STATUS):
            query.add("status = '2'")
        if not sent.intersection(_MODERATION):
            query.add("moderation_status NOT IN (1, 3)")
        if not sent.intersection((*_DISPLAY, "idIn", "parentEntryIdEqual")):
            query.add("display NOT IN (-2, -1)")
    own_only = not call.may_any("list")
    if own_only and (counting or not sent.intersection(_OPENS)):
        query.add("user = ?", call.user_id)
    if entitlement_enforced(call):
        allowed = (call.session.privilege("disableentitlementforentry") if call.session else None) or [""]
        query.one_of("id", allowed)
    return query


def list_entries(call: Call, value: ObjectValue | None, pager: ObjectValue | None, reply: str, *kinds: int) -> Record:
    """One page of the entries that match, with the defaults of every ``list``.

    :raises KalturaError: ``QUERY_EXCEEDED_MAX_MATCHES_ALLOWED`` beyond the first 10,000.
    """
    limit, offset = page(pager)
    if offset >= _MOST:
        raise KalturaError("QUERY_EXCEEDED_MAX_MATCHES_ALLOWED")
    query = _build(call, value, kinds, counting=False)
    total, found = call.account.search.search(query, min(limit, _MOST - offset), offset)
    return list_reply(reply, total, [store.show(call, entry) for entry in found])


def count_entries(call: Call, value: ObjectValue | None, *kinds: int) -> int:
    """How many entries match, with the defaults of every ``count``."""
    return call.account.search.count(_build(call, value, kinds, counting=True))
