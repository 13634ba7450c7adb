"""A whole batch brought into Kaltura by one task: found or prepared, and sent side by side."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list, finish, run_of
from kaltura_provider.hooks.item_sender import ItemSender, came_of
from kaltura_provider.hooks.source_items import requested_items
from kaltura_provider.hooks.task_state import ShownProgress, TaskMemory
from kaltura_provider.hooks.xcom_parts import resolved
from kaltura_provider.operators.prepare import KalturaPrepareOperator, show
from kaltura_provider.upload.settings import upload_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from jinja2 import Environment

    from kaltura_provider.hooks.source_items import OpenedItem
    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.ingest.send import Ingested
    from kaltura_provider.upload.settings import UploadSettings
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["KalturaIngestOperator"]


class KalturaIngestOperator(KalturaPrepareOperator):
    """Bring a batch of sources into Kaltura: find or make the entry of each, and send what is missing.

    The same as :class:`KalturaPrepareOperator` followed by :class:`~.upload.KalturaUploadOperator`, in one task:
    several sources at once, with one S3 client and one pool of connections to Kaltura. A source that fails stops no
    other. The next try of the task finds what is in Kaltura and sends the rest.

    :param max_active: how many sources are prepared or sent at once. Their uploads have 8 connections to Kaltura
        together, unless ``upload`` sets ``parallelism`` for each; an upload takes 1 MiB of memory for a connection,
        and 8 MiB.
    :return: a reference per source, as :class:`~.upload.KalturaUploadOperator` returns it: ``state`` is ``done`` when
        Kaltura holds exactly these bytes. One for one source, a list for a list.
    :raises AirflowFailException: every source failed, and no retry can help.

    The other arguments are :class:`KalturaPrepareOperator`'s.
    """

    _killed = False
    _uploader: Uploader | None = None

    def __init__(self, *, max_active: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_active = max_active

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Render the fields, and fetch a batch that was too large to come along itself."""
        super().render_template_fields(context, jinja_env)
        self.assets = resolved(context, self.assets)

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the references."""
        from kaltura_provider.api.threads import in_threads

        given, many = as_list(self.assets)
        requests = [self._request(item) for item in requested_items(given)]
        started = time.time()
        memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable)
        limits = upload_settings(self.upload)
        opened = in_threads(lambda request: self._opened(request, limits), requests, workers=self.max_active)
        try:
            refs = self._prepared(context, opened, memory, workers=self.max_active)
            results = self._sent(context, refs, opened, memory)
        finally:
            for one in opened:
                one.close()
        refs = [result.ref for result in results]
        show(self, context, refs)
        carried = [{"started": started, **came_of(context, result)} for result in results]
        return finish(context, "ingest", refs, carried, many=many)

    def on_kill(self) -> None:
        """Stop sending; the tokens keep what they have, and the next try goes on from there."""
        self._killed = True
        if self._uploader is not None:
            self._uploader.cancel()

    def _sent(
        self, context: Context, refs: Sequence[ItemRef], opened: Sequence[OpenedItem], memory: TaskMemory
    ) -> list[Ingested]:
        """Send what is missing, several sources at once."""
        from kaltura_provider.api.threads import in_threads
        from kaltura_provider.ingest.item import ItemState

        to_send = sum(ref.state in (ItemState.SEND, ItemState.SENT) for ref in refs)
        workers = max(1, min(self.max_active, to_send))
        progress = ShownProgress(context)
        uploader = self._new_uploader(progress, upload_settings(self.upload), workers)
        sender = ItemSender(self.hook, uploader, memory, self.sources, run=run_of(context))
        try:
            return in_threads(lambda ref, one: sender.send(ref, one.request, one.source), refs, opened, workers=workers)
        finally:
            progress.write()

    def _new_uploader(self, progress: ShownProgress, settings: UploadSettings, workers: int) -> Uploader:
        from dataclasses import replace

        from kaltura_provider.hooks.observer import AirflowObserver
        from kaltura_provider.upload.settings import MAX_PARALLELISM
        from kaltura_provider.upload.uploader import Uploader

        if settings.parallelism is None and workers > 1:
            settings = replace(settings, parallelism=max(1, MAX_PARALLELISM // workers))
        observer = AirflowObserver(on_chunk=progress.take)
        self._uploader = uploader = Uploader(self.hook.get_conn(), observer=observer, settings=settings)
        if self._killed:
            uploader.cancel()
        return uploader
