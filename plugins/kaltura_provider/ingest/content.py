"""Where content can come from, as Kaltura's resources, and the calls that give an entry its content or new content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.arguments import asset_id, entry_id, number, token_id
from kaltura_provider.api.enums import EntryStatus, EntryType, ReplacementStatus, parse_enum, parse_status
from kaltura_provider.api.errors import KalturaAPIError, KalturaConfigurationError
from kaltura_provider.ingest.attaching import CannotAttachError, attach_token
from kaltura_provider.ingest.fetching import fetchable_url
from kaltura_provider.ingest.objects import token_resource, url_resource

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient

__all__ = ["ContentSource", "add_content", "finish_replacement", "replace_content"]

_MEDIA = (EntryType.MEDIA_CLIP,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSource:
    """One source of content; exactly one of ``token``, ``url``, ``text``, ``entry`` and ``asset`` is given.

    :param token: an upload token. :param url: an address Kaltura itself fetches.
    :param url_headers: header lines (``Name: value``), or a mapping, for Kaltura's request.
    :param storage_profile_id: the remote storage that holds the file, and keeps it; ``url`` is then its path below the
        storage's base, or its whole address.
    :param text: the content itself (captions, attachments, data).
    :param entry: an entry whose content is copied; ``flavor_params_id`` says which rendition (0: the source).
    :param asset: a flavor, thumbnail, caption or attachment asset whose content is copied.
    :raises KalturaConfigurationError: none or several are given, or one is malformed; names it.
    """

    token: Any = None
    url: str | None = field(default=None, repr=False)
    url_headers: Any = field(default=None, repr=False)
    storage_profile_id: Any = None
    text: str | None = None
    entry: Any = None
    flavor_params_id: Any = None
    asset: Any = None

    def __post_init__(self) -> None:
        names = ("token", "url", "text", "entry", "asset")
        given = [name for name in names if getattr(self, name) not in (None, "")]
        if len(given) != 1:
            problem = f"and {given[1]} exclude each other" if given else "is missing"
            raise KalturaConfigurationError(
                given[0] if given else "content", None, problem, f"give one of {', '.join(names)}"
            )
        for name, needs in (("url_headers", "url"), ("storage_profile_id", "url"), ("flavor_params_id", "entry")):
            if getattr(self, name) not in (None, "") and needs != given[0]:
                raise KalturaConfigurationError(name, None, f"goes with {needs} only", "leave it out")
        self.resource()

    def resource(self) -> dict[str, Any]:
        """Return Kaltura's resource."""
        if self.token not in (None, ""):
            return token_resource(token_id(self.token, "token"))
        if self.url:
            return self._url_resource(self.url)
        if self.text:
            return {"objectType": "KalturaStringResource", "content": self.text}
        if self.asset not in (None, ""):
            return {"objectType": "KalturaAssetResource", "assetId": asset_id(self.asset, "asset")}
        flavor = number(self.flavor_params_id, "flavor_params_id") if self.flavor_params_id not in (None, "") else None
        return {
            "objectType": "KalturaEntryResource", "entryId": entry_id(self.entry, "entry"), "flavorParamsId": flavor
        }  # fmt: skip

    def _url_resource(self, url: str) -> dict[str, Any]:
        if self.storage_profile_id in (None, ""):
            return url_resource(fetchable_url(url, "url"), self._header_lines())
        if self.url_headers:
            raise KalturaConfigurationError("url_headers", None, "cannot go with storage_profile_id", "leave it out")
        # Nothing is fetched: the storage's base address and this path are what players get.
        path = url.strip()
        if not path or any(ord(c) < 0x20 for c in path):
            raise KalturaConfigurationError("url", url, "is no path on a remote storage", "give one like /2026/a.mp4")
        return {
            "objectType": "KalturaRemoteStorageResource", "url": path,
            "storageProfileId": number(self.storage_profile_id, "storage_profile_id", least=1),
        }  # fmt: skip

    def _header_lines(self) -> list[str]:
        headers = self.url_headers or ()
        if isinstance(headers, Mapping):
            lines = [f"{name}: {value}" for name, value in headers.items()]
        elif isinstance(headers, Sequence) and not isinstance(headers, str):
            lines = [str(line) for line in headers]
        else:
            raise KalturaConfigurationError("url_headers", None, "are no headers", "give a mapping or a list of lines")
        for line in lines:
            name, colon, _ = line.partition(":")
            if not colon or not name.strip() or "\n" in line or "\r" in line:
                raise KalturaConfigurationError("url_headers", name, "is no header line", "write Name: value")
        return lines


