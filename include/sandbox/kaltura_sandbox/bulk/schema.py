"""The schema of XML bulk uploads, as far as entries go: which elements an item has, in which order, and how long."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

__all__ = ["errors_in"]


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in the order of an item's elements: which may stand there, and how many of them."""

    names: frozenset[str]
    maximum: int = 1


def _in_order(*places: str) -> list[_Place]:
    return [_Place(frozenset(names.split("|"))) for names in places]


# The order is the schema's (schema.serve, type bulkUploadXml.bulkUploadXML).
_ITEM = [
    *_in_order("action"),
    _Place(frozenset({"type", "licenseType", "entryId", "referenceId", "parentReferenceId"}), 3),
    *_in_order("userId", "name", "description", "keepManualThumbnails", "tags", "categories", "partnerData"),
    *_in_order("partnerSortData", "accessControlId|accessControl", "conversionProfileId|conversionProfile"),
    *_in_order("startDate", "endDate", "templateEntryId|templateEntry", "media", "msDuration", "contentAssets"),
    *_in_order("thumbnails"),
    _Place(frozenset({"attachments", "subTitles", "customData", "customDataItems", "distributions", "scenes"}), 99),
]
_LENGTHS = {
    "entryId": 20, "referenceId": 2000, "parentReferenceId": 100, "userId": 100, "name": 256, "partnerData": 4000,
    "accessControl": 120, "conversionProfile": 120, "templateEntryId": 20, "templateEntry": 2000,
}  # fmt: skip
_NUMBER, _MOMENT = (
    re.compile(r"\s*[+-]?\d+\s*"),
    re.compile(r"\s*-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?\s*"),
)
_SHAPES = {
    "action": re.compile("add|update|delete"),
    "type": re.compile(r"-?\d+|\w+\.\w+"),
    "startDate": _MOMENT,
    "endDate": _MOMENT,
    **dict.fromkeys(("partnerSortData", "accessControlId", "conversionProfileId", "msDuration"), _NUMBER),
}
_URL = re.compile(r"(https?|ftp|sftp|scp)://[ !#-\[\]_a-z~]*", re.IGNORECASE)
_MOST_CATEGORIES = 32


def errors_in(root: Element) -> Iterator[str]:
    """Yield what is wrong with a file, in the words of a schema validator."""
    if root.tag != "mrss":
        yield f"Element '{root.tag}': No matching global declaration available for the validation root."
        return
    items = [item for channel in root.iterfind("channel") for item in channel]
    if not items:
        yield "Element 'mrss': Missing child element(s). Expected is ( channel )."
    for item in items:
        yield from _order_of(item)
        for child in item:
            yield from _value_of(child)
        yield from _assets_of(item)


def _order_of(item: Element) -> Iterator[str]:
    reached, seen = 0, Counter[int]()
    for child in item:
        place = next((at for at, place in enumerate(_ITEM) if child.tag in place.names), None)
        if place is None or place < reached or seen[place] >= _ITEM[place].maximum:
            yield f"Element '{child.tag}': This element is not expected."
            return
        reached = place
        seen[place] += 1


def _value_of(child: Element) -> Iterator[str]:
    text, limit = child.text or "", _LENGTHS.get(child.tag)
    if limit is not None and len(text) > limit:
        yield f"Element '{child.tag}': [facet 'maxLength'] The value has a length of '{len(text)}'; at most '{limit}'."
    shape = _SHAPES.get(child.tag)
    if shape is not None and not shape.fullmatch(text):
        yield f"Element '{child.tag}': '{text}' is not a valid value."
    if child.tag == "categories" and len(child) > _MOST_CATEGORIES:
        yield "Element 'category': This element is not expected."
    if child.tag == "media" and not _NUMBER.fullmatch(child.findtext("mediaType") or ""):
        yield "Element 'media': Missing child element(s). Expected is ( mediaType )."


def _assets_of(item: Element) -> Iterator[str]:
    for resource in item.iter("urlContentResource"):
        url = resource.get("url")
        if url is None or not _URL.fullmatch(url):
            yield f"Element 'urlContentResource', attribute 'url': '{url}' is not accepted by the pattern."
