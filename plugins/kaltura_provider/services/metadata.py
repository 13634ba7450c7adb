"""Custom metadata of entries (service ``metadata_metadata``): XML of a metadata profile, written only if it differs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from kaltura_provider.api.errors import KalturaAPIError, KalturaConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.api.client import KalturaClient

__all__ = ["metadata_xml", "set_metadata"]

_FIELD = re.compile(r"[A-Za-z_][\w.-]*")
_ENTRY = 1


def metadata_xml(values: Mapping[str, Any] | None, xml: str | None) -> str:
    """Return the metadata as XML, either as given or built from field names and values (a list repeats a field).

    :raises KalturaConfigurationError: both or none are given, a name is not valid, or the XML is not well-formed.
    """
    if bool(values) == bool(xml):
        raise KalturaConfigurationError("values and xml", None, "exclude each other", "give one of them")
    if xml:
        try:
            if "<!" in xml:
                raise ET.ParseError("it has a document type, comment or CDATA section")
            ET.fromstring(xml)  # noqa: S314 - entities are refused above
        except ET.ParseError as error:
            raise KalturaConfigurationError("xml", None, "is not well-formed", str(error)) from None
        return xml
    root = ET.Element("metadata")
    for name, value in (values or {}).items():
        if not _FIELD.fullmatch(name):
            raise KalturaConfigurationError(
                "values", name, "is not a field name", "use the system names of the profile"
            )
        for item in value if isinstance(value, (list, tuple)) else [value]:
            ET.SubElement(root, name).text = "" if item is None else str(item)
    return ET.tostring(root, encoding="unicode")


def set_metadata(client: KalturaClient, entry_id: str, profile_id: int, xml: str) -> dict[str, Any]:
    """Set an entry's metadata of one profile.

    :return: ``metadata_id``, and ``state``: ``made``, ``changed``, or ``same`` if nothing was sent.
    :raises KalturaError: Kaltura refuses (the XML does not fit the profile), or cannot be asked.
    """
    held = _held(client, entry_id, profile_id)
    if held is None:
        params = {"metadataProfileId": profile_id, "objectType": _ENTRY, "objectId": entry_id, "xmlData": xml}
        try:
            made = client.call("metadata_metadata", "add", params)
        except KalturaAPIError as error:
            # Another process, or an earlier attempt, has made it.
            if error.code != "METADATA_ALREADY_EXISTS" or (held := _held(client, entry_id, profile_id)) is None:
                raise
        else:
            return {"metadata_id": made["id"], "state": "made"}
    if _canonical(held["xml"]) == _canonical(xml):
        return {"metadata_id": held["id"], "state": "same"}
    client.call("metadata_metadata", "update", {"id": held["id"], "xmlData": xml}, repeatable=True)
    return {"metadata_id": held["id"], "state": "changed"}


def _held(client: KalturaClient, entry_id: str, profile_id: int) -> dict[str, Any] | None:
    wanted = {
        "objectType": "KalturaMetadataFilter", "metadataProfileIdEqual": profile_id, "metadataObjectTypeEqual": _ENTRY,
        "objectIdEqual": entry_id,
    }  # fmt: skip
    found = client.call("metadata_metadata", "list", {"filter": wanted})["objects"]
    return dict(found[0]) if found else None


def _canonical(xml: str) -> str:
    return ET.canonicalize(xml, strip_text=True)
