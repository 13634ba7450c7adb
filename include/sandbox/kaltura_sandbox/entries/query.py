"""Entry filters: their declared properties and the SQL conditions they become."""

from __future__ import annotations

from typing import Any

from kaltura_sandbox.api.listing import BASE_FILTER, split
from kaltura_sandbox.api.types import INT, STRING, TIME, ObjectType, ObjectValue, ValueType, prop
from kaltura_sandbox.entries import types
from kaltura_sandbox.store.query import Query
from kaltura_sandbox.store.search import reference_key

__all__ = ["DATA_FILTER", "DOCUMENT_FILTER", "ENTRY_FILTER", "MEDIA_FILTER", "entry_query"]

# filter name -> (column, type)
_NUMBERS = {
    "type": "type",
    "mediaType": "media_type",
    "documentType": "document_type",
    "moderationStatus": "moderation_status",
    "displayInSearch": "display",
    "replacementStatus": "replacement_status",
    "partnerSortValue": "sort_value",
    "duration": "duration",
    "msDuration": "ms_duration",
    "accessControlId": "access_control",
    "conversionProfileId": "profile",
}
_TEXTS = {
    "id": "id",
    "status": "status",
    "userId": "user",
    "creatorId": "creator",
    "sourceType": "source_type",
    "replacingEntryId": "replacing",
    "replacedEntryId": "replaced",
    "rootEntryId": "root",
    "parentEntryId": "parent",
    "partnerData": "partner_data",
    "referenceId": "reference",
}
_TIMES = {"createdAt": "created", "updatedAt": "updated", "startDate": "start", "endDate": "end"}
_WORDS = {
    "tags": "tags",
    "adminTags": "admin_tags",
    "categories": "categories",
    "categoriesIds": "categories_ids",
    "flavorParamsIds": "flavors",
}
_ORDERS = {
    "name": "name_lower",
    "moderationCount": "moderation_count",
    "createdAt": "created",
    "updatedAt": "updated",
    "startDate": '"start"',
    "endDate": '"end"',
    "partnerSortValue": "sort_value",
    "plays": "plays",
    "views": "views",
    "duration": "duration",
    "mediaType": "media_type",
    "recent": "created",
}
_ENUMERATIONS: dict[str, ValueType] = {
    "status": types.STATUS,
    "type": types.ENTRY_TYPE,
    "mediaType": types.MEDIA_TYPE,
    "documentType": types.DOCUMENT_TYPE,
    "moderationStatus": types.MODERATION_STATUS,
    "displayInSearch": types.DISPLAY_IN_SEARCH,
    "replacementStatus": types.REPLACEMENT_STATUS,
    "sourceType": types.SOURCE_TYPE,
}
_COMPARISONS = {
    "Equal": "=",
    "NotEqual": "!=",
    "GreaterThanOrEqual": ">=",
    "LessThanOrEqual": "<=",
    "GreaterThan": ">",
    "LessThan": "<",
}
_LIST_LIMIT = 500


_RANGE = "GreaterThanOrEqual LessThanOrEqual"
_MULTI = "MultiLikeOr MultiLikeAnd"
_MATCH = "MatchAnd MatchOr"
# Class -> its own properties, as bases and the endings they take. What a class does not declare, it ignores.
_BASE = (
    ("id userId", "Equal In NotIn"),
    ("status moderationStatus", "Equal In NotEqual NotIn"),
    ("type displayInSearch replacementStatus referenceId replacingEntryId replacedEntryId rootEntryId", "Equal In"),
    ("accessControlId partnerId", "Equal In"),
    ("name", f"Equal Like {_MULTI}"),
    ("tags adminTags", f"Like {_MULTI}"),
    ("tagsName tagsAdminTags tagsAdminTagsName", _MULTI),
    ("categories categoriesIds", f"{_MATCH} NotContains"),
    ("entitledUsersEdit entitledUsersPublish entitledUsersView", _MATCH),
    ("createdAt updatedAt partnerSortValue rank totalRank", _RANGE),
    ("startDate endDate", f"{_RANGE} GreaterThanOrEqualOrNull LessThanOrEqualOrNull"),
    ("creatorId parentEntryId conversionProfileId groupId", "Equal"),
    ("categoriesIds", "Empty"),
    ("categoriesFullName categoryAncestorId", "In"),
    ("description", "Like"),
    ("searchText", _MATCH),
)
_PLAIN = ("freeText", "isRoot", "redirectFromEntryId", "excludedFreeTextGroups")
_PLAYABLE = (
    ("duration", f"GreaterThan LessThan {_RANGE}"),
    ("durationType", "MatchOr"),
    ("lastPlayedAt", f"{_RANGE} LessThanOrEqualOrNull"),
)
_MEDIA = (
    ("mediaType", "Equal In"),
    ("sourceType", "Equal In NotEqual NotIn"),
    ("mediaDate", _RANGE),
    ("flavorParamsIds", _MATCH),
)
_DOCUMENT = (("documentType", "Equal In"), ("assetParamsIds", _MATCH))
_DATES = (*_TIMES, "lastPlayedAt", "mediaDate")


def _declared(*groups: tuple[str, str]) -> list[Any]:
    return [
        prop(base + ending, _type_of(base, ending))
        for bases, endings in groups
        for base in bases.split()
        for ending in endings.split()
    ]


