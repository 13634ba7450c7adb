"""Ingests a whole batch in one task: several items are prepared and uploaded at once."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list, finish
from kaltura_provider.hooks.item_sender import ItemSender, came_of
from kaltura_provider.hooks.lineage import ItemLineage
from kaltura_provider.hooks.source_items import requested_items
from kaltura_provider.hooks.sources import shown_address
from kaltura_provider.hooks.task_state import ShownProgress, TaskMemory
from kaltura_provider.operators.prepare import KalturaPrepareOperator, show
from kaltura_provider.operators.source_bases import Uploading
from kaltura_provider.upload.settings import upload_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from kaltura_provider.hooks.metadata import OnMetadataChange
    from kaltura_provider.hooks.source_items import OpenedItem
    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.ingest.send import Ingested
    from kaltura_provider.upload.settings import UploadSettings

__all__ = ["KalturaIngestOperator"]


class KalturaIngestOperator(ItemLineage, KalturaPrepareOperator, Uploading):
    """Ingest sources from S3, URLs or files into Kaltura, exactly once: find or create each entry and upload content.

    This is :class:`KalturaPrepareOperator` followed by :class:`~.upload.KalturaUploadOperator` in one task, for several
    items at once, with one S3 client and one connection pool to Kaltura. The items of a batch share requests to
    Kaltura. If an item fails, the others continue. The next try of the task finds what is already in Kaltura and
    uploads the rest.

    :param source: what to ingest: an address (``s3://bucket/key``, ``https://...``, ``file:///path``); a mapping with
        ``uri`` and optionally ``metadata``, ``identity``, ``version_id``, ``checksum`` and ``sidecars``; an item
        reference of an earlier task; or a list of these. ``checksum`` is ``md5:...``, ``sha1:...`` or ``sha256:...``
        in hexadecimal; it is compared before the item is uploaded, and such an item is uploaded whatever ``transfer``
        says. ``sidecars`` are files to attach to the entry, each a mapping with ``uri``, ``kind`` (``caption``,
        ``thumbnail``, ``attachment``, ``rendition``) and optionally ``default``, ``checksum`` and ``values``
        (properties of the asset under Kaltura's names, such as ``language`` and ``label``). A ``rendition`` has
        ``flavor`` too, the system name, name or id of its flavor params.
    :param max_active: how many sources to open at once, and how many of those larger than 5 MiB to upload at once.
        Their uploads share 8 connections to Kaltura, unless ``upload`` sets ``parallelism`` for each. Smaller ones are
        uploaded 16 at a time over one connection each. An upload takes 8 MiB of memory plus 1 MiB for each connection.
    :param on_metadata_change: what to do with an entry whose metadata has changed since the entry got it: ``keep``,
        ``update`` or ``fail``. It matters for requests with a ``metadata_digest``, as those of feeds are. A metadata
        file that arrives later is always applied.
    :param preflight: whether to look at each source before anything is created in Kaltura: ``off``, ``warn`` or
        ``fail``. It finds content that is not what the extension says, and MP4 and QuickTime files that are not whole.
    :param allowed_extensions: the extensions that ``preflight`` lets through; all, if there are none.
    :return: one item reference, or a list for a list. ``state`` is ``done`` when Kaltura holds exactly this content.
    :raises AirflowFailException: every item failed and no retry can help.

    The other arguments are :class:`KalturaPrepareOperator`'s.
    """

    def __init__(
        self,
        *,
        max_active: int = 4,
        on_metadata_change: str = "keep",
        preflight: str = "off",
        allowed_extensions: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_active = max_active
        self.on_metadata_change = on_metadata_change
        self.preflight = preflight
        self.allowed_extensions = allowed_extensions

    def _on_metadata_change(self) -> OnMetadataChange:
        from kaltura_provider.api.arguments import choice
        from kaltura_provider.hooks.metadata import OnMetadataChange

        return choice(OnMetadataChange, self.on_metadata_change, "on_metadata_change")

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the references."""
        from kaltura_provider.api.threads import in_threads

        given, many = as_list(self.source)
        requests = [self._request(item) for item in requested_items(given)]
        started = time.time()
        memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable)
        limits = upload_settings(self.upload)
        self._settings(context)  # checks the arguments before a source is opened
        opened = in_threads(lambda request: self._opened(request, limits), requests, workers=self.max_active)
        try:
            refs = self._prepared(context, opened, memory)
            results = self._sent(context, refs, opened, memory)
        finally:
            for one in opened:
                one.close()
        refs = [result.ref for result, _ in results]
        self.remember_lineage(refs)
        show(self, context, refs)
        carried = [
            {"started": started, **came_of(context, result), **({"sidecars": attached} if attached else {})}
            for result, attached in results
        ]
        return finish(context, "ingest", refs, carried, many=many)

    def _opened(self, request: dict[str, Any], limits: UploadSettings) -> OpenedItem:
        """Open the source of a request and look at its content; an error becomes part of the result."""
        from kaltura_provider.api.arguments import choice
        from kaltura_provider.upload.preflight import Preflight, problems_of
        from kaltura_provider.upload.sources.errors import SourceError

        opened = super()._opened(request, limits)
        preflight = choice(Preflight, self.preflight, "preflight")
        source, item = opened.source, opened.item
        if preflight is Preflight.OFF or source is None or item is None:
            return opened
        try:
            problems = problems_of(
                item.name,
                item.kind,
                source.size,
                lambda offset, length: b"".join(source.read(offset, length)),
                self.allowed_extensions,
            )
        except SourceError as error:
            opened.error, opened.item = error, None
            return opened
        text = f"{shown_address(item.uri)} cannot become media: {'; '.join(problems)}"
        if problems and preflight is Preflight.FAIL:
            opened.error, opened.item = ValueError(text), None
        elif problems:
            self.log.warning("%s", shown_address(text))
        return opened

    def _sent(
        self, context: Context, refs: Sequence[ItemRef], opened: Sequence[OpenedItem], memory: TaskMemory
    ) -> list[tuple[Ingested, list[dict[str, Any]]]]:
        """Upload what is missing, several items at once, and confirm it.

        Return the results and the sidecar files that are attached.
        """
        from kaltura_provider.api.threads import in_threads
        from kaltura_provider.hooks.metadata import MetadataSender
        from kaltura_provider.hooks.sidecars import SidecarSender
        from kaltura_provider.ingest.item import ItemState
        from kaltura_provider.ingest.send import SMALL

        large = sum(
            (ref.state is ItemState.SEND and ref.size > SMALL) or bool(one.request.get("sidecars"))
            for ref, one in zip(refs, opened, strict=True)
        )
        workers = max(1, min(self.max_active, large))
        progress = ShownProgress(context)
        uploader = self.new_uploader(progress, workers=workers)
        settings = self._settings(context)
        sender = ItemSender(self.hook, uploader, memory, self.sources, settings)
        sidecars = SidecarSender(self.hook, uploader, self.sources, settings)
        metadata = MetadataSender(self.hook, self._on_metadata_change(), settings)

        def attached(sent: Ingested, updated: ItemRef, one: OpenedItem) -> tuple[Ingested, list[dict[str, Any]]]:
            ref, files = sidecars.attach(updated, one.request.get("sidecars") or [])
            return replace(sent, ref=ref), files

        def attach_early(ref: ItemRef, one: OpenedItem) -> None:
            sidecars.attach_early(ref, one.request.get("sidecars") or [])

        try:
            in_threads(attach_early, refs, opened, workers=workers)
            sent = sender.send(refs, opened, workers=workers)
            updated = metadata.apply_all([one.ref for one in sent], [one.request for one in opened])
            return in_threads(attached, sent, updated, opened, workers=workers)
        finally:
            progress.write()
