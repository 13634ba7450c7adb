"""The ``partner`` service: the actions with which a client reads its own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import BOOL, INT, STRING, TIME, ObjectType, prop
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import Record

__all__ = ["partner"]

PARTNER = ObjectType(
    "KalturaPartner",
    prop("id", INT),
    prop("name"),
    prop("website"),
    prop("notificationUrl"),
    prop("appearInSearch", INT),
    prop("createdAt", TIME),
    prop("adminName"),
    prop("adminEmail"),
    prop("description"),
    prop("commercialUse", INT),
    prop("type", INT),
    prop("phone"),
    prop("contentCategories"),
    prop("describeYourself"),
    prop("adultContent", BOOL),
    prop("notify", INT),
    prop("status", INT),
    prop("allowQuickEdit", INT),
    prop("mergeEntryLists", INT),
    prop("notificationsConfig"),
    prop("maxUploadSize", INT),
    prop("partnerPackage", INT),
    prop("secret"),
    prop("adminSecret"),
    prop("publishersQuota", INT),
    prop("partnerGroupType", INT),
    prop("defaultEntitlementEnforcement", BOOL),
    prop("defaultDeliveryType"),
    prop("adminUserId"),
    prop("language"),
)

partner = Service("partner")


def _record(call: Call) -> Record:
    return {
        "id": call.account.config.partner_id,
        "name": "Kaltura sandbox",
        "appearInSearch": 2,
        "createdAt": 1577836800,
        "adminName": "Sandbox",
        "adminEmail": "admin@sandbox.invalid",
        "description": "",
        "commercialUse": 0,
        "type": 1,
        "adultContent": False,
        "notify": 0,
        "status": 1,
        "allowQuickEdit": 1,
        "mergeEntryLists": 0,
        "notificationsConfig": "",
        "maxUploadSize": 150,
        "partnerPackage": 1,
        "publishersQuota": -1,
        "partnerGroupType": 1,
        "defaultEntitlementEnforcement": False,
        "adminUserId": "admin@sandbox.invalid",
    }


@partner.action("getInfo", level=Level.ADMIN)
def get_info(call: Call) -> Record:
    """Return the account of the session."""
    return PARTNER.dump(_record(call))


@partner.action("get", param("id", INT, None), level=Level.ADMIN)
def get(call: Call, partner_id: int | None) -> Record:
    """Return an account, the session's own by default."""
    if partner_id not in (None, call.account.config.partner_id):
        raise KalturaError("INVALID_PARTNER_ID", partner_id)
    return PARTNER.dump(_record(call))


@partner.action(
    "getSecrets", param("partnerId", INT), param("adminEmail", STRING), param("cmsPassword", STRING), level=Level.NONE
)
def get_secrets(call: Call, partner_id: int, email: str, password: str) -> Record:
    """Refused: a sandbox has no password to check."""
    raise KalturaError("SERVICE_FORBIDDEN", "partner->getSecrets")
