"""The rows of a bulk upload, and the CSV and XML files that Kaltura reads them from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from kaltura_provider.api.arguments import choose, entry_id
from kaltura_provider.api.enums import MediaType
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.entry.adding import read_metadata
from kaltura_provider.services.entry.kind import Kind, extension_of, kind_of
from kaltura_provider.services.import_url import BULK_SCHEMES, fetchable_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaltura_provider.services.entry.metadata import EntryMetadata

    Presign = Callable[[str], str]

__all__ = ["BulkAction", "BulkRow", "csv_file", "read_rows", "xml_file"]

_KINDS = {Kind.VIDEO: "video", Kind.AUDIO: "audio", Kind.IMAGE: "image"}
_FIELDS = frozenset(
    {"name", "description", "tags", "categories", "media_type", "conversion_profile_id", "reference_id"}
    | {"access_control_id", "user_id", "start_date", "end_date", "partner_data", "template_entry_id"}
)
_GUIDE_ACTION = "*action"
"""The name of the action column in Kaltura's guide."""
_OTHERS = frozenset({"url", "thumbnail_url", "action", _GUIDE_ACTION, "entry_id"})
# The first column never begins with # or *, which would make a row a comment or a header.
_COLUMNS = (
    "contentType", "title", "description", "tags", "url", "conversionProfileId", "accessControlProfileId", "category",
    "scheduleStartDate", "scheduleEndDate", "thumbnailUrl", "partnerData", "ownerId", "referenceId", "templateEntryId",
)  # fmt: skip

# What the schema of XML bulk uploads allows: characters, or categories.
_XML_LENGTHS = {
    "name": 256, "reference_id": 2000, "partner_data": 4000, "template_entry_id": 20, "categories": 32
}  # fmt: skip


