"""Bulk upload files as rows: CSV in its three versions, and the part of the XML format that makes entries."""

from __future__ import annotations

import calendar
import csv
import io
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from kaltura_sandbox.bulk import schema

__all__ = ["ADD", "DELETE", "UPDATE", "BulkFileError", "Row", "RowError", "entry_values", "parse_csv", "parse_xml"]

ADD, UPDATE, DELETE = "1", "2", "3"

_V1 = ("title", "description", "tags", "url", "contentType")
_V2 = (
    *_V1, "conversionProfileId", "accessControlProfileId", "category", "scheduleStartDate", "scheduleEndDate",
    "thumbnailUrl", "partnerData",
)  # fmt: skip
_ACTIONS = {"": ADD, "add": ADD, "update": UPDATE, "delete": DELETE}
_MEDIA_TYPES = {"image": 2, "audio": 5}
# Column -> property of the entry, for those that are copied as they are.
_COPIED = {
    "title": "name",
    "description": "description",
    "tags": "tags",
    "conversionProfileId": "conversionProfileId",
    "accessControlProfileId": "accessControlId",
    "category": "categories",
    "partnerData": "partnerData",
    "ownerId": "userId",
    "entitledUsersEdit": "entitledUsersEdit",
    "entitledUsersPublish": "entitledUsersPublish",
    "entitledUsersView": "entitledUsersView",
    "referenceId": "referenceId",
    "templateEntryId": "templateEntryId",
}


class BulkFileError(Exception):
    """The file as a whole cannot be read."""


class RowError(Exception):
    """One row cannot become an entry."""


@dataclass(slots=True)
class Row:
    """One row: its values as written, and by column name; ``error`` when its shape is wrong."""

    raw: list[str]
    values: dict[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def action(self) -> str:
        """The number of the action, or the text of the row if it is not an action."""
        text = self.values.get("action", "").strip().lower()
        return _ACTIONS.get(text, text)


def parse_csv(data: bytes) -> list[Row]:
    """Return the rows of a CSV file; comments and blank rows are left out.

    :raises BulkFileError: it is not text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BulkFileError("Bulk upload failed: the file is not UTF-8 text") from error
    header: list[str] | None = None
    rows = []
    for number, cells in enumerate(csv.reader(io.StringIO(text))):
        if number == 0 and cells and cells[0].lstrip().startswith("*"):
            header = [cell.strip("* ") for cell in cells]
        elif any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
            rows.append(_row(cells, header))
    return rows


def _row(cells: list[str], header: list[str] | None) -> Row:
    names = header or {len(_V1): _V1, len(_V2): _V2}.get(len(cells))
    if names is None or len(cells) > len(names):
        return Row(cells, error=f"wrong number of values: {len(cells)}")
    return Row(cells, {name: cell.strip() for name, cell in zip(names, cells, strict=False)})


def parse_xml(data: bytes, job: int) -> list[Row]:
    """Return the items of an ``mrss`` file.

    :raises BulkFileError: it is not XML, or does not follow the schema. Then all of it is refused.
    """
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - entities were refused when the file came
    except ElementTree.ParseError as error:
        raise BulkFileError(f"Could not load xml [{job}], {error}") from error
    if wrong := "\n".join(schema.errors_in(root)):
        raise BulkFileError(f"Validate files failed on job [{job}], {wrong}")
    return [_item(item) for item in root.iter("item")]


def _item(item: ElementTree.Element) -> Row:
    content = item.find("contentAssets/content/urlContentResource")
    thumbnail = item.find("thumbnails/thumbnail/urlContentResource")
    media = item.findtext("media/mediaType", "1")
    values = {
        "action": item.findtext("action", ""),
        "title": item.findtext("name", ""),
        "description": item.findtext("description", ""),
        "tags": ",".join(tag.text or "" for tag in item.iterfind("tags/tag")),
        "category": ",".join(category.text or "" for category in item.iterfind("categories/category")),
        "contentType": {"2": "image", "5": "audio"}.get(media, "video"),
        "url": content.get("url", "") if content is not None else "",
        "scheduleStartDate": item.findtext("startDate", ""),
        "scheduleEndDate": item.findtext("endDate", ""),
        "conversionProfileId": item.findtext("conversionProfileId", ""),
        "accessControlProfileId": item.findtext("accessControlId", ""),
        "ownerId": item.findtext("userId", ""),
        "entryId": item.findtext("entryId", ""),
        "thumbnailUrl": thumbnail.get("url", "") if thumbnail is not None else "",
    }
    for name in ("referenceId", "partnerData", "templateEntryId"):
        values[name] = item.findtext(name, "")
    return Row([values["title"], values["url"]], {name: value.strip() for name, value in values.items()})


def entry_values(row: Row, *, needs_url: bool = True) -> dict[str, Any]:
    """Return a row as the properties of a media entry, as a request would hold them.

    :raises RowError: a date or the URL is not valid.
    """
    kind = _MEDIA_TYPES.get(row.values.get("contentType", "").lower(), 1)
    sent: dict[str, Any] = {"objectType": "KalturaMediaEntry", "mediaType": kind}
    for column, name in _COPIED.items():
        if row.values.get(column):
            sent[name] = row.values[column]
    for column, name in (("scheduleStartDate", "startDate"), ("scheduleEndDate", "endDate")):
        if row.values.get(column):
            sent[name] = _moment(row.values[column], column)
    url = row.values.get("url", "")
    if (url or needs_url) and not _is_url(url):
        raise RowError(f"Entry url '{url}' is invalid")
    return sent


def _moment(text: str, column: str) -> int:
    try:
        return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError as error:
        raise RowError(f"Invalid date '{text}' in {column}, expected YYYY-MM-DDTHH:MM:SS") from error


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https", "ftp", "sftp", "scp") and bool(parts.netloc) and " " not in text
