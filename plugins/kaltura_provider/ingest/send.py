"""Send the bytes of prepared items, and confirm them; or a whole ingest without Airflow. Items fail one by one."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.api.errors import KalturaError
from kaltura_provider.api.threads import in_threads
from kaltura_provider.ingest.confirmation import confirm_all, record_refusal
from kaltura_provider.ingest.item import ITEM_ERRORS, ItemError, ItemRef, ItemState
from kaltura_provider.ingest.preparation import prepare
from kaltura_provider.ingest.settings import IngestSettings
from kaltura_provider.services.upload_token import UploadToken
from kaltura_provider.upload.errors import ChecksumMismatch, GoneReason, TokenGone
from kaltura_provider.upload.settings import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.api.observer import Observer
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.upload.result import UploadResult
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["SMALL", "SMALL_AT_ONCE", "Ingested", "Outgoing", "ingest", "send_items"]

SMALL = 5 * MIB
"""Sources up to this size need one connection each."""

SMALL_AT_ONCE = 16
"""How many small sources are sent at once: as many as the client keeps connections."""

_TO_SEND = (ItemState.SEND, ItemState.SENT)
# Each token that is lost costs a round; more than this in a row is not an accident.
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Ingested:
    """The result for one item; ``upload`` is the last upload of this run, if it sent anything."""

    ref: ItemRef
    upload: UploadResult | None = None


@dataclass(slots=True)
class Outgoing:
    """An item whose bytes are sent to the token that was prepared for them.

    :param ref: its reference, which :func:`send_items` updates.
    :param open_source: opens its source, for the duration of the context.
    :param item: the item. It is needed if the entry is made after the upload.
    :param upload: the result of the last upload, if there was one.
    """

    ref: ItemRef
    open_source: Callable[[], AbstractContextManager[Source]]
    item: SourceItem | None = None
    upload: UploadResult | None = None


def send_items(
    client: KalturaClient,
    uploader: Uploader,
    items: Sequence[Outgoing],
    *,
    settings: IngestSettings | None = None,
    observer: Observer | None = None,
    known: Mapping[str, str] | None = None,
    on_ref: Callable[[ItemRef], None] | None = None,
    workers: int = 1,
) -> list[Ingested]:
    """Send the bytes of items in state ``send``, then confirm them in shared requests. Others are returned unchanged.

    Small sources are sent first, 16 at a time, each over one connection. An upload that loses its token gets a new one
    on the same entry, up to four times. An item that fails is returned in state ``failed`` and does not stop the
    others. Its token keeps its bytes: another run continues there. An item that is listed twice is sent once.

    :param known: as for :func:`prepare`; for items whose entry is made after the upload.
    :param on_ref: called with a reference as soon as it has a new token, from several threads.
    :param workers: how many sources larger than 5 MiB are sent at once.
    """
    settings = settings or IngestSettings()
    first: dict[str, Outgoing] = {}
    for out in items:
        if out.ref.state in _TO_SEND:
            first.setdefault(out.ref.item_id, out)
    waiting = list(first.values())
    for _ in range(_ROUNDS):
        _upload_all(client, uploader, waiting, settings, workers)
        sent = [out for out in waiting if out.ref.state is not ItemState.FAILED]
        refs = [out.ref for out in sent]
        for out, ref in zip(
            sent, confirm_all(client, refs, settings=settings, observer=observer, on_ref=on_ref), strict=True
        ):
            out.ref = ref
        waiting = [out for out in sent if out.ref.state is ItemState.SEND]
        if not waiting:
            break
    for out in waiting:
        text = f"the upload token of {out.ref.uri} was lost {_ROUNDS} times in a row"
        out.ref = out.ref.failed(ItemError("token_lost", text, retry_helps=True))
    _make_entries(client, list(first.values()), settings, observer, known, on_ref)
    done = [first.get(out.ref.item_id, out) for out in items]
    return [Ingested(out.ref, out.upload) for out in done]


def _upload_all(
    client: KalturaClient, uploader: Uploader, items: Sequence[Outgoing], settings: IngestSettings, workers: int
) -> None:
    to_send = [out for out in items if out.ref.state is ItemState.SEND and out.ref.token_id is not None]
    small = [out for out in to_send if out.ref.size <= SMALL]
    large = [out for out in to_send if out.ref.size > SMALL]
    for part, at_once in ((small, SMALL_AT_ONCE), (large, workers)):
        in_threads(lambda out: _upload(client, uploader, out, settings), part, workers=at_once)


def _upload(client: KalturaClient, uploader: Uploader, out: Outgoing, settings: IngestSettings) -> None:
    """Send one item's bytes. If its token is gone, its state stays ``send``: confirming it gets another one."""
    try:
        with out.open_source() as source:
            _send_bytes(client, uploader, out, source, settings)
    except ITEM_ERRORS as error:
        out.ref = out.ref.failed(ItemError.of(error))