def _type_of(base: str, ending: str) -> ValueType:
    if ending in ("Equal", "NotEqual") and base in _ENUMERATIONS:
        return _ENUMERATIONS[base]
    if base in _DATES:
        return TIME
    return INT if base in _NUMBERS and ending in _COMPARISONS else STRING


ENTRY_FILTER = ObjectType(
    "KalturaBaseEntryFilter", *_declared(*_BASE), *(prop(name) for name in _PLAIN), base=BASE_FILTER
)
PLAYABLE_FILTER = ObjectType("KalturaPlayableEntryFilter", *_declared(*_PLAYABLE), base=ENTRY_FILTER)
MEDIA_FILTER = ObjectType("KalturaMediaEntryFilter", *_declared(*_MEDIA), base=PLAYABLE_FILTER)
DATA_FILTER = ObjectType("KalturaDataEntryFilter", base=ENTRY_FILTER)
DOCUMENT_FILTER = ObjectType("KalturaDocumentEntryFilter", *_declared(*_DOCUMENT), base=ENTRY_FILTER)


def entry_query(value: ObjectValue | None) -> Query:
    """Translate the conditions of a filter. The caller adds defaults and permissions."""
    query = Query()
    for name, item in (value.values if value else {}).items():
        if item is not None and name != "orderBy":
            _condition(query, name, item)
    _ids(query, value)
    _order(query, value.get("orderBy", "") if value else "")
    return query


def _condition(query: Query, name: str, item: Any) -> None:
    if name in ("freeText", "searchTextMatchAnd", "searchTextMatchOr"):
        _free_text(query, item, any_word=name.endswith("Or"))
        return
    for names, numeric in ((_NUMBERS, True), (_TIMES, True), (_TEXTS, False)):
        for field, column in names.items():
            if name.startswith(field) and _compare(query, column, name[len(field) :], item, numeric=numeric):
                return
    for field, kind in (*_WORDS.items(), ("name", "name")):
        if name.startswith(field) and _words(query, kind, name[len(field) :], str(item)):
            return


def _compare(query: Query, column: str, suffix: str, item: Any, *, numeric: bool) -> bool:
    """Add a comparison; return False if the suffix is not one."""

    def cast(text: Any) -> Any:
        if column == "reference":
            return reference_key(str(text))
        if numeric:
            return int(text) if str(text).lstrip("-").isdigit() else None
        return str(text)

    if suffix in ("In", "NotIn"):
        values = [cast(text) for text in split(str(item))[:_LIST_LIMIT]]
        query.one_of(column, values, negate=suffix == "NotIn")
    elif suffix in _COMPARISONS:
        query.add(f'"{column}" {_COMPARISONS[suffix]} ?', cast(item))
    elif suffix.removesuffix("OrNull") in _COMPARISONS:
        sign = _COMPARISONS[suffix.removesuffix("OrNull")]
        query.add(f'("{column}" IS NULL OR "{column}" {sign} ?)', cast(item))
    else:
        return False
    return True


def _words(query: Query, kind: str, suffix: str, item: str) -> bool:
    values = [text.lower() for text in split(item)]
    if kind == "name" and suffix in ("Equal", "Like", "MultiLikeOr", "MultiLikeAnd"):
        _name(query, suffix, item, values)
        return True
    found = "seq IN (SELECT seq FROM {words} WHERE kind = '%s' AND word IN (%s))"
    if suffix in ("MultiLikeOr", "MatchOr", "Like", "Equal"):
        if suffix in ("Like", "Equal"):
            values = [item.strip().lower()]
        query.add(found % (kind, ", ".join("?" * len(values))), *values)
    elif suffix in ("MultiLikeAnd", "MatchAnd"):
        for value in values:
            query.add(found % (kind, "?"), value)
    elif suffix == "NotContains":
        query.add("NOT " + found % (kind, ", ".join("?" * len(values))), *values)
    else:
        return False
    return True


def _name(query: Query, suffix: str, item: str, values: list[str]) -> None:
    if suffix == "Equal":
        query.add("name = ?", item)
    elif suffix == "MultiLikeOr":
        query.add("(" + " OR ".join(["instr(name_lower, ?)"] * len(values) or ["0"]) + ")", *values)
    else:
        for value in values if suffix == "MultiLikeAnd" else item.lower().split():
            query.add("instr(name_lower, ?)", value)


def _free_text(query: Query, text: str, *, any_word: bool) -> None:
    words = [word.strip("\"'*,").lower() for word in text.split()]
    words = [word for word in words if word]
    if not words:
        return
    joined = (" OR " if any_word else " AND ").join(["instr(text, ?)"] * len(words))
    query.add(f"({joined} OR id = ?)", *words, text.strip())


def _ids(query: Query, value: ObjectValue | None) -> None:
    if value is not None and (value.get("idEqual") or value.get("idIn")):
        query.ids = split(value.get("idEqual", "") or value.get("idIn", ""))[:_LIST_LIMIT]


def _order(query: Query, text: str) -> None:
    orders = []
    for item in split(text):
        if column := _ORDERS.get(item.lstrip("+-")):
            orders.append(f"{column} {'DESC' if item.startswith('-') else 'ASC'}")
    if orders:
        # Entries of the same second keep the order in which they were made.
        query.order = ", ".join([*orders, f"seq {orders[-1].rpartition(' ')[2]}"])
