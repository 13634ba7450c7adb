"""What is stored of the properties a client sends: normalised tags, defaults, checks and silent drops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.entries import types as entry_types
from kaltura_sandbox.entries.categories import resolve_categories
from kaltura_sandbox.entries.types import DATA_ENTRY, MEDIA_ENTRY, NO_CONTENT, Kind
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.sessions.keeper import not_owner

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["ACCESS_CONTROL_IDS", "SESSION_PROFILE", "admin_tags", "apply", "normalised_tags"]

SESSION_PROFILE = 3
"""The access control profile whose entries are shown only to viewers with a session for them."""
# The account's default access control profile, and this one.
ACCESS_CONTROL_IDS = frozenset({2, SESSION_PROFILE})

_TAG_BYTES = 100
_NAME_BYTES = 4096
# Text that reads back as empty after it was set to null.
_EMPTY_FOR_NULL = ("name", "description", "tags")
_NOT_STORED = frozenset({"categories", "categoriesIds"})
# Dropped without an error for sessions whose role lacks the permission: a USER session's does.
_NEEDS_PERMISSION = ("referenceId", "accessControlId", "startDate", "endDate")


def normalised_tags(text: str) -> str:
    """Tags as stored: lower case, two bytes at least, 100 at most, each once, joined with ``", "``."""
    kept: dict[str, None] = {}
    for item in text.split(","):
        tag = item.strip().lower().encode()[:_TAG_BYTES].decode("utf-8", "ignore")
        if len(tag.encode()) >= 2:
            kept[tag] = None
    return ", ".join(kept)


def admin_tags(text: str) -> str:
    """Admin tags as stored: lower case, each once, joined with ``","``."""
    return ",".join(dict.fromkeys(tag for item in text.split(",") if (tag := item.strip().lower())))


def apply(call: Call, entry: Record, value: ObjectValue, *, insert: bool) -> None:
    """Write the properties sent into an entry's record.

    :raises KalturaError: one of them is not allowed.
    """
    sent = dict(value.values)
    _check_session(call, sent, insert=insert, stored=entry)
    _check_values(call, sent, entry, insert=insert)
    for name in _NEEDS_PERMISSION:
        if sent.get(name) is not None and not call.is_admin:
            del sent[name]
            call.drop("KalturaBaseEntry", name)
    _normalise(sent)
    entry.update({name: item for name, item in sent.items() if name not in _NOT_STORED})
    for name in _EMPTY_FOR_NULL:
        entry[name] = entry.get(name) or ""
    if "categories" in sent or "categoriesIds" in sent:
        resolve_categories(call, entry, sent.get("categories"), sent.get("categoriesIds"))
    for name in ("startDate", "endDate"):
        if entry.get(name) in (-1, None):
            entry.pop(name, None)
    if entry.get("startDate") and entry.get("endDate") and entry["startDate"] >= entry["endDate"]:
        raise KalturaError("INVALID_ENTRY_SCHEDULE_DATES")
    if "conversionProfileId" in sent and value.type.is_a(MEDIA_ENTRY):
        entry["conversionQuality"] = sent["conversionProfileId"]


def _check_session(call: Call, sent: Record, *, insert: bool, stored: Record) -> None:
    """Refuse properties that the session's user cannot set."""
    if call.is_admin:
        return
    if "adminTags" in sent and not call.may_any("editadmintags"):
        raise KalturaError("PROPERTY_VALIDATION_ADMIN_PROPERTY", "adminTags")
    owner = sent.get("userId")
    if owner is not None and owner != (call.user_id if insert else stored.get("userId")):
        allowed = not insert and call.may_any("edituser")
        if not allowed:
            raise not_owner()


def _check_values(call: Call, sent: Record, entry: Record, *, insert: bool) -> None:
    reference = sent.get("referenceId")
    if reference is not None and len(reference) < 2:
        raise KalturaError("PROPERTY_VALIDATION_MIN_LENGTH", "KalturaBaseEntry::referenceId", 2)
    if len(sent.get("userId") or "") > 100:
        raise KalturaError("PROPERTY_VALIDATION_MAX_LENGTH", "KalturaBaseEntry::userId", 100)
    profile = sent.get("conversionProfileId")
    if profile is not None:
        _check_profile(call, profile, entry, insert=insert)
    access_control = sent.get("accessControlId")
    if access_control is not None and call.is_admin and access_control not in ACCESS_CONTROL_IDS:
        raise KalturaError("ACCESS_CONTROL_ID_NOT_FOUND", access_control)
    display = sent.get("displayInSearch")
    if display not in (None, -2, -1, 1, entry.get("displayInSearch")):
        raise KalturaError("ENTRY_DISPLAY_IN_SEARCH_VALUE_NOT_ALLOWED", display)
    if sent.get("msDuration") is not None and entry.get("mediaType") == entry_types.IMAGE:
        raise KalturaError("PROPERTY_VALIDATION_NOT_UPDATABLE", "KalturaMediaEntry::msDuration")
    _check_parent(call, sent, entry)


def _check_profile(call: Call, profile: int, entry: Record, *, insert: bool) -> None:
    if profile != -1 and call.tables.profiles.get(profile) is None:
        raise KalturaError("CONVERSION_PROFILE_ID_NOT_FOUND", profile)
    if not insert and entry["status"] != NO_CONTENT:
        raise KalturaError(
            "PROPERTY_VALIDATION_ENTRY_STATUS", "KalturaMediaEntry::conversionProfileId", entry["status"]
        )


def _check_parent(call: Call, sent: Record, entry: Record) -> None:
    parent = sent.get("parentEntryId")
    if not parent:
        return
    if any(sent.get(name) for name in ("categories", "categoriesIds", "accessControlId", "startDate", "endDate")):
        raise KalturaError("ASSIGNING_INFO_TO_ENTRY_WITH_PARENT_IS_FORBIDDEN", entry.get("id", ""))
    if call.tables.entries.get(parent) is None:
        raise KalturaError("PARENT_ENTRY_ID_NOT_FOUND", parent)


def _normalise(sent: dict[str, Any]) -> None:
    if sent.get("tags") is not None:
        sent["tags"] = normalised_tags(sent["tags"])
    if sent.get("adminTags") is not None:
        sent["adminTags"] = admin_tags(sent["adminTags"])
    if sent.get("name") is not None and len(sent["name"].encode()) > _NAME_BYTES:
        sent["name"] = sent["name"].encode()[:_NAME_BYTES].decode("utf-8", "ignore")


def is_data(value: ObjectValue) -> bool:
    """Whether the object sent is a data entry."""
    return value.type.is_a(DATA_ENTRY)


def kind_of(value: ObjectValue) -> int:
    """Return the entry type an object type stands for."""
    if value.type.is_a(entry_types.LIVE_ENTRY):
        return Kind.LIVE
    if value.type.is_a(MEDIA_ENTRY):
        return Kind.MEDIA
    if value.type.is_a(entry_types.DOCUMENT_ENTRY):
        return Kind.DOCUMENT
    return Kind.DATA if is_data(value) else Kind.AUTOMATIC
