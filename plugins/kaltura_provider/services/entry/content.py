"""The content of an entry: where it can come from, adding it, replacing it, and ending a replacement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kaltura_provider.api.arguments import asset_id, entry_id, number, token_id
from kaltura_provider.api.enums import EntryStatus, EntryType, ReplacementStatus
from kaltura_provider.api.errors import KalturaAPIError, KalturaConfigurationError
from kaltura_provider.services.entry.attaching import attach_token
from kaltura_provider.services.entry.objects import token_resource, url_resource
from kaltura_provider.services.entry.view import Entry
from kaltura_provider.services.import_url import fetchable_url
from kaltura_provider.services.upload_token import CannotAttachError, became_entry, check_usable, read_token

if TYPE_CHECKING:
    from kaltura_provider.api.caller import Caller
    from kaltura_provider.api.client import KalturaClient

__all__ = ["Attempt", "ContentSource", "add_content", "finish_replacement", "replace_content"]


# Field: the argument of an operator.
_SOURCES = {"token": "token_id", "url": "url", "text": "text", "entry": "from_entry_id", "asset": "from_asset_id"}


class Attempt(Protocol):
    """What a caller remembers of its attempts: whether an earlier one began, and that this one begins."""

    @property
    def begun(self) -> bool:
        """Whether an earlier attempt already reached the call that changes something."""

    def begin(self) -> None:
        """Note that this attempt has reached it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSource:
    """One source of content; exactly one of ``token``, ``url``, ``text``, ``entry`` and ``asset`` is given.

    Errors name ``entry`` and ``asset`` as operators do: ``from_entry_id`` and ``from_asset_id``.

    :param token: an upload token. :param url: a URL that Kaltura fetches.
    :param url_headers: header lines (``Name: value``), or a mapping, for Kaltura's request.
    :param storage_profile_id: the remote storage that holds the file and keeps it; ``url`` is then the path below the
        storage's base URL, or the whole URL.
    :param text: the content itself (captions, attachments, data).
    :param entry: an entry whose content is copied; ``flavor_params_id`` says which rendition (0: the source).
    :param asset: a flavor, thumbnail, caption or attachment asset whose content is copied.
    :raises KalturaConfigurationError: none or several are given, or one is invalid; the error names it.
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
        given = [name for name in _SOURCES if getattr(self, name) not in (None, "")]
        if len(given) != 1:
            problem = f"and {_SOURCES[given[1]]} exclude each other" if given else "is missing"
            known = ", ".join(_SOURCES.values())
            raise KalturaConfigurationError(
                _SOURCES[given[0]] if given else "content", None, problem, f"give one of {known}"
            )
        for name, needs in (("url_headers", "url"), ("storage_profile_id", "url"), ("flavor_params_id", "entry")):
            if getattr(self, name) not in (None, "") and needs != given[0]:
                raise KalturaConfigurationError(name, None, f"goes with {_SOURCES[needs]} only", "leave it out")
        self.resource()

    def resource(self) -> dict[str, Any]:
        """Return Kaltura's resource."""
        if self.token not in (None, ""):
            return token_resource(token_id(self.token))
        if self.url:
            return self._url_resource(self.url)
        if self.text:
            return {"objectType": "KalturaStringResource", "content": self.text}
        if self.asset not in (None, ""):
            return {"objectType": "KalturaAssetResource", "assetId": asset_id(self.asset, _SOURCES["asset"])}
        flavor = number(self.flavor_params_id, "flavor_params_id") if self.flavor_params_id not in (None, "") else None
        entry = entry_id(self.entry, _SOURCES["entry"])
        return {"objectType": "KalturaEntryResource", "entryId": entry, "flavorParamsId": flavor}

    def _url_resource(self, url: str) -> dict[str, Any]:
        if self.storage_profile_id in (None, ""):
            return url_resource(fetchable_url(url, "url"), self._header_lines())
        if self.url_headers:
            raise KalturaConfigurationError("url_headers", None, "cannot go with storage_profile_id", "leave it out")
        # Kaltura fetches nothing: players get the storage's base URL and this path.
        path = url.strip()
        if not path or any(ord(c) < 0x20 for c in path):
            raise KalturaConfigurationError("url", url, "is not a path on a remote storage", "write /2026/a.mp4")
        return {
            "objectType": "KalturaRemoteStorageResource", "url": path,
            "storageProfileId": number(self.storage_profile_id, "storage_profile_id", minimum=1),
        }  # fmt: skip

    def _header_lines(self) -> list[str]:
        headers = self.url_headers or ()
        if isinstance(headers, Mapping):
            lines = [f"{name}: {value}".strip() for name, value in headers.items()]
        elif isinstance(headers, Sequence) and not isinstance(headers, str):
            lines = [str(line).strip() for line in headers]
        else:
            raise KalturaConfigurationError("url_headers", None, "are not headers", "give a mapping or a list of lines")
        for line in lines:
            name, colon, _ = line.partition(":")
            if not colon or not name.strip() or "\n" in line or "\r" in line:
                raise KalturaConfigurationError("url_headers", name, "is not a header line", "write Name: value")
        return lines


