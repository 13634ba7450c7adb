"""Finds the entry of each source item, or makes it: an entry with an upload token attached."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list, finish, presentable, run_of
from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.hooks.source_items import OpenedItem, failed_source, requested_item, requested_items
from kaltura_provider.hooks.sources import PRESIGNED_SECONDS, presigned_seconds
from kaltura_provider.hooks.task_state import TaskMemory
from kaltura_provider.links.entry import ENTRY_LINKS, end_links, push_links
from kaltura_provider.operators.source_bases import SourceOperator
from kaltura_provider.upload.settings import upload_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.ingest.settings import IngestSettings
    from kaltura_provider.upload.settings import UploadSettings

__all__ = ["KalturaPrepareOperator", "show"]


@renamed_arguments({"assets": "source"})
class KalturaPrepareOperator(SourceOperator):
    """Find or create one Kaltura entry for each source item, ready to receive its content.

    An item has one entry, however often and wherever this runs. An item whose content is already in Kaltura needs no
    upload: its state is ``done``, and later tasks pass it on.

    :param source: what to ingest: an address (``s3://bucket/key``, ``https://...``, ``file:///path``); a mapping with
        ``uri`` and optionally ``metadata``, ``identity`` (identifies the item instead of its address) and
        ``version_id`` (of an S3 object); an item reference of an earlier task; or a list of these.
    :param metadata: fields of every entry: ``name``, ``description``, ``tags``, ``categories``, ``reference_id``,
        ``media_type``, ``conversion_profile_id``, ``access_control_id``, ``user_id``, ``start_date``, ``end_date`` ...
        (:class:`~kaltura_provider.services.entry.metadata.EntryMetadata`). An item's own metadata takes precedence.
    :param if_exists: what to do with an item that is in Kaltura with different content: ``skip`` keeps the entry,
        ``replace`` replaces its content, ``fail`` fails.
    :param transfer: how the content gets to Kaltura: ``upload`` sends it through a worker
        (:class:`~kaltura_provider.operators.upload.KalturaUploadOperator`); ``import`` has Kaltura fetch it from the
        URL, or from S3 by a presigned URL; ``bulk`` does the same and has Kaltura make the entries from CSV files of up
        to 500 rows. Items that such a file cannot describe (documents, data, adminTags, request headers) are imported
        without it.
    :param adopt_by: adopt an existing entry that was not made by this package: by its ``reference`` id or its ``name``.
    :param redo: finished items to process again: ``deleted`` entries, ``refused`` file types, ``failed`` imports.
    :param upload: settings of the upload: see ``KalturaUploadOperator``. A source larger than ``max_size`` fails here,
        before anything is created in Kaltura.
    :param presigned_seconds: with ``transfer="import"`` or ``"bulk"``, how long the presigned URL of an S3 object is
        valid (60 to 604,800).
    :param aws_conn_id: the Airflow connection for S3.
    :param http_conn_id: the Airflow HTTP connection whose credentials and headers are sent with ``http(s)`` requests.
    :param durable: whether to remember what the task creates in the task state store, for its next try.
    :return: one item reference, or a list for a list: ``uri``, ``name``, ``size`` (bytes), ``item_id`` and
        ``content_id`` (identities), ``entry_id``, ``token_id``, ``state`` (``send``, ``done``, ``skipped`` ...),
        ``made`` (whether this run created the entry) and, if there is one, a ``note``.
    :raises AirflowFailException: every item failed and no retry can help. The message gives the reasons.
    """

    template_fields: Sequence[str] = (
        "source",
        "metadata",
        "if_exists",
        "transfer",
        "adopt_by",
        "redo",
        "upload",
        "presigned_seconds",
        *SourceOperator.template_fields,
    )
    operator_extra_links = ENTRY_LINKS

    def __init__(
        self,
        *,
        source: Any,
        metadata: Mapping[str, Any] | None = None,
        if_exists: str = "skip",
        transfer: str = "upload",
        adopt_by: str | None = None,
        redo: Sequence[str] = (),
        upload: Mapping[str, Any] | None = None,
        presigned_seconds: int | str = PRESIGNED_SECONDS,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.metadata = metadata
        self.if_exists = if_exists
        self.transfer = transfer
        self.adopt_by = adopt_by
        self.redo = redo
        self.upload = upload
        self.presigned_seconds = presigned_seconds
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the references."""
        given, many = as_list(self.source)
        requests = [self._request(item) for item in requested_items(given)]
        _check_alone(requests)
        started = time.time()
        memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable)
        limits = upload_settings(self.upload)
        self._settings(context)  # checks the arguments before a source is opened
        if any(request.get("sidecars") or request.get("checksum") for request in requests):
            raise ValueError("sidecars and checksum of a source need KalturaIngestOperator, which uploads too")
        opened = []
        for request in requests:
            opened.append(self._opened(request, limits))
            opened[-1].close()
        refs = self._prepared(context, opened, memory)
        show(self, context, refs)
        carried = [
            {"started": started} | _request_for_upload(ref, request)
            for ref, request in zip(refs, requests, strict=True)
        ]
        return finish(context, "prepare", refs, carried, many=many)

    def _request(self, item: dict[str, Any]) -> dict[str, Any]:
        return {**item, "metadata": {**(self.metadata or {}), **(item.get("metadata") or {})}}

    def _opened(self, request: dict[str, Any], limits: UploadSettings) -> OpenedItem:
        """Open the source of a request; an error becomes part of the result."""
        from kaltura_provider.upload.limits import check_size
        from kaltura_provider.upload.sources.errors import SourceError

        opened = OpenedItem(request)
        if request.get("error"):
            opened.error = ValueError(request["error"])
            return opened
        uri, version_id = str(request["uri"]), request.get("version_id")
        try:
            opened.source = source = self.sources.open(uri, version_id=version_id)
            check_size(source, limits)
            item = requested_item(request, source)
            # Kaltura compares no checksums of what it fetches, so a source that has one is uploaded.
            if self.transfer in ("import", "bulk") and not request.get("checksum"):
                url, headers = self.sources.import_address(
                    uri, version_id=version_id, seconds=presigned_seconds(self.presigned_seconds)
                )
                item = replace(item, import_url=url, import_headers=headers)
            opened.item = item
        except (SourceError, ValueError) as error:
            opened.error = error
        return opened

    def _settings(self, context: Context) -> IngestSettings:
        """Return the settings, checked.

        :raises KalturaConfigurationError: an argument is unknown; names it.
        """
        from kaltura_provider.api.arguments import choice
        from kaltura_provider.ingest.settings import AdoptBy, IfExists, IngestSettings, Redo, Transfer

        presigned_seconds(self.presigned_seconds)
        return IngestSettings(
            if_exists=choice(IfExists, self.if_exists, "if_exists"),
            transfer=choice(Transfer, self.transfer, "transfer"),
            adopt_by=choice(AdoptBy, self.adopt_by, "adopt_by") if self.adopt_by else None,
            redo=frozenset(choice(Redo, word, "redo") for word in self.redo),
            run=run_of(context),
        )

    def _prepared(self, context: Context, opened: Sequence[OpenedItem], memory: TaskMemory) -> list[ItemRef]:
        """Return a reference for each item, in the same order."""
        from kaltura_provider.ingest.preparation import prepare

        settings = self._settings(context)
        items = [one.item for one in opened if one.item is not None]

        def on_ref(ref: ItemRef) -> None:
            memory.remember(ref.item_id, ref.token_id)
            if ref.entry_id and len(items) == 1:
                push_links(context, self.hook.account, ref.entry_id)

        prepared = iter(
            prepare(
                self.hook.get_conn(),
                items,
                settings=settings,
                observer=self.hook.observer,
                known=memory.ids,
                on_ref=on_ref,
            )
        )
        return [
            failed_source(str(one.request["uri"]), one.error) if one.error is not None else next(prepared)
            for one in opened
        ]


