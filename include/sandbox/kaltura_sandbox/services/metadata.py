"""metadata_metadataProfile and metadata_metadata: custom metadata of entries, valid by the schema of its profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from kaltura_sandbox.api.listing import BASE_FILTER, PAGER, list_reply, page
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import INT, STRING, TIME, Access, ObjectType, prop
from kaltura_sandbox.entries.types import DELETED
from kaltura_sandbox.errors import KalturaError, declare

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["profiles", "service"]

declare("METADATA_PROFILE_NOT_FOUND", "metadata profile not found, id [@ID@]")
declare("INVALID_METADATA_PROFILE_SCHEMA", "invalid metadata profile schema: @ERR_MSG@")
declare(
    "INCOMPATIBLE_METADATA_PROFILE_OBJECT_TYPE",
    "Metadata Profile object type is @OBJ_TYPE@, metadata object type is @META_OBJ_TYPE@",
)
declare("INVALID_METADATA_OBJECT", "invalid metadata object [@OBJECT@]")
declare("INVALID_METADATA_VERSION", "invalid metadata version [@VERSION@]")
declare("INVALID_METADATA_DATA", "invalid metadata data: @ERR_MSG@")
declare("METADATA_NOT_FOUND", "metadata not found, id [@ID@]")
declare("METADATA_ALREADY_EXISTS", "Metadata already exists id [@ID@]")

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

_PROFILE = ObjectType(
    "KalturaMetadataProfile",
    prop("id", INT, _RO),
    prop("partnerId", INT, _RO),
    prop("metadataObjectType"),
    prop("version", INT, _RO),
    prop("name"),
    prop("systemName"),
    prop("description"),
    prop("createdAt", TIME, _RO),
    prop("updatedAt", TIME, _RO),
    prop("status", INT, _RO),
    prop("xsd", STRING, _RO),
    prop("createMode", INT),
)
_PROFILE_FILTER = ObjectType(
    "KalturaMetadataProfileFilter", prop("idEqual", INT), prop("systemNameEqual"), base=BASE_FILTER
)

profiles = Service("metadata_metadataProfile")
service = Service("metadata_metadata")


@profiles.action(
    "add",
    param("metadataProfile", _PROFILE),
    param("xsdData", STRING),
    param("viewsData", STRING, None),
    level=Level.ADMIN,
)
def add_profile(call: Call, value: ObjectValue, xsd: str, _views: str | None) -> Record:
    """Make a profile of a schema."""
    value.require("metadataObjectType")
    _schema(xsd)
    now = call.account.clock.now()
    made = {
        **value.values, "id": call.account.database.next_number("metadata_profile"), "partnerId": call.partner_id,
        "version": 1, "createdAt": now, "updatedAt": now, "status": 1, "xsd": xsd,
    }  # fmt: skip
    return _PROFILE.dump(call.tables.metadata_profiles.put(made))


@profiles.action("list", param("filter", _PROFILE_FILTER, None), param("pager", PAGER, None), level=Level.ADMIN)
def list_profiles(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the account's profiles."""
    values = wanted.values if wanted else {}
    rows = [
        row
        for row in call.tables.metadata_profiles.find()
        if values.get("idEqual") in (None, row["id"]) and values.get("systemNameEqual") in (None, row.get("systemName"))
    ]
    limit, offset = page(pager)
    shown = [_PROFILE.dump(row) for row in rows[offset : offset + limit]]
    return list_reply("KalturaMetadataProfileListResponse", len(rows), shown)


@service.action(
    "add",
    param("metadataProfileId", INT),
    param("objectType", STRING),
    param("objectId", STRING),
    param("xmlData", STRING),
)
def add(call: Call, profile: int, kind: str, object_id: str, xml: str) -> Record:
    """Give an object its metadata of one profile."""
    form = call.tables.metadata_profiles.get(profile)
    if form is None:
        raise KalturaError("METADATA_PROFILE_NOT_FOUND", profile)
    if str(form["metadataObjectType"]) != kind:
        raise KalturaError("INCOMPATIBLE_METADATA_PROFILE_OBJECT_TYPE", form["metadataObjectType"], kind)
    entry = call.tables.entries.get(object_id) if kind == _ENTRY else None
    if entry is None or entry["status"] == DELETED:
        raise KalturaError("INVALID_METADATA_OBJECT", object_id)
    with call.account.database.transaction():
        for row in call.tables.metadata.find("object = ?", (object_id,)):
            if (row["metadataProfileId"], row["metadataObjectType"]) == (profile, kind):
                raise KalturaError("METADATA_ALREADY_EXISTS", row["id"])
        _check(xml, form["xsd"])
        now = call.account.clock.now()
        made = {
            "id": call.account.database.next_number("metadata"), "partnerId": call.partner_id,
            "metadataProfileId": profile,
            "metadataObjectType": kind, "objectId": object_id, "version": 1, "createdAt": now, "updatedAt": now,
            "status": 1, "xml": xml,
        }  # fmt: skip
        return _METADATA.dump(call.tables.metadata.put(made))


@service.action("update", param("id", INT), param("xmlData", STRING, None), param("version", INT, None))
def update(call: Call, number: int, xml: str | None, version: int | None) -> Record:
    """Change metadata; each change is a new version."""
    found = call.tables.metadata.get(number)
    if found is None:
        raise KalturaError("METADATA_NOT_FOUND", number)
    if version and version != found["version"]:
        raise KalturaError("INVALID_METADATA_VERSION", found["version"])
    if xml and xml != found["xml"]:
        form = call.tables.metadata_profiles.get(found["metadataProfileId"]) or {}
        _check(xml, form.get("xsd", ""))
        changes = {"xml": xml, "version": found["version"] + 1, "updatedAt": call.account.clock.now()}
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


def _schema(xsd: str) -> etree.XMLSchema:
    try:
        return etree.XMLSchema(_parsed(xsd))
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError, ValueError) as error:
        raise KalturaError("INVALID_METADATA_PROFILE_SCHEMA", error) from error


def _check(xml: str, xsd: str) -> None:
    schema = _schema(xsd)
    try:
        document = _parsed(xml)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise KalturaError("INVALID_METADATA_DATA", error) from error
    if not schema.validate(document):
        raise KalturaError("INVALID_METADATA_DATA", "\n".join(error.message for error in schema.error_log))


def _parsed(text: str) -> etree._Element:
    return etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
