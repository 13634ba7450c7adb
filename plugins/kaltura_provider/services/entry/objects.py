"""Objects to send to Kaltura: an entry to add, and the resources that content comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.services.entry.kind import Kind, document_type
from kaltura_provider.services.entry.stored import bounded, normal_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.services.entry.metadata import EntryMetadata

__all__ = ["described_entry", "lost_properties", "token_resource", "url_resource"]


def described_entry(said: EntryMetadata, kind: Kind, file_name: str) -> dict[str, Any]:
    """Return the entry to add for a file, with its texts cut to what Kaltura keeps."""
    said, _ = bounded(said)
    entry: dict[str, Any] = {
        **said.extra,
        "objectType": kind.object_type,
        "name": said.name or file_name,
        "description": said.description,
        "tags": normal_tags(said.tags) or None,
        "categories": ",".join(said.categories) or None,
        "adminTags": ",".join(said.admin_tags) or None,
        "referenceId": said.reference_id,
        "conversionProfileId": said.conversion_profile_id,
        "accessControlId": said.access_control_id,
        "userId": said.user_id,
        "startDate": said.start_date,
        "endDate": said.end_date,
        "templateEntryId": said.template_entry_id,
        "parentEntryId": said.parent_entry_id,
        "partnerData": said.partner_data,
        "mediaType": kind.media_type,
        "documentType": document_type(file_name) if kind is Kind.DOCUMENT else None,
    }
    return {name: value for name, value in entry.items() if value is not None}


def lost_properties(sent: dict[str, Any], echoed: dict[str, Any]) -> list[str]:
    """Return the properties that the server dropped without an error, because the session's role cannot set them."""
    lost: list[str] = []
    for name in ("referenceId", "accessControlId", "startDate", "endDate", "conversionProfileId"):
        if name in sent and str(echoed.get(name) or "").lower() != str(sent[name]).lower():
            # An unset profile shows only once there is content.
            if name == "conversionProfileId" and not echoed.get(name):
                continue
            lost.append(name)
    return lost


def token_resource(token_id: str) -> dict[str, Any]:
    """Return the resource of an upload token."""
    return {"objectType": "KalturaUploadedFileTokenResource", "token": token_id}


def url_resource(url: str, headers: Sequence[str] = ()) -> dict[str, Any]:
    """Return the resource of a URL Kaltura fetches itself; each of ``headers`` is a whole header line."""
    resource: dict[str, Any] = {"objectType": "KalturaUrlResource", "url": url, "forceAsyncDownload": True}
    if headers:
        resource["urlHeaders"] = [{"objectType": "KalturaString", "value": line} for line in headers]
    return resource
