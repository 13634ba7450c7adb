"""The entry types and the enumerations of their properties."""

from __future__ import annotations

from kaltura_sandbox.api.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    MULTI_LINGUAL,
    STRING,
    TIME,
    Access,
    ArrayOf,
    EnumType,
    ObjectType,
    StringEnumType,
    prop,
)  # fmt: skip

__all__ = [
    "AUDIO", "BASE_ENTRY", "DATA_ENTRY", "DELETED", "DISPLAY_IN_SEARCH", "DOCUMENT_ENTRY", "DOCUMENT_TYPE",
    "ENTRY_TYPE", "ERROR_CONVERTING", "ERROR_IMPORTING", "IMAGE", "IMPORT", "Kind", "LIVE_ENTRY", "MEDIA_ENTRY",
    "MEDIA_TYPE", "MODERATION_STATUS", "NO_CONTENT", "PENDING", "PLAYABLE_ENTRY", "PRECONVERT", "READY",
    "REPLACEMENT_STATUS", "SOURCE_TYPE", "STATUS", "VIDEO", "shown_type",
]  # fmt: skip

ERROR_IMPORTING, ERROR_CONVERTING, IMPORT, PRECONVERT, READY, DELETED, PENDING = range(-2, 5)
NO_CONTENT = 7
VIDEO, IMAGE, AUDIO = 1, 2, 5


class Kind:
    """Entry types (``type``)."""

    AUTOMATIC, MEDIA, MIX, PLAYLIST, DATA, LIVE, LIVE_CHANNEL, DOCUMENT = -1, 1, 2, 5, 6, 7, 8, 10


_RO, _INSERT, _ADMIN = Access.READ_ONLY, Access.INSERT_ONLY, Access.ADMIN

STATUS = EnumType("KalturaEntryStatus", [*range(-2, 8), "virusScan.Infected", "virusScan.ScanFailure"])
ENTRY_TYPE = EnumType("KalturaEntryType", [-1, 1, 2, 5, 6, 7, 8, 10])
MEDIA_TYPE = EnumType("KalturaMediaType", [1, 2, 5, 201, 202, 203, 204])
MODERATION_STATUS = EnumType("KalturaEntryModerationStatus", range(1, 7))
SOURCE_TYPE = StringEnumType("KalturaSourceType", [1, 2, 5, 6, 29, 30, 31, 32, 33, 34, 35, 36])
_LICENSE = EnumType("KalturaLicenseType", range(-1, 9))
REPLACEMENT_STATUS = EnumType("KalturaEntryReplacementStatus", range(5))
DISPLAY_IN_SEARCH = EnumType("KalturaEntryDisplayInSearchType", range(-2, 3))
DOCUMENT_TYPE = EnumType("KalturaDocumentType", [11, 12, 13])

BASE_ENTRY = ObjectType(
    "KalturaBaseEntry",
    prop("id", STRING, _RO),
    prop("name", MULTI_LINGUAL),
    prop("description", MULTI_LINGUAL),
    prop("partnerId", INT, _RO),
    prop("userId"),
    prop("creatorId", STRING, _INSERT),
    prop("tags", MULTI_LINGUAL),
    prop("adminTags", STRING, _ADMIN),
    prop("categories"),
    prop("categoriesIds"),
    prop("status", STATUS, _RO),
    prop("moderationStatus", MODERATION_STATUS, _RO),
    prop("moderationCount", INT, _RO),
    prop("type", ENTRY_TYPE),
    prop("createdAt", TIME, _RO),
    prop("updatedAt", TIME, _RO),
    prop("rank", FLOAT, _RO),
    prop("totalRank", INT, _RO),
    prop("votes", INT, _RO),
    prop("groupId", INT),
    prop("partnerData"),
    prop("downloadUrl", STRING, _RO),
    prop("searchText", STRING, _RO),
    prop("licenseType", _LICENSE),
    prop("version", ANY, _RO),
    prop("thumbnailUrl", STRING, _RO),
    prop("accessControlId", INT),
    prop("startDate", TIME),
    prop("endDate", TIME),
    prop("referenceId"),
    prop("replacingEntryId", STRING, _RO),
    prop("replacedEntryId", STRING, _RO),
    prop("replacementStatus", REPLACEMENT_STATUS, _RO),
    prop("partnerSortValue", INT),
    prop("conversionProfileId", INT),
    prop("redirectEntryId"),
    prop("rootEntryId", STRING, _RO),
    prop("parentEntryId"),
    prop("operationAttributes", ArrayOf(ANY)),
    prop("entitledUsersEdit"),
    prop("entitledUsersPublish"),
    prop("entitledUsersView"),
    prop("capabilities", STRING, _RO),
    prop("templateEntryId", STRING, _INSERT),
    prop("displayInSearch", DISPLAY_IN_SEARCH),
    prop("blockAutoTranscript", BOOL),
)

PLAYABLE_ENTRY = ObjectType(
    "KalturaPlayableEntry",
    prop("plays", INT, _RO),
    prop("views", INT, _RO),
    prop("lastPlayedAt", TIME, _RO),
    prop("width", INT, _RO),
    prop("height", INT, _RO),
    prop("duration", INT, _RO),
    prop("msDuration", INT),
    prop("durationType", STRING, _RO),
    base=BASE_ENTRY,
)

MEDIA_ENTRY = ObjectType(
    "KalturaMediaEntry",
    prop("mediaType", MEDIA_TYPE, _INSERT),
    prop("conversionQuality", STRING, _INSERT),
    prop("sourceType", SOURCE_TYPE, _INSERT),
    prop("searchProviderType", STRING, _INSERT),
    prop("searchProviderId", STRING, _INSERT),
    prop("creditUserName"),
    prop("creditUrl"),
    prop("mediaDate", TIME, _RO),
    prop("dataUrl", STRING, _RO),
    prop("flavorParamsIds", STRING, _RO),
    base=PLAYABLE_ENTRY,
)

LIVE_ENTRY = ObjectType("KalturaLiveStreamEntry", base=MEDIA_ENTRY)

DATA_ENTRY = ObjectType(
    "KalturaDataEntry",
    prop("dataContent"),
    prop("retrieveDataContentByGet", INT, _INSERT),
    base=BASE_ENTRY,
)

DOCUMENT_ENTRY = ObjectType(
    "KalturaDocumentEntry",
    prop("documentType", DOCUMENT_TYPE, _INSERT),
    prop("assetParamsIds", STRING, _RO),
    base=BASE_ENTRY,
)

_SHOWN = {
    Kind.MEDIA: MEDIA_ENTRY,
    Kind.DATA: DATA_ENTRY,
    Kind.DOCUMENT: DOCUMENT_ENTRY,
    Kind.LIVE: LIVE_ENTRY,
}


def shown_type(kind: int) -> ObjectType:
    """Return the object type an entry of this ``type`` is shown as."""
    return _SHOWN.get(kind, BASE_ENTRY)
