"""metadata_metadata: custom metadata of entries, without schemas (any well-formed XML under any profile is taken)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from kaltura_sandbox.api.errors import KalturaError, declare
from kaltura_sandbox.api.listing import BASE_FILTER, PAGER, list_reply, page
from kaltura_sandbox.api.registry import Service, param
from kaltura_sandbox.api.types import INT, STRING, TIME, Access, ObjectType, prop
from kaltura_sandbox.entries import store

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["service"]

declare("METADATA_ALREADY_EXISTS", "Metadata already exists [id: @METADATA_ID@]")
declare("METADATA_NOT_FOUND", "Metadata not found")
declare("INVALID_METADATA_DATA", "Invalid metadata data: @ERR@")

_RO = Access.READ_ONLY
_ENTRY = "1"
_METADATA = ObjectType(
    "KalturaMetadata",
    prop("id", INT, _RO),
    prop("partnerId", INT, _RO),
    prop("metadataProfileId", INT, _RO),
    prop("metadataObjectType", STRING, _RO),
    prop("objectId", STRING, _RO),
    prop("version", INT, _RO),
    prop("createdAt", TIME, _RO),
    prop("updatedAt", TIME, _RO),
    prop("status", INT, _RO),
    prop("xml", STRING, _RO),
)
_FILTER = ObjectType(
    "KalturaMetadataFilter",
    prop("metadataProfileIdEqual", INT),
    prop("metadataObjectTypeEqual"),
    prop("objectIdEqual"),
    base=BASE_FILTER,
)

service = Service("metadata_metadata")


@service.action(
    "add",
    param("metadataProfileId", INT),
    param("objectType", STRING),
    param("objectId", STRING),
    param("xmlData", STRING),
)
def add(call: Call, profile: int, kind: str, object_id: str, xml: str) -> Record:
    """Give an object its metadata of one profile."""
    _check(xml)
    if kind == _ENTRY:
        store.find(call, object_id)
    with call.app.database.transaction():
        for row in call.tables.metadata.find("object = ?", (object_id,)):
            if (row["metadataProfileId"], row["metadataObjectType"]) == (profile, kind):
                raise KalturaError("METADATA_ALREADY_EXISTS", row["id"])
        now = call.app.clock.now()
        made = {
            "id": call.app.database.next_number("metadata"), "partnerId": call.partner_id, "metadataProfileId": profile,
            "metadataObjectType": kind, "objectId": object_id, "version": 1, "createdAt": now, "updatedAt": now,
            "status": 1, "xml": xml,
        }  # fmt: skip
        return _METADATA.dump(call.tables.metadata.put(made))


@service.action("update", param("id", INT), param("xmlData", STRING, None), param("version", INT, None))
def update(call: Call, number: int, xml: str | None, _version: int | None) -> Record:
    """Change metadata; each change is a new version."""
    found = call.tables.metadata.get(number)
    if found is None:
        raise KalturaError("METADATA_NOT_FOUND")
    if xml and xml != found["xml"]:
        _check(xml)
        changes = {"xml": xml, "version": found["version"] + 1, "updatedAt": call.app.clock.now()}
        found = call.tables.metadata.change(number, **changes) or found
    return _METADATA.dump(found)


@service.action("list", param("filter", _FILTER, None), param("pager", PAGER, None))
def list_(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the metadata that the filter finds."""
    values = wanted.values if wanted else {}
    names = ("metadataProfileId", "metadataObjectType", "objectId")
    rows = [
        row
        for row in call.tables.metadata.find()
        if all(values.get(f"{name}Equal") in (None, row[name]) for name in names)
    ]
    limit, offset = page(pager)
    shown = [_METADATA.dump(row) for row in rows[offset : offset + limit]]
    return list_reply("KalturaMetadataListResponse", len(rows), shown)


def _check(xml: str) -> None:
    try:
        if "<!" in xml:
            raise ElementTree.ParseError("document types are not allowed")
        ElementTree.fromstring(xml)  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise KalturaError("INVALID_METADATA_DATA", str(error)) from error
