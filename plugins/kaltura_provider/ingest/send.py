"""A whole ingest without Airflow: prepare a list, send what is missing, confirm. A failed item stops no other."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.ingest.confirmation import confirm, record_refusal
from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState
from kaltura_provider.ingest.mark_writes import MarkLostError
from kaltura_provider.ingest.preparation import prepare
from kaltura_provider.ingest.settings import IngestSettings
from kaltura_provider.upload.errors import ChecksumMismatch, GoneReason, TokenGone, UploadError
from kaltura_provider.upload.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.api.observer import Observer
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.upload.result import UploadResult
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["Ingested", "describe", "ingest", "send_item"]

# Each token that is lost costs a round; more than this in a row is not an accident.
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Ingested:
    """The result for one item; ``upload`` is the last upload of this run, if it sent anything."""

    ref: ItemRef
    upload: UploadResult | None = None


def send_item(
    client: KalturaClient,
    uploader: Uploader,
    ref: ItemRef,
    source: Source,
    *,
    settings: IngestSettings | None = None,
    observer: Observer | None = None,
    on_ref: Callable[[ItemRef], None] | None = None,
) -> Ingested:
    """Send the bytes of a reference in state ``send``, then confirm; in other states only confirm.

    An upload that loses its token gets a new one on the same entry, up to four times. A reference whose entry is made
    after the upload is returned as ``sent``: :func:`prepare` makes its entry.

    :raises SourceError: the source cannot be read, or has changed.
    :raises UploadError: the upload stopped; the class says why. The token keeps its bytes: another run continues.
    :raises KalturaError: Kaltura could not be reached.
    """
    settings = settings or IngestSettings()
    upload: UploadResult | None = None
    for _ in range(_ROUNDS):
        if ref.state is ItemState.SEND and ref.token_id is not None:
            try:
                upload = uploader.send(source, ref.token_id, attached=ref.attached, own=ref.own)
            except TokenGone as gone:
                if gone.reason is GoneReason.REFUSED:
                    return Ingested(record_refusal(client, ref, settings=settings), upload)
                if gone.reason is GoneReason.LOST:
                    _drop_token(client, ref.token_id)
                if ref.entry_id is None:
                    raise
            except ChecksumMismatch:
                _drop_token(client, ref.token_id)
                raise
            else:
                ref = ref.to(ItemState.SENT)
        ref = confirm(client, ref, settings=settings, observer=observer, on_ref=on_ref)
        if ref.state is not ItemState.SEND:
            return Ingested(ref, upload)
    text = f"the upload token of {ref.uri} was lost {_ROUNDS} times in a row"
    return Ingested(ref.failed(ItemError("token_lost", text, retry_helps=True)), upload)


def _drop_token(client: KalturaClient, token_id: str) -> None:
    """Delete a token with damaged or lost bytes, so that nobody finishes it; its entry gets another one."""
    with suppress(KalturaError):
        client.call("uploadToken", "delete", {"uploadTokenId": token_id}, repeatable=True)


def ingest(
    client: KalturaClient,
    uploader: Uploader,
    items: Sequence[tuple[SourceItem, Callable[[], Source]]],
    *,
    settings: IngestSettings | None = None,
    observer: Observer | None = None,
    known: Mapping[str, str] | None = None,
    on_ref: Callable[[ItemRef], None] | None = None,
) -> list[Ingested]:
    """Ingest a list of items, each with a function that opens its source; raises as :func:`prepare`."""
    settings = (settings or IngestSettings()).of_one_run()
    ready = prepare(
        client, [item for item, _ in items], settings=settings, observer=observer, known=known, on_ref=on_ref
    )
    results = []
    for (item, open_source), ref in zip(items, ready, strict=True):
        result = Ingested(ref)
        try:
            result = _one(client, uploader, item, ref, open_source, settings, observer, on_ref)
        except (SourceError, UploadError, KalturaError, MarkLostError) as error:
            result = Ingested(ref.failed(describe(error)))
        results.append(result)
    return results


def _one(
    client: KalturaClient,
    uploader: Uploader,
    item: SourceItem,
    ref: ItemRef,
    open_source: Callable[[], Source],
    settings: IngestSettings,
    observer: Observer | None,
    on_ref: Callable[[ItemRef], None] | None,
) -> Ingested:
    if ref.state in (ItemState.DONE, ItemState.SKIPPED, ItemState.FAILED):
        return Ingested(ref)
    sent = send_item(client, uploader, ref, open_source(), settings=settings, observer=observer, on_ref=on_ref)
    if sent.ref.state is ItemState.SENT and sent.ref.entry_id is None:
        made = prepare(client, [item], settings=settings, observer=observer, on_ref=on_ref)[0]
        return Ingested(made, sent.upload)
    return sent


def describe(error: Exception) -> ItemError:
    """Describe what stopped an item's upload."""
    if isinstance(error, SourceError | UploadError):
        return ItemError("source" if isinstance(error, SourceError) else "upload", str(error), not error.permanent)
    if isinstance(error, MarkLostError):
        return ItemError("mark_lost", str(error), retry_helps=True)
    return ItemError.of(error)
