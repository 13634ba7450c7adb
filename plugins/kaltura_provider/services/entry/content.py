"""Where content can come from, as Kaltura's resources, and the calls that give an entry its content or new content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kaltura_provider.api.arguments import asset_id, entry_id, number, token_id
from kaltura_provider.api.enums import EntryStatus, EntryType, ReplacementStatus, parse_enum, parse_status
from kaltura_provider.api.errors import KalturaAPIError, KalturaConfigurationError
from kaltura_provider.services.entry.attaching import attach_token
from kaltura_provider.services.entry.objects import token_resource, url_resource
from kaltura_provider.services.import_url import fetchable_url
from kaltura_provider.services.upload_token import CannotAttachError, became_entry, check_usable, read_token

if TYPE_CHECKING:
    from kaltura_provider.api.client import KalturaClient

__all__ = ["Attempt", "ContentSource", "add_content", "finish_replacement", "replace_content"]


# Field -> the argument of an operator.
_SOURCES = {"token": "token", "url": "url", "text": "text", "entry": "from_entry_id", "asset": "from_asset_id"}


class Attempt(Protocol):
    """What a caller remembers of its tries: whether one began, and that this one begins now."""

    @property
    def begun(self) -> bool:
        """Whether an earlier try of the same got as far as the call that changes something."""

    def begin(self) -> None:
        """Note that this one has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSource:
    """One source of content; exactly one of ``token``, ``url``, ``text``, ``entry`` and ``asset`` is given.

    Errors call ``entry`` and ``asset`` by the operators' names, ``from_entry_id`` and ``from_asset_id``.

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
            return token_resource(token_id(self.token, "token"))
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
        # Nothing is fetched: the storage's base address and this path are what players get.
        path = url.strip()
        if not path or any(ord(c) < 0x20 for c in path):
            raise KalturaConfigurationError("url", url, "is no path on a remote storage", "give one like /2026/a.mp4")
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
            raise KalturaConfigurationError("url_headers", None, "are no headers", "give a mapping or a list of lines")
        for line in lines:
            name, colon, _ = line.partition(":")
            if not colon or not name.strip() or "\n" in line or "\r" in line:
                raise KalturaConfigurationError("url_headers", name, "is no header line", "write Name: value")
        return lines


def _is_data(entry: Mapping[str, Any]) -> bool:
    return parse_enum(EntryType, entry.get("type")) == EntryType.DATA


def _service(entry: Mapping[str, Any]) -> str:
    return "media" if parse_enum(EntryType, entry.get("type")) == EntryType.MEDIA_CLIP else "baseEntry"


def _check_text(entry: Mapping[str, Any], source: ContentSource) -> None:
    """Refuse a text for anything but a data entry; Kaltura would put the entry into an error for good."""
    if source.text and not _is_data(entry):
        raise KalturaConfigurationError(
            "text", None, f"is content of data entries only, and {entry['id']} is none", "upload a file instead"
        )


def add_content(
    client: KalturaClient, entry_id: str, source: ContentSource, attempt: Attempt | None = None
) -> dict[str, Any]:
    """Give an entry without content its content, and return the entry.

    A token is checked first: Kaltura takes a used one too, and lets the entry wait for ever.

    :param attempt: what an earlier try of the same did; content that came of it is no error.
    :raises CannotAttachError: the entry has content, or the token is used up.
    :raises KalturaConfigurationError: the content is not of the entry's kind.
    :raises KalturaError: Kaltura refuses, or cannot be asked.
    """
    if source.token not in (None, ""):
        return attach_token(client, token_id(source.token, "token"), entry_id)
    entry = client.call("baseEntry", "get", {"entryId": entry_id})
    _check_text(entry, source)
    if not _is_data(entry) and parse_status(EntryStatus, entry["status"]) != EntryStatus.NO_CONTENT:
        if attempt and attempt.begun:
            return dict(entry)
        raise CannotAttachError(
            f"entry {entry_id} has content already, or waits for it (status {entry['status']}); to replace it use "
            "KalturaUpdateContentOperator"
        )
    if attempt:
        attempt.begin()
    service = "data" if _is_data(entry) else _service(entry)
    return dict(client.call(service, "addContent", {"entryId": entry_id, "resource": source.resource()}))


def replace_content(
    client: KalturaClient,
    entry_id: str,
    source: ContentSource,
    *,
    conversion_profile_id: int | None = None,
    attempt: Attempt | None = None,
) -> dict[str, Any]:
    """Have new content take the place of an entry's; the old one plays until the new one is ready.

    :param attempt: what an earlier try of the same did; a replacement that came of it is no error.
    :return: the entry, with ``replacementStatus`` and ``replacingEntryId`` while the replacement goes on.
    :raises CannotAttachError: another replacement is going on, or the token is used up.
    :raises KalturaConfigurationError: the content is not of the entry's kind.
    :raises KalturaError: Kaltura refuses (without the feature: ``FEATURE_FORBIDDEN``), or cannot be asked.
    """
    entry = client.call("baseEntry", "get", {"entryId": entry_id})
    _check_text(entry, source)
    replacing = entry.get("replacingEntryId")
    token = read_token(client, token_id(source.token, "token")) if source.token not in (None, "") else None
    if token and any(became_entry(client, token, holder) for holder in (replacing, entry_id) if holder):
        return dict(entry)
    if replacing and attempt and attempt.begun:
        return dict(entry)
    if replacing:
        raise CannotAttachError(
            f"entry {entry_id} is being replaced already, by {replacing}: wait for it, or cancel it "
            "(KalturaCancelReplacementOperator)"
        )
    if token:
        check_usable(token)
    if attempt:
        attempt.begin()
    params = {
        "entryId": entry_id, "resource": source.resource(), "conversionProfileId": conversion_profile_id
    }  # fmt: skip
    return dict(client.call(_service(entry), "updateContent", params))


def finish_replacement(client: KalturaClient, entry_id: str, *, approve: bool) -> dict[str, Any]:
    """Approve or cancel a replacement, and return the entry; one that is over already is fine when cancelled.

    :raises CannotAttachError: approved although nothing is being replaced, or it failed.
    """
    entry = client.call("baseEntry", "get", {"entryId": entry_id})
    if approve and parse_enum(ReplacementStatus, entry.get("replacementStatus")) == ReplacementStatus.FAILED:
        raise CannotAttachError(f"the replacement of entry {entry_id} has failed: cancel it")
    document = parse_enum(EntryType, entry.get("type")) == EntryType.DOCUMENT
    service, action = "document_documents" if document else "media", "approveReplace" if approve else "cancelReplace"
    try:
        client.call(service, action, {"entryId": entry_id}, repeatable=True)
    except KalturaAPIError as error:
        if error.code != "ENTRY_ID_NOT_REPLACED":
            raise
        # A reply that was lost: it was being replaced a moment ago, so the repeated call found it done.
        if approve and not entry.get("replacingEntryId"):
            raise CannotAttachError(f"entry {entry_id} is not being replaced: there is nothing to approve") from error
    return dict(client.call("baseEntry", "get", {"entryId": entry_id}))
