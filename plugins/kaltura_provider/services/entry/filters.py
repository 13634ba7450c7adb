"""Entry filters, checked: Kaltura ignores a misspelt property, and would then find every entry."""

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
    "statusNotEqual": str(int(EntryStatus.DELETED)),
    "moderationStatusIn": ",".join(str(int(status)) for status in ModerationStatus),
}
"""What finds entries of every status but deleted, those of plugins (``virusScan.Infected``) too.

Without it Kaltura lists only those that are READY and approved.
"""

_ENUMERATIONS = {
    "status": EntryStatus,
    "moderationStatus": ModerationStatus,
    "type": EntryType,
    "mediaType": MediaType,
    "documentType": DocumentType,
    "displayInSearch": DisplayInSearch,
    "replacementStatus": ReplacementStatus,
}
_RANGE = ("GreaterThanOrEqual", "LessThanOrEqual")
_OR_NULL = ("GreaterThanOrEqualOrNull", "LessThanOrEqualOrNull")
_MULTI = ("MultiLikeOr", "MultiLikeAnd")
_MATCH = ("MatchAnd", "MatchOr")


def _names(*groups: tuple[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(base + ending for bases, endings in groups for base in bases.split() for ending in endings)


# The properties of KalturaBaseEntryFilter, and those that its subclasses add.
_BASE = _names(
    ("id userId", ("Equal", "In", "NotIn")),
    ("status moderationStatus", ("Equal", "In", "NotEqual", "NotIn")),
    (
        "type displayInSearch replacementStatus referenceId replacingEntryId replacedEntryId rootEntryId",
        ("Equal", "In"),
    ),
    ("accessControlId partnerId", ("Equal", "In")),
    ("name", ("Equal", "Like", *_MULTI)),
    ("tags adminTags", ("Like", *_MULTI)),
    ("tagsName tagsAdminTags tagsAdminTagsName", _MULTI),
    ("categories categoriesIds", (*_MATCH, "NotContains")),
    ("entitledUsersEdit entitledUsersPublish entitledUsersView", _MATCH),
    ("createdAt updatedAt partnerSortValue rank totalRank", _RANGE),
    ("startDate endDate", (*_RANGE, *_OR_NULL)),
    ("creatorId parentEntryId conversionProfileId groupId", ("Equal",)),
    ("categoriesIdsEmpty categoriesFullNameIn categoryAncestorIdIn descriptionLike freeText isRoot", ("",)),
    ("searchTextMatchAnd searchTextMatchOr redirectFromEntryId advancedSearch", ("",)),
)
_MEDIA = _names(
    ("mediaType sourceType", ("Equal", "In")),
    ("sourceType", ("NotEqual", "NotIn")),
    ("mediaDate lastPlayedAt", _RANGE),
    ("lastPlayedAt", ("LessThanOrEqualOrNull",)),
    ("flavorParamsIds", _MATCH),
    ("duration", ("GreaterThan", "LessThan", *_RANGE)),
    ("durationTypeMatchOr", ("",)),
)
_DOCUMENT = _names(("documentType", ("Equal", "In")), ("assetParamsIds", _MATCH))
_CLASSES = {"media": ("KalturaMediaEntryFilter", _MEDIA), "document": ("KalturaDocumentEntryFilter", _DOCUMENT)}
_LIST_ENDINGS = ("In", "MatchAnd", "MatchOr", "MultiLikeOr", "MultiLikeAnd", "NotContains")
# The search index silently ignores further values.
_MOST_VALUES = 150


def entry_filter(wanted: Mapping[str, Any] | None, name: str = "filter", *, kind: str = "any") -> dict[str, Any]:
    """Return an entry filter with values as Kaltura reads them.

    Statuses and types may be names, dates ``datetime`` or ISO 8601 text, ``...In`` and ``...Match...`` lists. What only
    media or only documents have makes it a filter of these: the base class has no such property, and Kaltura ignores
    what a class does not have.

    :param kind: of the entries that are listed: ``any``, ``media``, ``document`` or ``data``.
    :raises KalturaConfigurationError: a property does not exist, or its value is invalid; the error names it.
    """
    given = {key: value for key, value in (wanted or {}).items() if value is not None}
    found = {}
    for key, value in given.items():
        if key == "orderBy":
            raise KalturaConfigurationError(f"{name}.orderBy", value, "is not for the caller", "leave it out")
        if key not in _BASE | _MEDIA | _DOCUMENT:
            raise KalturaConfigurationError(
                f"{name}.{key}", None, "is not a property of an entry filter",
                "use Kaltura's names, such as statusIn, tagsLike, createdAtGreaterThanOrEqual",
            )  # fmt: skip
        found[key] = _value(f"{name}.{key}", key, value)
    return _class_of(given, name, kind) | found


def _class_of(given: Mapping[str, Any], name: str, kind: str) -> dict[str, str]:
    """Return the class a filter needs beyond the one its list takes anyway."""
    special = {other: sorted(set(given) & names) for other, (_, names) in _CLASSES.items()}
    needed = [other for other, keys in special.items() if keys]
    if len(needed) > 1:
        both = " and ".join(special[other][0] for other in needed)
        raise KalturaConfigurationError(
            f"{name}.{special[needed[0]][0]}", None, f"cannot go together: {both}", "drop one"
        )
    if not needed:
        return {}
    if kind not in ("any", needed[0]):
        raise KalturaConfigurationError(
            f"{name}.{special[needed[0]][0]}", None, f"is not of {kind} entries", f"list kind {needed[0]}, or drop it"
        )
    return {"objectType": _CLASSES[needed[0]][0]}


def _value(name: str, key: str, value: Any) -> Any:
    items = list(value) if isinstance(value, (list, tuple, set, frozenset)) else None
    if items is None and key.endswith(_LIST_ENDINGS):
        items = str(value).split(",")
    if items is not None:
        items = [item for item in items if str(item).strip()]
        if len(items) > _MOST_VALUES:
            raise KalturaConfigurationError(
                name, len(items), "are more values than Kaltura reads", f"give {_MOST_VALUES} at most"
            )
    if items == [] or (isinstance(value, str) and not value.strip()):
        raise KalturaConfigurationError(name, None, "is empty", "Kaltura would find every entry; leave it out")
    base = re.sub(r"(Not)?(Equal|In)\Z", "", key)
    if base in _ENUMERATIONS:
        # Plugins add values with a dot, such as virusScan.Infected.
        return ",".join(
            str(i) if "." in str(i) else str(int(choose(_ENUMERATIONS[base], i, name))) for i in items or [value]
        )
    if re.match(r"(createdAt|updatedAt|startDate|endDate|lastPlayedAt|mediaDate)[GL]", key):
        return moment(value, name)
    return value if items is None else ",".join(str(item) for item in items)