def _check_text(entry: Entry, source: ContentSource) -> None:
    """Refuse text for an entry that is not a data entry: Kaltura would put the entry into an error state for good."""
    if source.text and not entry.is_data:
        raise KalturaConfigurationError(
            "text", None, f"can only be content of a data entry, which {entry.id} is not", "upload a file instead"
        )


def add_content(
    client: KalturaClient, entry_id: str, source: ContentSource, attempt: Attempt | None = None
) -> dict[str, Any]:
    """Give content to an entry that has none, and return the entry.

    A token is checked first, because Kaltura accepts a used token and lets the entry wait forever.

    :param attempt: what earlier attempts did; content that one of them added is not an error.
    :raises CannotAttachError: the entry has content, or the token is used up.
    :raises KalturaConfigurationError: the content is not of the entry's kind.
    :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    if source.token not in (None, ""):
        return attach_token(client, token_id(source.token), entry_id)
    found = client.call("baseEntry", "get", {"entryId": entry_id})
    entry = Entry.of(found)
    _check_text(entry, source)
    if not entry.is_data and entry.status != EntryStatus.NO_CONTENT:
        if attempt and attempt.begun:
            return dict(found)
        raise CannotAttachError(
            f"entry {entry_id} already has content, or waits for it (status {found['status']}). Replace it with "
            "KalturaUpdateContentOperator"
        )
    if attempt:
        attempt.begin()
    service = "data" if entry.is_data else entry.service
    return dict(client.call(service, "addContent", {"entryId": entry_id, "resource": source.resource()}))


def replace_content(
    client: KalturaClient,
    entry_id: str,
    source: ContentSource,
    *,
    conversion_profile_id: int | None = None,
    attempt: Attempt | None = None,
) -> dict[str, Any]:
    """Replace the content of an entry. The old content plays until the new content is ready.

    :param attempt: what earlier attempts did; a replacement that one of them began is not an error.
    :return: the entry, with ``replacementStatus`` and ``replacingEntryId`` while it is being replaced.
    :raises CannotAttachError: the entry is already being replaced, or the token is used up.
    :raises KalturaConfigurationError: the content is not of the entry's kind.
    :raises KalturaError: Kaltura refuses (without the feature: ``FEATURE_FORBIDDEN``), or cannot be asked.
    """
    found = client.call("baseEntry", "get", {"entryId": entry_id})
    entry = Entry.of(found)
    _check_text(entry, source)
    replacing = entry.replacing_entry_id
    token = read_token(client, token_id(source.token)) if source.token not in (None, "") else None
    if token and any(became_entry(client, token, holder) for holder in (replacing, entry_id) if holder):
        return dict(found)
    if replacing and attempt and attempt.begun:
        return dict(found)
    if replacing:
        raise CannotAttachError(
            f"entry {entry_id} is already being replaced by {replacing}: wait for it, or cancel it "
            "(KalturaCancelReplacementOperator)"
        )
    if token:
        check_usable(token)
    if attempt:
        attempt.begin()
    params = {
        "entryId": entry_id, "resource": source.resource(), "conversionProfileId": conversion_profile_id
    }  # fmt: skip
    return dict(client.call(entry.service, "updateContent", params))


def finish_replacement(client: Caller, entry_id: str, *, approve: bool) -> dict[str, Any]:
    """Approve or cancel a replacement, and return the entry. Cancelling one that has already ended does nothing.

    :raises CannotAttachError: there is nothing to approve, or the replacement failed.
    """
    entry = Entry.of(client.call("baseEntry", "get", {"entryId": entry_id}))
    if approve and entry.replacement == ReplacementStatus.FAILED:
        raise CannotAttachError(f"the replacement of entry {entry_id} has failed: cancel it")
    document = entry.entry_type == EntryType.DOCUMENT
    service, action = "document_documents" if document else "media", "approveReplace" if approve else "cancelReplace"
    try:
        client.call(service, action, {"entryId": entry_id}, repeatable=True)
    except KalturaAPIError as error:
        if error.code != "ENTRY_ID_NOT_REPLACED":
            raise
        # The entry was being replaced a moment ago, so a repeated call may find it done: the first reply was lost.
        if approve and not entry.replacing_entry_id:
            raise CannotAttachError(f"entry {entry_id} is not being replaced: there is nothing to approve") from error
    return dict(client.call("baseEntry", "get", {"entryId": entry_id}))
