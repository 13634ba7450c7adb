"""Sends the bytes of prepared items to Kaltura. A failure is recorded in the item's reference."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks import metrics
from kaltura_provider.hooks.source_items import OpenedItem, requested_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.sdk import Context

    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.hooks.sources import Sources
    from kaltura_provider.hooks.task_state import TaskMemory
    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.ingest.send import Ingested, Outgoing
    from kaltura_provider.ingest.settings import IngestSettings
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["ItemSender", "came_of"]


class ItemSender:
    """Sends the bytes of items to the tokens that were prepared for them.

    :param memory: the token of each item from earlier tries of this task.
    :param settings: as they were for preparing the items.
    """

    def __init__(
        self, hook: KalturaHook, uploader: Uploader, memory: TaskMemory, sources: Sources, settings: IngestSettings
    ) -> None:
        self._hook = hook
        self._uploader = uploader
        self._memory = memory
        self._sources = sources
        self._settings = settings

    def send(self, refs: Sequence[ItemRef], opened: Sequence[OpenedItem], *, workers: int = 1) -> list[Ingested]:
        """Send items and confirm them.

        :param opened: for each reference, its request (needed if the entry is made after the upload), and its opened
            source, which is closed as soon as it was sent. Without a source, it is opened when it is needed, and must
            hold the bytes that the entry was prepared for.
        :param workers: how many large sources to send at once.
        :return: the updated references, failed or not, and the results of the uploads.
        """
        from kaltura_provider.ingest.send import send_items

        outgoing = [self._outgoing(ref, one) for ref, one in zip(refs, opened, strict=True)]
        sent = send_items(
            self._hook.get_conn(),
            self._uploader,
            outgoing,
            settings=self._settings,
            observer=self._hook.observer,
            known=self._memory.ids,
            on_ref=lambda now: self._memory.remember(now.item_id, now.token_id),
            workers=workers,
        )
        for one in sent:
            if one.upload is not None:
                metrics.upload_ended(one.upload)
        return sent

    def _outgoing(self, ref: ItemRef, one: OpenedItem) -> Outgoing:
        from kaltura_provider.ingest.item import ItemState
        from kaltura_provider.ingest.send import Outgoing

        if ref.state in (ItemState.SEND, ItemState.SENT):
            # Earlier tries of prepare do not show whether another run is sending to this token.
            own = ref.token_id is not None and self._memory.ids.get(ref.item_id) == ref.token_id
            ref = replace(ref, own=own)
        out = Outgoing(ref, lambda: self._source(out, one), one.item)
        return out

    @contextmanager
    def _source(self, out: Outgoing, one: OpenedItem) -> Iterator[Source]:
        """Open the source of an item that is about to be sent, and compare it with the checksum of its request."""
        from kaltura_provider.upload.sources.digest import check_digest

        self._memory.remember(out.ref.item_id, out.ref.token_id)
        source = one.source = one.source or self._opened(out.ref, one.request)
        try:
            if out.item is None and one.request and not out.ref.attached:
                out.item = requested_item(one.request, source)
            check_digest(source, str(one.request.get("checksum") or ""))
            yield source
        finally:
            one.close()
            one.source = None  # if the token is lost, the source is opened again

    def _opened(self, ref: ItemRef, request: dict[str, Any]) -> Source:
        """Open the source of a reference.

        :raises SourceChanged: the source no longer holds the bytes that the entry was prepared for.
        """
        from kaltura_provider.ingest.identity import content_id
        from kaltura_provider.upload.sources.errors import SourceChanged

        source = self._sources.open(ref.uri, version_id=request.get("version_id"))
        validators = (source.validator, getattr(source, "elder_validator", ""))
        found, elder = (content_id(ref.item_id, source.size, validator) for validator in validators)
        if ref.content_id not in (found, elder):
            source.close()
            raise SourceChanged(
                source.uri, f"{ref.size} bytes, content {ref.content_id}", f"{source.size} bytes, content {found}"
            )
        return source


def came_of(context: Context, result: Ingested) -> dict[str, Any]:
    """Return the result of the upload, which travels with the reference and goes into the receipt."""
    ti: Any = context["ti"]
    return {"upload": asdict(result.upload), "attempts": ti.try_number} if result.upload else {}