class BulkAction(IntEnum):
    """KalturaBulkUploadAction: what a row does."""

    ADD = 1
    UPDATE = 2
    DELETE = 3


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One row: the action, the URL of the media, and the entry's metadata. ``given`` is the row as given.

    A row that updates or deletes has its entry in ``entry_id`` or ``said.reference_id``; an update may have a ``url``.
    """

    url: str
    kind: Kind
    said: EntryMetadata
    thumbnail_url: str | None
    given: Mapping[str, Any]
    action: BulkAction
    entry_id: str | None = None


def read_rows(rows: Iterable[Mapping[str, Any] | str], presign: Presign | None = None) -> list[BulkRow]:
    """Check the rows of a bulk upload. A row is a URL, or a mapping with ``url`` and any fields of an entry.

    :param presign: turns ``s3://bucket/key`` into a URL that Kaltura can fetch; without it such addresses are refused.
    :raises KalturaConfigurationError: a row has an unknown field or an invalid value; the error names the row (from 1).
    """
    if isinstance(rows, str):
        raise KalturaConfigurationError("rows", rows, "are text", "give a list of URLs or mappings")
    found = [_row(row, f"rows[{number}]", presign) for number, row in enumerate(rows, 1)]
    if not found:
        raise KalturaConfigurationError("rows", None, "are empty", "give at least one")
    return found


def _row(row: Mapping[str, Any] | str, name: str, presign: Presign | None) -> BulkRow:
    if isinstance(row, str):
        row = {"url": row}
    if not isinstance(row, Mapping):
        raise KalturaConfigurationError(name, str(row), "is neither a URL nor a mapping", "give url, name ...")
    if unknown := sorted(set(row) - _FIELDS - _OTHERS):
        known = ", ".join(sorted(_FIELDS | _OTHERS - {_GUIDE_ACTION}))
        raise KalturaConfigurationError(f"{name}.{unknown[0]}", None, "is not a field of a row", f"use {known}")
    action = choose(BulkAction, row.get("action", row.get(_GUIDE_ACTION)) or BulkAction.ADD, f"{name}.action")
    entry = _entry(row, name, action)
    url, thumbnail = _addresses(row, name, presign, needed=action is BulkAction.ADD)
    given = {field: value for field, value in row.items() if field in _FIELDS and value not in (None, "")}
    file_name = unquote(urlsplit(url).path).rsplit("/", 1)[-1]
    try:
        kind = kind_of(file_name, given.get("media_type")) if _tells(file_name, given) else Kind.VIDEO
        said, _ = read_metadata(given, file_name, default=kind)
    except (ValueError, KalturaConfigurationError) as error:
        message = getattr(error, "fix", str(error))
        raise KalturaConfigurationError(name, None, "is not valid", message) from None
    if kind not in _KINDS:
        raise KalturaConfigurationError(
            f"{name}.media_type", kind.value, "cannot come by bulk upload", "use video, audio or image"
        )
    return BulkRow(url, kind, said, thumbnail, dict(row), action, entry)


def _entry(row: Mapping[str, Any], name: str, action: BulkAction) -> str | None:
    """Check and return the id of the entry that a row is about."""
    given = row.get("entry_id")
    if action is BulkAction.ADD:
        if given:
            raise KalturaConfigurationError(
                f"{name}.entry_id", str(given), "goes with action update or delete only", "leave it out"
            )
        return None
    if action is BulkAction.DELETE and (
        more := sorted(set(row) - {"action", _GUIDE_ACTION, "entry_id", "reference_id"})
    ):
        raise KalturaConfigurationError(f"{name}.{more[0]}", None, "does not go with action delete", "leave it out")
    if given:
        return entry_id(given, f"{name}.entry_id")
    if not row.get("reference_id"):
        raise KalturaConfigurationError(
            f"{name}.entry_id", None, "is missing", f"an action {action.name.lower()} needs entry_id or reference_id"
        )
    return None


def _tells(file_name: str, given: Mapping[str, Any]) -> bool:
    return bool(given.get("media_type") or extension_of(file_name))


def _addresses(row: Mapping[str, Any], name: str, presign: Presign | None, *, needed: bool) -> tuple[str, str | None]:
    """Return the URLs of the media (if the row needs one) and of the thumbnail."""
    found: list[str | None] = []
    for field in ("url", "thumbnail_url"):
        given = str(row.get(field) or "")
        if given.startswith("s3://") and presign is not None:
            given = presign(given)
        wanted = given or (needed and field == "url")
        found.append(fetchable_url(given, f"{name}.{field}", schemes=BULK_SCHEMES) if wanted else None)
    return found[0] or "", found[1]


def csv_file(rows: Iterable[BulkRow]) -> bytes:
    r"""Return the rows as the CSV file Kaltura reads, with a header.

    :raises KalturaConfigurationError: a value has ``\"``, which Kaltura's reader takes for an escape; or a row updates
        or deletes, which Kaltura's reader of CSV passes over without a word.
    """
    target = io.StringIO()
    target.write("*" + ",".join(_COLUMNS) + "\n")
    writer = csv.writer(target, lineterminator="\n")
    for number, row in enumerate(rows, 1):
        if row.action is not BulkAction.ADD:
            raise KalturaConfigurationError(
                f"rows[{number}].action",
                row.action.name.lower(),
                "is passed over by Kaltura in a CSV file",
                "use the XML format",
            )
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
    return unquote(urlsplit(row.url).path).rsplit("/", 1)[-1][:256] or "Untitled"


def _moment(seconds: int | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def xml_file(rows: Iterable[BulkRow]) -> bytes:
    """Return the rows as the MRSS file Kaltura reads.

    :raises KalturaConfigurationError: a value is longer than the schema allows; Kaltura would refuse the whole file.
    """
    mrss = ET.Element("mrss", version="1.0")
    channel = ET.SubElement(mrss, "channel")
    for number, row in enumerate(rows, 1):
        _check_lengths(row, f"rows[{number}]")
        _item(ET.SubElement(channel, "item"), row)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(mrss, encoding="unicode").encode()


def _check_lengths(row: BulkRow, name: str) -> None:
    for field, maximum in _XML_LENGTHS.items():
        value = getattr(row.said, field)
        if value is not None and len(value) > maximum:
            unit = "categories" if field == "categories" else "characters"
            raise KalturaConfigurationError(
                f"{name}.{field}", None, f"has more than {maximum} {unit}", "shorten it, or use the CSV format"
            )


def _item(item: ET.Element, row: BulkRow) -> None:
    """Fill an item. The order of its elements is the schema's (``schema.serve``): another one fails the whole file."""
    said = row.said

    def add(parent: ET.Element, name: str, value: Any) -> None:
        if value not in (None, ""):
            ET.SubElement(parent, name).text = _clean(str(value))

    add(item, "action", row.action.name.lower())
    add(item, "type", 1)
    add(item, "entryId", row.entry_id)
    add(item, "referenceId", said.reference_id)
    if row.action is BulkAction.DELETE:
        return
    add(item, "userId", said.user_id)
    add(item, "name", said.name or (_title(row) if row.action is BulkAction.ADD else None))
    add(item, "description", said.description)
    for group, name, values in (("tags", "tag", said.tags), ("categories", "category", said.categories)):
        if values:
            parent = ET.SubElement(item, group)
            for value in values:
                add(parent, name, value)
    add(item, "partnerData", said.partner_data)
    add(item, "accessControlId", said.access_control_id)
    add(item, "conversionProfileId", said.conversion_profile_id)
    add(item, "startDate", _moment(said.start_date))
    add(item, "endDate", _moment(said.end_date))
    add(item, "templateEntryId", said.template_entry_id)
    # The media type of an entry cannot be changed.
    if row.action is BulkAction.ADD:
        media = ET.SubElement(item, "media")
        add(media, "mediaType", int(row.kind.media_type or MediaType.VIDEO))
    if row.url:
        content = ET.SubElement(ET.SubElement(item, "contentAssets"), "content")
        ET.SubElement(content, "urlContentResource", url=row.url)
    if row.thumbnail_url:
        thumbnail = ET.SubElement(ET.SubElement(item, "thumbnails"), "thumbnail", isDefault="true")
        ET.SubElement(thumbnail, "urlContentResource", url=row.thumbnail_url)


def _clean(text: str) -> str:
    """Remove characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or (ord(c) >= 0x20 and c not in "\ufffe\uffff"))
