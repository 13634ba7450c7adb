"""The calls that make an entry, give an empty entry its content, and replace content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaAPIError, KalturaConfigurationError
from kaltura_provider.api.sharing import alone
from kaltura_provider.ingest.decision import Act
from kaltura_provider.ingest.identity import reference_for
from kaltura_provider.ingest.marks import (
    MADE_MARK,
    EntryView,
    content_mark,
    import_mark,
    item_mark,
    metadata_mark,
    pending_mark,
    run_mark,
)
from kaltura_provider.ingest.removal import discard_entry
from kaltura_provider.services.entry.kind import Kind
from kaltura_provider.services.entry.objects import described_entry, lost_properties, token_resource, url_resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.api.caller import Caller
    from kaltura_provider.ingest.claim import Claim
    from kaltura_provider.ingest.decision import Ending
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.ingest.ledger import Ledger, TokenView

__all__ = ["Attached", "entry_object", "give_content"]

_ADMIN_PROPERTY = "PROPERTY_VALIDATION_ADMIN_PROPERTY"


@dataclass(frozen=True, slots=True)
class Attached:
    """An entry after such a call.

    ``error`` is why it got no content, ``lost`` names the properties that the server dropped. ``gave_way`` means that
    the entry was deleted again, because the source has another entry or the claim is gone.
    """

    entry: EntryView
    error: KalturaAPIError | None = None
    lost: tuple[str, ...] = ()
    gave_way: bool = False


def entry_object(item: SourceItem, marks: Sequence[str]) -> dict[str, Any]:
    """Return the entry to add for ``item``, with ``marks`` and the marks that every entry of this package carries."""
    said = item.metadata
    if item.metadata_digest:
        marks = (*marks, metadata_mark(item.metadata_digest))
    return described_entry(said, item.kind, item.name) | {
        "adminTags": ",".join((*said.admin_tags, MADE_MARK, item_mark(item.item_id), *marks)),
        "referenceId": said.reference_id or reference_for(item.item_id),
    }


def _marks(mark: str, run: str | None) -> list[str]:
    return [mark, run_mark(run)] if run else [mark]


def give_content(
    ledger: Ledger,
    item: SourceItem,
    ending: Ending,
    *,
    claim: Claim,
    file: TokenView | None,
    importing: bool,
    run: str | None,
) -> Attached:
    """Make or change the entry as ``ending`` says, holding a claim.

    :param claim: the claim on the item's content; its token becomes the content.
    :param file: the full token of an item whose bytes come before its entry.
    :param importing: Kaltura fetches the content.
    :param run: the name of this run.
    :raises MarkLostError: somebody else keeps rewriting the adminTags of the entry.
    :raises KalturaConfigurationError: the session cannot write marks.
    :raises KalturaError: nothing was made or marked. If the error is ``ambiguous``, the entry may exist and may have
        the token.
    """
    entry, token = ending.entry, token_resource(file.id if file else claim.token_id)
    pending = _marks(pending_mark(item.content_id), run)
    if entry is not None and ending.act is Act.REPLACE:
        return _attach(ledger, item, entry, "updateContent", token, [pending_mark(item.content_id)])
    if entry is not None and importing:
        return _attach(ledger, item, entry, "addContent", _address(item), _marks(import_mark(item.content_id), run))
    if entry is not None:
        return _attach(ledger, item, entry, "addContent", token, pending)
    if importing:
        marks = _marks(import_mark(item.content_id), run)
        return _create(ledger, item, claim, marks, _address(item), fetched=True)
    if file is not None:
        # Nothing fences this call, and it may take long. Others before it in a shared request would delay it.
        with alone(ledger.client):
            return _create_from_file(ledger.client, item, file.id, run)
    return _create(ledger, item, claim, pending, token)


def _address(item: SourceItem) -> dict[str, Any]:
    return url_resource(item.import_url or "", item.import_headers)


def _create(
    ledger: Ledger,
    item: SourceItem,
    claim: Claim,
    marks: Sequence[str],
    resource: dict[str, Any],
    *,
    fetched: bool = False,
) -> Attached:
    """Make an entry and give it its content, but only while ``claim`` is in time and the source has no other entry.

    Otherwise, as when another version of the source got an entry in the same moment, this entry is deleted while it is
    still empty, and the result has ``gave_way``. Content that was given cannot be taken back: a fetch cannot be stopped
    once it has begun, and a process that dies after it attached its token could not give way later.

    Whoever sees no other entry was first: anybody who makes one later sees this one. The time of creation decides
    nothing, because it counts whole seconds of several servers. If two see each other, both give way and start over
    at different times.

    :param fetched: Kaltura fetches the content, so that the claim must still exist. If its token becomes the content,
        Kaltura checks that itself.
    """
    client, sent, service = ledger.client, entry_object(item, marks), item.kind.service
    params: dict[str, Any] = {"entry": sent}
    if service == "baseEntry":
        params["type"] = item.kind.entry_type
    try:
        added = client.call(service, "add", params)
    except KalturaAPIError as error:
        raise _readable(error) from error
    entry = _made(client, added, item)
    lost = tuple(lost_properties(sent, added))
    fenced = fetched and ledger.token(claim.token_id) is None
    if fenced or not ledger.is_alone(entry.id, item.item_id) or not claim.in_time:
        discard_entry(ledger, entry.id, item.item_id)
        return Attached(entry, None, lost, gave_way=True)
    try:
        attached = client.call(service, "addContent", {"entryId": entry.id, "resource": resource})
    except KalturaAPIError as error:
        return Attached(entry, error, lost)
    return Attached(EntryView.of({**added, **attached}), None, lost)


def _create_from_file(client: Caller, item: SourceItem, token_id: str, run: str | None) -> Attached:
    """Make the entry from a full token, with its content mark."""
    sent = entry_object(item, _marks(content_mark(item.content_id), run))
    if item.kind in (Kind.DATA, Kind.DOCUMENT):
        # The entry type counts only as a parameter of its own.
        params: dict[str, Any] = {"entry": sent, "type": item.kind.entry_type, "uploadTokenId": token_id}
        service = "baseEntry"
    else:
        params = {"mediaEntry": sent, "uploadTokenId": token_id}
        service = "media"
    try:
        added = client.call(service, "addFromUploadedFile", params)
    except KalturaAPIError as error:
        raise _readable(error) from error
    return Attached(_made(client, added, item), None, tuple(lost_properties(sent, added)))


def _attach(
    ledger: Ledger, item: SourceItem, entry: EntryView, action: str, resource: dict[str, Any], marks: Sequence[str]
) -> Attached:
    # The mark comes first. Without it, other processes could not see whose content is on its way.
    held = [content_mark(entry.content_id)] if entry.content_id is not None else []
    marked = ledger.write_marks(entry, item.item_id, *held, *marks)
    try:
        attached = ledger.client.call(item.kind.service, action, {"entryId": entry.id, "resource": resource})
    except KalturaAPIError as error:
        return Attached(marked, error)
    given = EntryView.of({**attached, "adminTags": attached.get("adminTags", ",".join(marked.admin_tags))})
    if not set(marks) <= set(given.admin_tags):
        # A worker on another version marked the same empty entry at the same moment, but this content is in it.
        given = ledger.write_marks(given, item.item_id, *held, *marks)
    return Attached(given)


def _made(client: Caller, added: Any, item: SourceItem) -> EntryView:
    entry = EntryView.of(added)
    if not entry.is_item(item.item_id):
        # Without its mark nobody could find it again.
        client.call("baseEntry", "delete", {"entryId": entry.id}, repeatable=True)
        raise KalturaConfigurationError(
            "session",
            None,
            f"lost the mark {item_mark(item.item_id)} of entry {entry.id}: it cannot write adminTags",
            "use an ADMIN session for ingest",
        )
    return entry


def _readable(error: KalturaAPIError) -> Exception:
    if error.code == _ADMIN_PROPERTY:
        return KalturaConfigurationError(
            "session_type", "USER", "cannot write adminTags", "use an ADMIN session for ingest"
        )
    return error
