"""Find the entry of each asset, or claim one: an upload token, an entry, and the token attached to it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list, finish, presentable, run_of
from kaltura_provider.hooks.task_state import TaskMemory
from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink, push_links
from kaltura_provider.operators.base import KalturaOperator
from kaltura_provider.upload.settings import upload_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.ingest.item import ItemRef, SourceItem
    from kaltura_provider.upload.settings import UploadSettings
    from kaltura_provider.upload.sources.base import Source

__all__ = ["KalturaPrepareOperator", "failed_source", "requested_asset", "requested_items", "show"]


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
    :return: a reference per asset: ``uri``, ``name``, ``size`` (bytes), ``asset`` and ``content`` (identities),
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

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the references."""
        from kaltura_provider.ingest.preparation import prepare
        from kaltura_provider.ingest.settings import IngestSettings

        given, many = as_list(self.assets)
        items = requested_items(given)
        settings = IngestSettings(
            if_exists=self.if_exists,  # type: ignore[arg-type]  # text is turned into the enumeration there
            transfer=self.transfer,  # type: ignore[arg-type]
            adopt_by=self.adopt_by or None,  # type: ignore[arg-type]
            redo=frozenset(self.redo),  # type: ignore[arg-type]
            run=run_of(context),
        )
        limits = upload_settings(self.upload)
        started = time.time()
        memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable)
        opened = [self._opened(item, limits) for item in items]
        assets = [asset for asset in opened if not isinstance(asset, tuple)]

        def on_ref(ref: ItemRef) -> None:
            memory.remember(ref.item_id, ref.token_id)
            if ref.entry_id and ref.uri == assets[0].uri:
                push_links(context, self.hook.account, ref.entry_id)

        prepared = iter(
            prepare(
                self.hook.get_conn(),
                assets,
                settings=settings,
                observer=self.hook.observer,
                known=memory.ids,
                on_ref=on_ref,
            )
        )
        refs = [failed_source(*asset) if isinstance(asset, tuple) else next(prepared) for asset in opened]
        show(self, context, refs)
        carried = [
            {"started": started} | self._request_for_upload(ref, item) for ref, item in zip(refs, items, strict=True)
        ]
        return finish(context, "prepare", refs, carried, many=many)

    def _request_for_upload(self, ref: ItemRef, item: dict[str, Any]) -> dict[str, Any]:
        """Return what the upload has to know besides the reference.

        It reads the same version; and an entry that cannot wait for its bytes is made after them, as asked for here.
        """
        needed = not ref.attached or item.get("version_id")
        return {"request": self._request(item)} if needed else {}

    def _request(self, item: dict[str, Any]) -> dict[str, Any]:
        return {**item, "metadata": {**(self.metadata or {}), **(item.get("metadata") or {})}}

    def _opened(self, item: dict[str, Any], limits: UploadSettings) -> SourceItem | tuple[str, Exception]:
        """Return the asset behind a source, or the source and what is wrong with it."""
        from kaltura_provider.hooks.sources import open_source
        from kaltura_provider.upload.limits import check_size
        from kaltura_provider.upload.sources.errors import SourceError

        uri = str(item["uri"])
        try:
            request = self._request(item)
            source = open_source(
                uri,
                aws_conn_id=self.aws_conn_id,
                http_conn_id=self.http_conn_id,
                version_id=item.get("version_id"),
            )
            try:
                check_size(source, limits)
                asset = requested_asset(request, source)
            finally:
                source.close()
            return self._to_import(asset, item) if self.transfer == "import" else asset
        except (SourceError, ValueError) as error:
            return uri, error

    def _to_import(self, asset: SourceItem, item: dict[str, Any]) -> SourceItem:
        from kaltura_provider.hooks.sources import import_address

        url, headers = import_address(
            asset.uri,
            aws_conn_id=self.aws_conn_id,
            http_conn_id=self.http_conn_id,
            version_id=item.get("version_id"),
        )
        return replace(asset, import_url=url, import_headers=headers)


def requested_items(given: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what is asked for as mappings, each address fit to be stored between tasks.

    :raises SourceRefused: an address holds a secret, and Airflow has no Fernet key.
    """
    from kaltura_provider.hooks.sealing import seal_address

    items = [item if isinstance(item, dict) else {"uri": item} for item in given]
    return [{**item, "uri": seal_address(str(item["uri"]))} for item in items]


def requested_asset(request: dict[str, Any], source: Source) -> SourceItem:
    """Return the asset that a request (``uri``, ``metadata``, ``identity``, ``version_id``) and its source make.

    :raises ValueError: a field is unknown or its value impossible; the message names it.
    """
    from kaltura_provider.hooks.sealing import opened_address
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.services.entry.content_kind import HEAD_LENGTH, kind_of_content
    from kaltura_provider.services.entry.kind import Kind, extension_of
    from kaltura_provider.services.entry.metadata import EntryMetadata

    if unknown := sorted(set(request) - {"uri", "metadata", "identity", "version_id"}):
        raise ValueError(f"unknown field {', '.join(unknown)}: an asset has uri, metadata, identity, version_id")
    metadata = EntryMetadata.from_dict(request.get("metadata") or {})
    if not metadata.media_type and not extension_of(source.name):
        # Neither the author nor the name tells what it is: its first bytes may.
        head = b"".join(source.read(0, min(source.size, HEAD_LENGTH)))
        kind = kind_of_content(head)
        # That it is text says too little: a stray file shall not become a data entry.
        if kind not in (None, Kind.DATA):
            metadata = replace(metadata, media_type=kind.value)
    uri = str(request["uri"])
    return SourceItem(
        uri=uri,
        address=opened_address(uri),
        size=source.size,
        validator=source.validator,
        elder_validator=getattr(source, "elder_validator", ""),
        name=source.name,
        metadata=metadata,
        identity=request.get("identity"),
    )


def failed_source(uri: str, error: Exception) -> ItemRef:
    """Return the reference of a source that could not even be opened."""
    from kaltura_provider.hooks.border import retry_helps
    from kaltura_provider.hooks.sources import printable
    from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState

    return ItemRef(
        uri=uri,
        name=printable(uri).partition("?")[0].rsplit("/", 1)[-1],
        size=0,
        item_id="",
        content_id="",
        state=ItemState.FAILED,
        error=ItemError("source", presentable(str(error), uri), retry_helps(error)),
    )


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
