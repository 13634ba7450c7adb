"""Sends the bytes of prepared items to Kaltura, one item per call. A failure is recorded in the item's reference."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.source_items import requested_item

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.hooks.sources import Sources
    from kaltura_provider.hooks.task_state import TaskMemory
    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.ingest.send import Ingested
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["ItemSender", "came_of"]


class ItemSender:
    """Sends the bytes of items to the tokens that were prepared for them. Several threads may share one sender.

    :param memory: the token of each item from earlier tries of this task.
    :param run: the name of the DAG run, as in ``IngestSettings``.
    """

    def __init__(
        self, hook: KalturaHook, uploader: Uploader, memory: TaskMemory, sources: Sources, *, run: str
    ) -> None:
        self._hook = hook
        self._uploader = uploader
        self._memory = memory
        self._sources = sources
        self._run = run

    def send(self, ref: ItemRef, request: dict[str, Any] | None, source: Source | None = None) -> Ingested:
        """Send one item and confirm it.

        :param request: the request for the item. It is needed if the entry is created after the bytes are sent.
        :param source: the opened source. It is closed at the end. Without it, the source is opened here, and must hold
            the bytes that the entry was prepared for.
        :return: the updated reference, failed or not, and the result of the upload.
        """
        from kaltura_provider.api.errors import KalturaError
        from kaltura_provider.ingest.item import ItemState
        from kaltura_provider.ingest.mark_writes import MarkLostError
        from kaltura_provider.ingest.send import Ingested, describe
        from kaltura_provider.upload.errors import UploadError
        from kaltura_provider.upload.sources.digest import check_digest
        from kaltura_provider.upload.sources.errors import SourceError

        try:
            if ref.state not in (ItemState.SEND, ItemState.SENT):
                return Ingested(ref)
            # Earlier tries of prepare do not show whether another run is sending to this token.
            own = ref.token_id is not None and self._memory.ids.get(ref.item_id) == ref.token_id
            self._memory.remember(ref.item_id, ref.token_id)
            source = source or self._opened(ref, request)
            if ref.state is ItemState.SEND:
                check_digest(source, str((request or {}).get("checksum") or ""))
            return self._sent(ref.to(ref.state, own=own), request, source)
        except (SourceError, UploadError, KalturaError, MarkLostError) as error:
            return Ingested(ref.failed(describe(error)))
        finally:
            if source is not None:
                source.close()

    def _sent(self, ref: ItemRef, request: dict[str, Any] | None, source: Source) -> Ingested:
        from kaltura_provider.ingest.item import ItemState
        from kaltura_provider.ingest.preparation import prepare
        from kaltura_provider.ingest.send import Ingested, send_item
        from kaltura_provider.ingest.settings import IngestSettings

        client, observer = self._hook.get_conn(), self._hook.observer
        sent = send_item(
            client,
            self._uploader,
            ref,
            source,
            observer=observer,
            on_ref=lambda now: self._memory.remember(now.item_id, now.token_id),
        )
        done = sent.ref
        if done.state is ItemState.SENT and done.entry_id is None and request is not None:
            item = requested_item(request, source)
            settings = IngestSettings(run=self._run)
            (done,) = prepare(client, [item], settings=settings, observer=observer, known=self._memory.ids)
        return Ingested(done.to(done.state, made=ref.made or done.made), sent.upload)

    def _opened(self, ref: ItemRef, request: dict[str, Any] | None) -> Source:
        """Open the source of a reference.

        :raises SourceChanged: the source no longer holds the bytes that the entry was prepared for.
        """
        from kaltura_provider.ingest.identity import content_id
        from kaltura_provider.upload.sources.errors import SourceChanged

        source = self._sources.open(ref.uri, version_id=(request or {}).get("version_id"))
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
