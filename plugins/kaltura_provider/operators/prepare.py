"""Find the entry of each asset, or claim one: an upload token, an entry, and the token attached to it."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list, finish, presentable, run_of
from kaltura_provider.hooks.source_items import OpenedItem, failed_source, requested_asset, requested_items
from kaltura_provider.hooks.task_state import TaskMemory
from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink, push_links
from kaltura_provider.operators.base import KalturaOperator
from kaltura_provider.upload.settings import upload_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.hooks.sources import Sources
    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.upload.settings import UploadSettings

__all__ = ["KalturaPrepareOperator", "show"]


class KalturaPrepareOperator(KalturaOperator):
    """Find each asset's entry in Kaltura, or make it, with an upload token attached, ready for its bytes.

    However often and wherever this runs, an asset has one entry. An asset whose bytes are in Kaltura already costs no
    upload: its reference says ``done``, and the tasks after this one pass it on.

    :param assets: a source (``s3://bucket/key``, ``https://...``, ``file:///path``), or a mapping with ``uri`` and, if
        wanted, ``metadata``, ``identity`` (what identifies the asset in place of its address), ``version_id`` (of an S3
        object); or a list of either.
    :param metadata: fields of all entries: ``name``, ``description``, ``tags``, ``categories``, ``reference_id``,
        ``media_type``, ``conversion_profile_id``, ``access_control_id``, ``user_id``, ``start_date``, ``end_date`` ...
        (:class:`~kaltura_provider.services.entry.metadata.EntryMetadata`); an asset's own come before them.
    :param if_exists: what to do with an asset that is in Kaltura with other content: ``skip`` keeps the entry and
        says so, ``replace`` replaces its content, ``fail`` fails.
    :param transfer: who moves the bytes: ``upload`` (the upload task), or ``import``: Kaltura itself fetches them, from
        the URL or from S3 by a presigned URL, and no byte passes through a worker.
    :param adopt_by: take over an entry that somebody else made: by its ``reference`` id or its ``name``.
    :param redo: what to do again although it ended: ``deleted`` entries, ``refused`` file types, ``failed`` imports.
    :param upload: settings of the upload that follows, as of :class:`KalturaUploadOperator`. Only ``max_size``
        matters here: a larger source fails before anything is made in Kaltura.
    :param aws_conn_id: the Airflow connection for S3.
    :param http_conn_id: the Airflow HTTP connection whose credentials and headers go with ``http(s)`` sources.
    :param durable: remember tokens in the task state store, so that the next try goes on at once.
    :return: a reference per asset: ``uri``, ``name``, ``size`` (bytes), ``item_id`` and ``content_id`` (identities),
        ``entry_id``, ``token_id``, ``state`` (``send``, ``done``, ``skipped`` ...), ``made`` and, where there is
        something to say, ``note``. One for one source, a list for a list.
    :raises AirflowFailException: no asset is left to go on with, and no retry can help; the message says why.
    """

    template_fields: Sequence[str] = (
        "assets",
        "metadata",
        "if_exists",
        "transfer",
        "adopt_by",
        "redo",
        "upload",
        "aws_conn_id",
        "http_conn_id",
        *KalturaOperator.template_fields,
    )
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())

    def __init__(
        self,
        *,
        assets: Any,
        metadata: Mapping[str, Any] | None = None,
        if_exists: str = "skip",
        transfer: str = "upload",
        adopt_by: str | None = None,
        redo: Sequence[str] = (),
        upload: Mapping[str, Any] | None = None,
        aws_conn_id: str = "aws_default",
        http_conn_id: str | None = None,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.assets = assets
        self.metadata = metadata
        self.if_exists = if_exists
        self.transfer = transfer
        self.adopt_by = adopt_by
        self.redo = redo
        self.upload = upload
        self.aws_conn_id = aws_conn_id
        self.http_conn_id = http_conn_id
        self.durable = durable

    @cached_property
    def sources(self) -> Sources:
        """What this task opens its sources with."""
        from kaltura_provider.hooks.sources import Sources

        return Sources(aws_conn_id=self.aws_conn_id, http_conn_id=self.http_conn_id)

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the references."""
        given, many = as_list(self.assets)
        requests = [self._request(item) for item in requested_items(given)]
        started = time.time()
        memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable)
        limits = upload_settings(self.upload)
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
        """Open the source of a request; what stops it is in what comes back."""
        from kaltura_provider.upload.limits import check_size
        from kaltura_provider.upload.sources.errors import SourceError

        opened = OpenedItem(request)
        uri, version_id = str(request["uri"]), request.get("version_id")
        try:
            opened.source = source = self.sources.open(uri, version_id=version_id)
            check_size(source, limits)
            item = requested_asset(request, source)
            if self.transfer == "import":
                url, headers = self.sources.import_address(uri, version_id=version_id)
                item = replace(item, import_url=url, import_headers=headers)
            opened.item = item
        except (SourceError, ValueError) as error:
            opened.error = error
        return opened

    def _prepared(
        self, context: Context, opened: Sequence[OpenedItem], memory: TaskMemory, *, workers: int = 1
    ) -> list[ItemRef]:
        """Return a reference for each item, in their order.

        :param workers: how many items are worked on at once.
        """
        from kaltura_provider.ingest.preparation import prepare
        from kaltura_provider.ingest.settings import IngestSettings

        settings = IngestSettings(
            if_exists=self.if_exists,  # type: ignore[arg-type]  # text is turned into the enumeration there
            transfer=self.transfer,  # type: ignore[arg-type]
            adopt_by=self.adopt_by or None,  # type: ignore[arg-type]
            redo=frozenset(self.redo),  # type: ignore[arg-type]
            run=run_of(context),
        )
        items = [one.item for one in opened if one.item is not None]

        def on_ref(ref: ItemRef) -> None:
            memory.remember(ref.item_id, ref.token_id)
            if ref.entry_id and ref.uri == items[0].uri:
                push_links(context, self.hook.account, ref.entry_id)

        prepared = iter(
            prepare(
                self.hook.get_conn(),
                items,
                settings=settings,
                observer=self.hook.observer,
                known=memory.ids,
                on_ref=on_ref,
                workers=workers,
            )
        )
        return [
            failed_source(str(one.request["uri"]), one.error) if one.error is not None else next(prepared)
            for one in opened
        ]


def _request_for_upload(ref: ItemRef, request: dict[str, Any]) -> dict[str, Any]:
    """Return what the upload has to know besides the reference.

    It reads the same version; and an entry that cannot wait for its bytes is made after them, as asked for here.
    """
    return {"request": request} if not ref.attached or request.get("version_id") else {}


def show(operator: KalturaOperator, context: Context, refs: list[ItemRef]) -> None:
    """Log each reference that has not failed, and make the task's links lead to the first entry.

    Of failures :func:`~kaltura_provider.hooks.batch.finish` tells.
    """
    from kaltura_provider.hooks.sources import printable

    for ref in refs:
        if ref.error is None:
            entry = f", entry {ref.entry_id}" if ref.entry_id else ""
            note = f" ({presentable(ref.note, ref.uri)})" if ref.note else ""
            operator.log.info("%s: %s%s%s", printable(ref.uri), ref.state.value, entry, note)
    if first := next((ref.entry_id for ref in refs if ref.entry_id), None):
        push_links(context, operator.hook.account, first)
