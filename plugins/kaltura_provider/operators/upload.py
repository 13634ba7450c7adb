"""Send the bytes of sources to Kaltura."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list, finish, run_of
from kaltura_provider.hooks.task_state import ShownProgress, TaskMemory
from kaltura_provider.hooks.token_upload import fill_own_token, fill_token
from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink
from kaltura_provider.operators.base import KalturaOperator
from kaltura_provider.operators.prepare import requested_asset, show
from kaltura_provider.upload.settings import upload_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.ingest.send import Ingested
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["KalturaUploadOperator"]


class KalturaUploadOperator(KalturaOperator):
    """Send the bytes of sources straight to Kaltura, without a copy on this machine, and verify that they are in.

    An upload that was interrupted goes on where the server says it stands, on whatever worker, as long as the source
    holds the same bytes. An asset that is in Kaltura already is passed on. While it runs, the task state store shows
    under ``kaltura_progress`` how far it is.

    :param asset: a reference, or a list of them, as :class:`KalturaPrepareOperator` returns it; or
    :param source: one source (``s3://bucket/key``, ``https://...``, ``file:///path``), sent to an upload token of its
        own, which :class:`KalturaAttachOperator` then turns into an entry.
    :param token_id: with ``source``, an upload token to fill in place of a new one.
    :param upload: settings of the upload, a mapping of ``parallelism`` (1 to 8), ``chunk_size`` and ``max_size``
        (bytes), ``bandwidth`` (bytes per second), ``reread`` and ``sha256`` (True or False). What is not set, the
        uploader chooses.
    :param aws_conn_id: the Airflow connection for S3.
    :param http_conn_id: the Airflow HTTP connection whose credentials and headers go with ``http(s)`` sources.
    :param durable: remember tokens in the task state store, so that the next try goes on at once.
    :return: for a reference the reference as it is now (``state`` is ``done`` when Kaltura holds exactly these bytes),
        for a list a list. For a source ``{"token_id", "size" (bytes), "crc32c", "name", "uri", "seconds"}``.
    :raises AirflowFailException: the source has changed or cannot be read, Kaltura refuses this type of file ...: no
        retry can help; the message says what to do.
    """

    template_fields: Sequence[str] = (
        "asset",
        "source",
        "token_id",
        "upload",
        "aws_conn_id",
        "http_conn_id",
        *KalturaOperator.template_fields,
    )
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())
    _killed = False
    _uploader: Uploader | None = None

    def __init__(
        self,
        *,
        asset: Any = None,
        source: str | None = None,
        token_id: str | None = None,
        upload: Mapping[str, Any] | None = None,
        aws_conn_id: str = "aws_default",
        http_conn_id: str | None = None,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.source = source
        self.token_id = token_id
        self.upload = upload
        self.aws_conn_id = aws_conn_id
        self.http_conn_id = http_conn_id
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the references, or the token."""
        if (self.asset is None) == (self.source is None):
            from kaltura_provider.api.errors import KalturaConfigurationError

            problem = "are both missing" if self.asset is None else "are both given"
            fix = "give either what KalturaPrepareOperator returned (asset) or an address (source)"
            raise KalturaConfigurationError("asset and source", None, problem, fix)
        progress = ShownProgress(context)
        uploader = self._new_uploader(progress)
        try:
            if self.source is not None:
                return self._to_token(context, uploader, self.source)
            return self._to_entries(context, uploader)
        finally:
            progress.write()

    def _new_uploader(self, progress: ShownProgress) -> Uploader:
        from kaltura_provider.hooks.observer import AirflowObserver
        from kaltura_provider.upload.uploader import Uploader

        settings = upload_settings(self.upload)
        observer = AirflowObserver(on_chunk=progress.take)
        self._uploader = uploader = Uploader(self.hook.get_conn(), observer=observer, settings=settings)
        if self._killed:
            uploader.cancel()
        return uploader

    def _to_entries(self, context: Context, uploader: Uploader) -> Any:
        """Send what the references say to their tokens."""
        from kaltura_provider.ingest.item import ItemRef

        given, many = as_list(self.asset)
        memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable)
        results = [
            self._sent(uploader, ItemRef.from_dict(item), item.get("request"), memory, context) for item in given
        ]
        refs = [result.ref for result in results]
        carried = [self._carried(context, *pair) for pair in zip(given, results, strict=True)]
        show(self, context, refs)
        return finish(context, "upload", refs, carried, many=many)

    def on_kill(self) -> None:
        """Stop sending; the token keeps what it has, and the next try goes on from there."""
        self._killed = True
        if self._uploader is not None:
            self._uploader.cancel()

    def _carried(self, context: Context, item: dict[str, Any], result: Ingested) -> dict[str, Any]:
        """Return what goes along with a reference: what came of the upload, for its receipt."""
        ti: Any = context["ti"]
        return {**item, **({"upload": asdict(result.upload), "attempts": ti.try_number} if result.upload else {})}

    def _sent(
        self,
        uploader: Uploader,
        ref: ItemRef,
        request: dict[str, Any] | None,
        memory: TaskMemory,
        context: Context,
    ) -> Ingested:
        """Bring one asset in; whatever stops it is in the reference that comes back."""
        from kaltura_provider.api.errors import KalturaError
        from kaltura_provider.ingest.item import ItemState
        from kaltura_provider.ingest.mark_writes import MarkLostError
        from kaltura_provider.ingest.preparation import prepare
        from kaltura_provider.ingest.send import Ingested, describe, send_item
        from kaltura_provider.ingest.settings import IngestSettings
        from kaltura_provider.upload.errors import UploadError
        from kaltura_provider.upload.sources.errors import SourceError

        if ref.state not in (ItemState.SEND, ItemState.SENT):
            return Ingested(ref)
        # What prepare knew of its own tries does not tell whether another run sends to this token.
        own = ref.token_id is not None and memory.ids.get(ref.item_id) == ref.token_id
        memory.remember(ref.item_id, ref.token_id)
        try:
            source = self._opened(ref, request)
            try:
                sent = send_item(
                    self.hook.get_conn(),
                    uploader,
                    ref.to(ref.state, own=own),
                    source,
                    observer=self.hook.observer,
                    on_ref=lambda now: memory.remember(now.item_id, now.token_id),
                )
                done = sent.ref
                if done.state is ItemState.SENT and done.entry_id is None and request is not None:
                    asset = requested_asset(request, source)
                    settings = IngestSettings(run=run_of(context))
                    (done,) = prepare(
                        self.hook.get_conn(), [asset], settings=settings, observer=self.hook.observer,
                        known=memory.ids,
                    )  # fmt: skip
                return Ingested(done.to(done.state, made=ref.made or done.made), sent.upload)
            finally:
                source.close()
        except (SourceError, UploadError, KalturaError, MarkLostError) as error:
            return Ingested(ref.failed(describe(error)))

    def _opened(self, ref: ItemRef, request: dict[str, Any] | None) -> Source:
        """Open the source of a reference.

        :raises SourceChanged: it holds other bytes than those the entry was prepared for.
        """
        from kaltura_provider.ingest.identity import content_id
        from kaltura_provider.upload.sources.errors import SourceChanged

        version_id = (request or {}).get("version_id")
        source = self._open(ref.uri, version_id)
        validators = (source.validator, getattr(source, "elder_validator", ""))
        found, elder = (content_id(ref.item_id, source.size, validator) for validator in validators)
        if ref.content_id not in (found, elder):
            source.close()
            raise SourceChanged(
                source.uri, f"{ref.size} bytes, content {ref.content_id}", f"{source.size} bytes, content {found}"
            )
        return source

    def _open(self, uri: str, version_id: str | None = None) -> Source:
        from kaltura_provider.hooks.sources import open_source

        return open_source(uri, aws_conn_id=self.aws_conn_id, http_conn_id=self.http_conn_id, version_id=version_id)

    def _to_token(self, context: Context, uploader: Uploader, uri: str) -> dict[str, Any]:
        """Send a source to a token: the given one, that of an earlier try, or a new one."""
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.ingest.identity import content_id, item_id
        from kaltura_provider.upload.limits import check_size

        started = time.monotonic()
        source = self._open(uri)
        try:
            check_size(source, uploader.settings)
            content = content_id(item_id(opened_address(uri)), source.size, source.validator)
            # Where nothing tells these bytes from others, no try goes on with what another has begun.
            memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable and bool(source.validator))
            if self.token_id:
                result = fill_token(uploader, source, self.token_id, content, memory)
            else:
                result = fill_own_token(self.hook, uploader, source, content, memory)
        finally:
            source.close()
        return {
            "token_id": result.token_id,
            "uri": source.uri,
            "name": source.name,
            "size": result.size,
            "crc32c": result.crc32c,
            "seconds": round(time.monotonic() - started, 3),
        }
