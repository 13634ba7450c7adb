"""Entry filters, checked: Kaltura ignores a misspelt property of a filter, and then finds the whole library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.arguments import choose, moment
from kaltura_provider.api.enums import (
    DisplayInSearch,
    DocumentType,
    EntryStatus,
    EntryType,
    MediaType,
    ModerationStatus,
    ReplacementStatus,
)
from kaltura_provider.api.errors import KalturaConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANY_STATE", "entry_filter"]

ANY_STATE = {
    "statusIn": ",".join(str(int(status)) for status in EntryStatus if status is not EntryStatus.DELETED),
    "moderationStatusIn": ",".join(str(int(status)) for status in ModerationStatus),
}
"""What finds entries of every status but deleted; without it Kaltura lists only those that are READY and approved."""

_ENUMERATIONS = {
    "status": EntryStatus,
    "moderationStatus": ModerationStatus,
    "type": EntryType,
    "mediaType": MediaType,
    "documentType": DocumentType,
    "displayInSearch": DisplayInSearch,
    "replacementStatus": ReplacementStatus,
}
_LISTED = "Equal|In|NotEqual|NotIn"
_RANGE = "GreaterThanOrEqual|LessThanOrEqual"
_WORDS = "Like|MultiLikeOr|MultiLikeAnd"
_MATCHED = "MatchAnd|MatchOr|NotContains"
# Base names and the endings they take, after KalturaMediaEntryFilter and KalturaDocumentEntryFilter.
_PROPERTIES = re.compile(
    "|".join(
        (
            f"(?:{'|'.join(_ENUMERATIONS)}|sourceType)(?:{_LISTED})",
            "id(?:Equal|In|NotIn)",
            f"name(?:Equal|{_WORDS})",
            f"(?:tags|adminTags|tagsName|tagsAdminTags|tagsAdminTagsName|tagsNameOrAdminTags)(?:{_WORDS})",
            f"(?:categories|categoriesIds)(?:{_MATCHED})|categoriesIdsEmpty|categoriesFullNameIn|categoryAncestorIdIn",
            f"(?:createdAt|updatedAt|mediaDate|lastPlayedAt)(?:{_RANGE})",
            f"(?:startDate|endDate|lastPlayedAt)(?:{_RANGE}|(?:{_RANGE})OrNull)",
            f"(?:partnerSortValue|totalRank|plays|views|moderationCount|rank)(?:{_RANGE})",
            f"(?:duration|msDuration)(?:LessThan|GreaterThan|{_RANGE})|durationTypeMatchOr",
            "(?:userId|creatorId)(?:Equal|In|NotIn)",
            "(?:referenceId|replacingEntryId|replacedEntryId|rootEntryId|accessControlId)(?:Equal|In)",
            "parentEntryIdEqual|conversionProfileIdEqual|groupIdEqual|flavorParamsIds(?:MatchOr|MatchAnd)",
            "searchTextMatch(?:And|Or)|freeText|isRoot|redirectFromEntryId|advancedSearch|objectType",
        )
    )
)
# More ids than this are dropped without a word where the search index answers.
_MOST_IDS = 150


def entry_filter(wanted: Mapping[str, Any] | None, name: str = "filter") -> dict[str, Any]:
    """Return an entry filter with values as Kaltura reads them.

    Statuses and types may be names, dates ``datetime`` or ISO 8601 text, ``...In`` and ``...Match...`` lists.

    :raises KalturaConfigurationError: a property does not exist, or its value is impossible; names it.
    """
    found = {}
    for key, value in (wanted or {}).items():
        if value is None:
            continue
        if key == "orderBy":
            raise KalturaConfigurationError(f"{name}.orderBy", value, "is not for the caller", "leave it out")
        if not _PROPERTIES.fullmatch(key):
            raise KalturaConfigurationError(
                f"{name}.{key}", None, "is no property of an entry filter",
                "use Kaltura's names, such as statusIn, tagsLike, createdAtGreaterThanOrEqual",
            )  # fmt: skip
        found[key] = _value(f"{name}.{key}", key, value)
    return found


def _value(name: str, key: str, value: Any) -> Any:
    enumeration = next((kind for base, kind in _ENUMERATIONS.items() if re.fullmatch(f"{base}({_LISTED})", key)), None)
    several = value if isinstance(value, (list, tuple, set, frozenset)) else None
    if enumeration is not None:
        # Plugins add values with a dot, such as virusScan.Infected.
        items = several if several is not None else str(value).split(",")
        return ",".join(str(i) if "." in str(i) else str(int(choose(enumeration, i, name))) for i in items)
    if re.match(r"(createdAt|updatedAt|startDate|endDate|lastPlayedAt|mediaDate)[GL]", key):
        return moment(value, name)
    if several is not None:
        items = [str(item) for item in several]
        if not items:
            raise KalturaConfigurationError(name, None, "is empty", "give at least one value, or leave it out")
        if len(items) > _MOST_IDS:
            raise KalturaConfigurationError(
                name, len(items), "are more values than Kaltura reads", f"give {_MOST_IDS} at most"
            )
        return ",".join(items)
    if isinstance(value, str) and not value.strip():
        raise KalturaConfigurationError(name, None, "is empty", "Kaltura would find every entry; leave it out")
    return value