def _check_alone(requests: Sequence[dict[str, Any]]) -> None:
    """Refuse sidecar files, which only the task that ingests a whole item attaches.

    :raises KalturaConfigurationError: a request has some.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError

    if any(request.get("sidecars") for request in requests):
        raise KalturaConfigurationError(
            "source", None, "has sidecars, which this operator does not attach", "use KalturaIngestOperator"
        )


def _request_for_upload(ref: ItemRef, request: dict[str, Any]) -> dict[str, Any]:
    """Return what the upload task needs besides the reference.

    It reads the same version. It also creates the entries that cannot exist before their content.
    """
    return {"request": request} if not ref.attached or request.get("version_id") else {}


def show(operator: SourceOperator, context: Context, refs: list[ItemRef]) -> None:
    """Log each reference that has not failed, and point the task's links at the first entry.

    :func:`~kaltura_provider.hooks.batch.finish` reports failures.
    """
    from kaltura_provider.hooks.sources import shown_address

    for ref in refs:
        if ref.error is None:
            entry = f", entry {ref.entry_id}" if ref.entry_id else ""
            note = f" ({presentable(ref.note, ref.uri)})" if ref.note else ""
            operator.log.info("%s: %s%s%s", shown_address(ref.uri), ref.state.value, entry, note)
    if first := next((ref.entry_id for ref in refs if ref.entry_id), None):
        end_links(context, operator.hook.account, first)