def _send_bytes(
    client: KalturaClient, uploader: Uploader, out: Outgoing, source: Source, settings: IngestSettings
) -> None:
    token_id, new = out.ref.token_id or "", _new_token(out.ref, settings)
    out.ref = replace(out.ref, claimed_at=None)
    try:
        out.upload = uploader.send(source, token_id, attached=out.ref.attached, own=out.ref.own, state=new)
    except TokenGone as gone:
        if gone.reason is GoneReason.REFUSED:
            out.ref = record_refusal(client, out.ref, settings=settings)
            return
        if gone.reason is GoneReason.LOST:
            _drop_token(client, token_id)
        if out.ref.entry_id is None:
            raise
    except ChecksumMismatch:
        _drop_token(client, token_id)
        raise
    else:
        out.ref = out.ref.to(ItemState.SENT)


def _new_token(ref: ItemRef, settings: IngestSettings) -> UploadToken | None:
    """Return the token of an item without asking Kaltura, if this process has just added it.

    After a time, other processes may take the upload for abandoned and send to the token.
    """
    if ref.claimed_at is None or settings.clock.monotonic() - ref.claimed_at > settings.grace / 2:
        return None
    return UploadToken(ref.token_id or "", UploadTokenStatus.PENDING, file_name=ref.token_name, file_size=ref.size)


def _drop_token(client: KalturaClient, token_id: str) -> None:
    """Delete a token with damaged or lost bytes, so that nobody finishes it; its entry gets another one."""
    with suppress(KalturaError):
        client.call("uploadToken", "delete", {"uploadTokenId": token_id}, repeatable=True)


def _make_entries(
    client: KalturaClient,
    items: Sequence[Outgoing],
    settings: IngestSettings,
    observer: Observer | None,
    known: Mapping[str, str] | None,
    on_ref: Callable[[ItemRef], None] | None,
) -> None:
    """Make the entries that come after their bytes."""
    full = [out for out in items if out.ref.state is ItemState.SENT and out.ref.entry_id is None and out.item]
    if not full:
        return
    ready = [out.item for out in full if out.item is not None]
    try:
        refs = prepare(client, ready, settings=settings, observer=observer, known=known, on_ref=on_ref)
    except KalturaError as error:
        refs = [out.ref.failed(ItemError.of(error)) for out in full]
    for out, ref in zip(full, refs, strict=True):
        out.ref = ref.to(ref.state, made=ref.made or out.ref.made)


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
    """Ingest a list of items, each with a function that opens its source; raises as :func:`prepare`.

    The caller closes the sources.
    """
    settings = (settings or IngestSettings()).of_one_run()
    ready = prepare(
        client, [item for item, _ in items], settings=settings, observer=observer, known=known, on_ref=on_ref
    )
    outgoing = [
        Outgoing(ref, _left_open(open_source), item) for (item, open_source), ref in zip(items, ready, strict=True)
    ]
    return send_items(client, uploader, outgoing, settings=settings, observer=observer, known=known, on_ref=on_ref)


def _left_open(open_source: Callable[[], Source]) -> Callable[[], AbstractContextManager[Source]]:
    """Return a function that opens a source for a context that does not close it."""
    return lambda: nullcontext(open_source())
