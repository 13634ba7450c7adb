"""The ``eventNotification_eventNotificationTemplate`` service: HTTP notifications (webhooks)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import BASE_FILTER, PAGER, list_reply, page
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import (
    ANY,
    BOOL,
    INT,
    STRING,
    TIME,
    Access,
    ArrayOf,
    EnumType,
    ObjectType,
    StringEnumType,
    prop,
)  # fmt: skip
from kaltura_sandbox.errors import KalturaError, declare

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["service"]

declare("EVENT_NOTIFICATION_TEMPLATE_NOT_FOUND", 'Event notification template id "@ID@" not found')

_RO, _INSERT = Access.READ_ONLY, Access.INSERT_ONLY
_ACTIVE, _DELETED = 2, 3
_STATUS = EnumType("KalturaEventNotificationTemplateStatus", range(1, 4))
_HTTP = "httpNotification.Http"

TEMPLATE = ObjectType(
    "KalturaEventNotificationTemplate",
    prop("id", INT, _RO),
    prop("partnerId", INT, _RO),
    prop("name"),
    prop("systemName"),
    prop("description"),
    prop("type", STRING, _INSERT),
    prop("status", _STATUS, _RO),
    prop("createdAt", TIME, _RO),
    prop("updatedAt", TIME, _RO),
    prop("manualDispatchEnabled", BOOL),
    prop("automaticDispatchEnabled", BOOL),
    prop("eventType", StringEnumType("KalturaEventNotificationEventType", range(1, 14))),
    prop("eventObjectType", StringEnumType("KalturaEventNotificationEventObjectType", range(1, 40))),
    prop("eventConditions", ArrayOf(ANY)),
    prop("contentParameters", ArrayOf(ANY)),
)
HTTP_TEMPLATE = ObjectType(
    "KalturaHttpNotificationTemplate",
    prop("url"),
    prop("method", EnumType("KalturaHttpNotificationMethod", range(1, 5))),
    prop("data", ANY),
    prop("timeout", INT),
    prop("connectTimeout", INT),
    prop("username"),
    prop("password"),
    prop("customHeaders", ArrayOf(ANY)),
    prop("secureHashingAlgo", EnumType("KalturaSecureHashingAlgo", range(1, 4))),
    base=TEMPLATE,
)
_FILTER = ObjectType(
    "KalturaEventNotificationTemplateFilter", prop("idEqual", INT), prop("systemNameEqual"), base=BASE_FILTER
)

service = Service("eventNotification_eventNotificationTemplate")


def _find(call: Call, number: int) -> Record:
    found = call.tables.notification_templates.get(number)
    if found is None or found["status"] == _DELETED:
        raise KalturaError("EVENT_NOTIFICATION_TEMPLATE_NOT_FOUND", number)
    return found


@service.action("add", param("eventNotificationTemplate", HTTP_TEMPLATE), level=Level.ADMIN)
def add(call: Call, value: ObjectValue) -> Record:
    """Make a template; it is active at once."""
    value.check_insert()
    value.require("eventType", "eventObjectType", "url")
    now = call.account.clock.now()
    made = {"method": 2, "type": _HTTP, "automaticDispatchEnabled": True, **value.values}
    made |= {"id": call.account.database.next_number("notification_template"), "partnerId": call.partner_id}
    made |= {"status": _ACTIVE, "createdAt": now, "updatedAt": now}
    return HTTP_TEMPLATE.dump(call.tables.notification_templates.put(made))


@service.action("get", param("id", INT), level=Level.ADMIN)
def get(call: Call, number: int) -> Record:
    """One template."""
    return HTTP_TEMPLATE.dump(_find(call, number))


@service.action("update", param("id", INT), param("eventNotificationTemplate", HTTP_TEMPLATE), level=Level.ADMIN)
def update(call: Call, number: int, value: ObjectValue) -> Record:
    """Change a template."""
    stored = _find(call, number)
    value.check_update(stored)
    changed = {**stored, **value.values, "updatedAt": call.account.clock.now()}
    return HTTP_TEMPLATE.dump(call.tables.notification_templates.put(changed))


@service.action("updateStatus", param("id", INT), param("status", _STATUS), level=Level.ADMIN)
def update_status(call: Call, number: int, status: int) -> Record:
    """Disable or enable a template."""
    stored = _find(call, number)
    return HTTP_TEMPLATE.dump(call.tables.notification_templates.put({**stored, "status": status}))


@service.action("delete", param("id", INT), level=Level.ADMIN)
def delete(call: Call, number: int) -> None:
    """Delete a template."""
    call.tables.notification_templates.put({**_find(call, number), "status": _DELETED})


@service.action("list", param("filter", _FILTER, None), param("pager", PAGER, None), level=Level.ADMIN)
def list_(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the account's templates."""
    values = wanted.values if wanted else {}
    found = [
        row
        for row in call.tables.notification_templates.find("status != 3")
        if values.get("idEqual") in (None, row["id"]) and values.get("systemNameEqual") in (None, row.get("systemName"))
    ]
    limit, offset = page(pager)
    shown = [HTTP_TEMPLATE.dump(row) for row in found[offset : offset + limit]]
    return list_reply("KalturaEventNotificationTemplateListResponse", len(found), shown)
