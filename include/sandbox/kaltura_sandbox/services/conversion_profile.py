"""The ``conversionProfile`` service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import BASE_FILTER, PAGER, list_reply, page, split
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import INT, STRING, ObjectType, prop
from kaltura_sandbox.assets.params import CONVERSION_PROFILE, DEFAULT_PROFILE
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["conversion_profile"]

FILTER = ObjectType(
    "KalturaConversionProfileFilter",
    prop("idEqual", INT),
    prop("idIn"),
    prop("statusEqual"),
    prop("statusIn"),
    prop("typeEqual"),
    prop("typeIn"),
    prop("nameEqual"),
    prop("systemNameEqual"),
    prop("systemNameIn"),
    prop("tagsMultiLikeOr"),
    prop("tagsMultiLikeAnd"),
    prop("defaultEntryIdEqual"),
    base=BASE_FILTER,
)

conversion_profile = Service("conversionProfile")


def _shown(call: Call, number: int) -> Record:
    found = call.tables.profiles.get(number)
    if found is None:
        raise KalturaError("CONVERSION_PROFILE_ID_NOT_FOUND", number)
    return CONVERSION_PROFILE.dump(found)


@conversion_profile.action("get", param("id", INT), level=Level.ADMIN)
def get(call: Call, number: int) -> Record:
    """One conversion profile."""
    return _shown(call, number)


@conversion_profile.action("getDefault", param("type", STRING, "1"), level=Level.ADMIN)
def get_default(call: Call, kind: str) -> Record:
    """Return the profile that entries without one are converted by."""
    return _shown(call, DEFAULT_PROFILE)


@conversion_profile.action("list", param("filter", FILTER, None), param("pager", PAGER, None), level=Level.ADMIN)
def list_(call: Call, value: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the account's profiles."""
    limit, offset = page(pager)
    found = [profile for profile in call.tables.profiles.find() if _matches(profile, value)]
    shown = [CONVERSION_PROFILE.dump(profile) for profile in found[offset : offset + limit]]
    return list_reply("KalturaConversionProfileListResponse", len(found), shown)


def _matches(profile: Record, value: ObjectValue | None) -> bool:
    for name, item in (value.values if value else {}).items():
        if item is None or name == "orderBy":
            continue
        if name.endswith("Equal") and str(profile.get(name[:-5])) != str(item):
            return False
        if name.endswith("In") and str(profile.get(name[:-2])) not in split(str(item)):
            return False
    return True