def _service(entry: Mapping[str, Any]) -> str:
    if parse_enum(EntryType, entry.get("type")) in _MEDIA:
        return "media"
    return "data" if parse_enum(EntryType, entry.get("type")) == EntryType.DATA else "baseEntry"


def add_content(client: KalturaClient, entry_id: str, source: ContentSource) -> dict[str, Any]:
    """Give an entry without content its content, and return the entry.

    A token is checked first: Kaltura takes a used one too, and lets the entry wait for ever.

    :raises CannotAttachError: the entry has content, or the token is used up.
    :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    if source.token not in (None, ""):
        return attach_token(client, token_id(source.token, "token"), entry_id)
    entry = client.call("baseEntry", "get", {"entryId": entry_id})
    data = parse_enum(EntryType, entry.get("type")) == EntryType.DATA
    if not data and parse_status(EntryStatus, entry["status"]) != EntryStatus.NO_CONTENT:
        raise CannotAttachError(
            f"entry {entry_id} has content already, or waits for it (status {entry['status']}); to replace it use "
            "KalturaUpdateContentOperator"
        )
    return dict(client.call(_service(entry), "addContent", {"entryId": entry_id, "resource": source.resource()}))


def replace_content(
    client: KalturaClient, entry_id: str, source: ContentSource, *, conversion_profile_id: int | None = None
) -> dict[str, Any]:
    """Have new content take the place of an entry's; the old one plays until the new one is ready.

    :return: the entry, with ``replacementStatus`` and ``replacingEntryId`` while the replacement goes on.
    :raises CannotAttachError: a replacement is going on already.
    :raises KalturaError: Kaltura refuses (without the feature: ``FEATURE_FORBIDDEN``), or cannot be asked.
    """
    entry = client.call("baseEntry", "get", {"entryId": entry_id})
    if entry.get("replacingEntryId"):
        raise CannotAttachError(
            f"entry {entry_id} is being replaced already, by {entry['replacingEntryId']}: wait for it, or cancel it "
            "(KalturaCancelReplacementOperator)"
        )
    params = {
        "entryId": entry_id, "resource": source.resource(), "conversionProfileId": conversion_profile_id
    }  # fmt: skip
    return dict(client.call("media" if _service(entry) == "media" else "baseEntry", "updateContent", params))


def finish_replacement(client: KalturaClient, entry_id: str, *, approve: bool) -> dict[str, Any]:
    """Approve or cancel a replacement, and return the entry; one that is over already is fine when cancelled.

    :raises CannotAttachError: approved although nothing is being replaced, or it failed.
    """
    try:
        if approve:
            entry = client.call("media", "get", {"entryId": entry_id})
            if parse_enum(ReplacementStatus, entry.get("replacementStatus")) == ReplacementStatus.FAILED:
                raise CannotAttachError(f"the replacement of entry {entry_id} has failed: cancel it")
        client.call("media", "approveReplace" if approve else "cancelReplace", {"entryId": entry_id}, repeatable=True)
    except KalturaAPIError as error:
        if error.code != "ENTRY_ID_NOT_REPLACED":
            raise
        if approve:
            raise CannotAttachError(f"entry {entry_id} is not being replaced: there is nothing to approve") from error
    return dict(client.call("media", "get", {"entryId": entry_id}))
