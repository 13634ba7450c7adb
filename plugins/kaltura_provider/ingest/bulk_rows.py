"""Rows of a bulk upload, checked, and the CSV and XML files that Kaltura reads them from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from kaltura_provider.api.enums import MediaType
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.ingest.entries import read_metadata
from kaltura_provider.ingest.kinds import Kind, extension_of, kind_of

if TYPE_CHECKING:
    from kaltura_provider.ingest.metadata import EntryMetadata

__all__ = ["BulkRow", "csv_file", "read_rows", "xml_file"]

_SCHEMES = ("http", "https", "ftp", "sftp", "scp")
_KINDS = {Kind.VIDEO: "video", Kind.AUDIO: "audio", Kind.IMAGE: "image"}
_FIELDS = frozenset(
    {"name", "description", "tags", "categories", "media_type", "conversion_profile_id", "reference_id"}
    | {"access_control_id", "user_id", "start_date", "end_date", "partner_data", "template_entry_id"}
)
# The first column never begins with # or *, which would make a row a comment or a header.
_COLUMNS = (
    "contentType", "title", "description", "tags", "url", "conversionProfileId", "accessControlProfileId", "category",
    "scheduleStartDate", "scheduleEndDate", "thumbnailUrl", "partnerData", "ownerId", "referenceId", "templateEntryId",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One row: where the media is, what it becomes, and what it is called; ``given`` is it as it was given."""

    url: str
    kind: Kind
    said: EntryMetadata
    thumbnail_url: str | None
    given: Mapping[str, Any]


def read_rows(rows: Iterable[Mapping[str, Any]]) -> list[BulkRow]:
    """Return the rows of a bulk upload, checked: each has ``url`` and any fields of an entry.

    :raises KalturaConfigurationError: a row has an unknown field or an impossible value; names the row (from 1).
    """
    found = [_row(row, f"rows[{number}]") for number, row in enumerate(rows, 1)]
    if not found:
        raise KalturaConfigurationError("rows", None, "are empty", "give at least one")
    return found


def _row(row: Mapping[str, Any], name: str) -> BulkRow:
    if not isinstance(row, Mapping):
        raise KalturaConfigurationError(name, str(row), "is no mapping", "give url, name ...")
    if unknown := sorted(set(row) - _FIELDS - {"url", "thumbnail_url"}):
        known = ", ".join(sorted(_FIELDS | {"url", "thumbnail_url"}))
        raise KalturaConfigurationError(f"{name}.{unknown[0]}", None, "is no field of a row", f"use {known}")
    url = _url(row.get("url"), f"{name}.url")
    thumbnail = _url(row["thumbnail_url"], f"{name}.thumbnail_url") if row.get("thumbnail_url") else None
    given = {field: value for field, value in row.items() if field in _FIELDS and value not in (None, "")}
    file_name = urlsplit(url).path.rsplit("/", 1)[-1]
    try:
        kind = kind_of(file_name, given.get("media_type")) if _tells(file_name, given) else Kind.VIDEO
        said, _ = read_metadata(given, file_name, default=kind)
    except (ValueError, KalturaConfigurationError) as error:
        message = getattr(error, "fix", str(error))
        raise KalturaConfigurationError(name, None, "cannot be", message) from None
    if kind not in _KINDS:
        raise KalturaConfigurationError(
            f"{name}.media_type", kind.value, "cannot come by bulk upload", "use video, audio or image"
        )
    return BulkRow(url, kind, said, thumbnail, dict(row))


def _tells(file_name: str, given: Mapping[str, Any]) -> bool:
    return bool(given.get("media_type") or extension_of(file_name))


def _url(value: Any, name: str) -> str:
    url = str(value or "")
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname or any(c.isspace() for c in url):
        raise KalturaConfigurationError(
            name, url or None, "is no address Kaltura fetches", f"give one with a host, by {', '.join(_SCHEMES)}"
        )
    return url


def csv_file(rows: Iterable[BulkRow]) -> bytes:
    r"""Return the rows as the CSV file Kaltura reads, with a header.

    :raises KalturaConfigurationError: a value has ``\"``, which Kaltura's reader takes for an escape.
    """
    target = io.StringIO()
    target.write("*" + ",".join(_COLUMNS) + "\n")
    writer = csv.writer(target, lineterminator="\n")
    for number, row in enumerate(rows, 1):
        cells = _cells(row)
        for column, cell in zip(_COLUMNS, cells, strict=True):
            if '\\"' in cell or (cell.endswith("\\") and any(c in cell for c in ',"\n')):
                raise KalturaConfigurationError(
                    f"rows[{number}] {column}", None, "has a backslash before a quote", "use the XML format"
                )
        writer.writerow(cells)
    return target.getvalue().encode()


def _cells(row: BulkRow) -> list[str]:
    said = row.said
    values = (
        _KINDS[row.kind], said.name or _title(row), said.description, ",".join(said.tags), row.url,
        said.conversion_profile_id, said.access_control_id, ",".join(said.categories), _moment(said.start_date),
        _moment(said.end_date), row.thumbnail_url, said.partner_data, said.user_id, said.reference_id,
        said.template_entry_id,
    )  # fmt: skip
    return ["" if value is None else str(value) for value in values]


def _title(row: BulkRow) -> str:
    return urlsplit(row.url).path.rsplit("/", 1)[-1] or "Untitled"


def _moment(seconds: int | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def xml_file(rows: Iterable[BulkRow]) -> bytes:
    """Return the rows as the MRSS file Kaltura reads."""
    mrss = ET.Element("mrss", version="1.0")
    channel = ET.SubElement(mrss, "channel")
    for row in rows:
        _item(ET.SubElement(channel, "item"), row)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(mrss, encoding="unicode").encode()


def _item(item: ET.Element, row: BulkRow) -> None:
    said = row.said

    def add(parent: ET.Element, name: str, value: Any) -> None:
        if value not in (None, ""):
            ET.SubElement(parent, name).text = _clean(str(value))

    add(item, "action", "add")
    add(item, "type", 1)
    add(item, "referenceId", said.reference_id)
    add(item, "userId", said.user_id)
    add(item, "name", said.name or _title(row))
    add(item, "description", said.description)
    for group, name, values in (("tags", "tag", said.tags), ("categories", "category", said.categories)):
        if values:
            parent = ET.SubElement(item, group)
            for value in values:
                add(parent, name, value)
    add(item, "accessControlId", said.access_control_id)
    add(item, "conversionProfileId", said.conversion_profile_id)
    add(item, "startDate", _moment(said.start_date))
    add(item, "endDate", _moment(said.end_date))
    media = ET.SubElement(item, "media")
    add(media, "mediaType", int(row.kind.media_type or MediaType.VIDEO))
    content = ET.SubElement(ET.SubElement(item, "contentAssets"), "content")
    ET.SubElement(content, "urlContentResource", url=row.url)
    if row.thumbnail_url:
        thumbnail = ET.SubElement(ET.SubElement(item, "thumbnails"), "thumbnail", isDefault="true")
        ET.SubElement(thumbnail, "urlContentResource", url=row.thumbnail_url)
    add(item, "partnerData", said.partner_data)
    add(item, "templateEntryId", said.template_entry_id)


def _clean(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or ord(c) >= 0x20)
