"""The ``storageProfile`` service: the remote storages of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import BASE_FILTER, PAGER, list_reply, page
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import INT, TIME, Access, ObjectType, prop

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["storage_profile"]

_RO = Access.READ_ONLY
_PROFILE = ObjectType(
    "KalturaStorageProfile",
    prop("id", INT, _RO),
    prop("createdAt", TIME, _RO),
    prop("updatedAt", TIME, _RO),
    prop("partnerId", INT, _RO),
    prop("name"),
    prop("systemName"),
    prop("desciption"),  # as the server spells it
    prop("status", INT),
    prop("protocol"),
    prop("storageUrl"),
    prop("storageBaseDir"),
    prop("deliveryHttpBaseUrl"),
)
_FILTER = ObjectType("KalturaStorageProfileFilter", prop("idEqual", INT), prop("systemNameEqual"), base=BASE_FILTER)

storage_profile = Service("storageProfile")


@storage_profile.action("add", param("storageProfile", _PROFILE), level=Level.ADMIN)
def add(call: Call, value: ObjectValue) -> Record:
    """Make a storage known."""
    now = call.account.clock.now()
    made = {"status": 1, "protocol": "1", **value.values, "partnerId": call.partner_id, "createdAt": now}
    number = call.account.database.next_number("storage_profile")
    return _PROFILE.dump(call.tables.storage_profiles.put(made | {"id": number, "updatedAt": now}))


@storage_profile.action("list", param("filter", _FILTER, None), param("pager", PAGER, None), level=Level.ADMIN)
def list_(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the account's storages."""
    values = wanted.values if wanted else {}
    found = [
        row
        for row in call.tables.storage_profiles.find()
        if values.get("idEqual") in (None, row["id"]) and values.get("systemNameEqual") in (None, row.get("systemName"))
    ]
    limit, offset = page(pager)
    shown = [_PROFILE.dump(row) for row in found[offset : offset + limit]]
    return list_reply("KalturaStorageProfileListResponse", len(found), shown)
