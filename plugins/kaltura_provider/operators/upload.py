"""Send the bytes of sources to Kaltura."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list, finish, run_of
from kaltura_provider.hooks.item_sender import ItemSender, came_of
from kaltura_provider.hooks.task_state import ShownProgress, TaskMemory
from kaltura_provider.hooks.token_upload import fill_own_token, fill_token
from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink
from kaltura_provider.operators.base import KalturaOperator
from kaltura_provider.operators.prepare import show
from kaltura_provider.upload.settings import upload_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.hooks.sources import Sources
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

    @cached_property
    def sources(self) -> Sources:
        """What this task opens its sources with."""
        from kaltura_provider.hooks.sources import Sources

        return Sources(aws_conn_id=self.aws_conn_id, http_conn_id=self.http_conn_id)

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
        sender = ItemSender(self.hook, uploader, memory, self.sources, run=run_of(context))
        results = [sender.send(ItemRef.from_dict(item), item.get("request")) for item in given]
        refs = [result.ref for result in results]
        carried = [{**item, **came_of(context, result)} for item, result in zip(given, results, strict=True)]
        show(self, context, refs)
        return finish(context, "upload", refs, carried, many=many)

    def on_kill(self) -> None:
        """Stop sending; the token keeps what it has, and the next try goes on from there."""
        self._killed = True
        if self._uploader is not None:
            self._uploader.cancel()

    def _to_token(self, context: Context, uploader: Uploader, uri: str) -> dict[str, Any]:
        """Send a source to a token: the given one, that of an earlier try, or a new one."""
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.ingest.identity import content_id, item_id
        from kaltura_provider.upload.limits import check_size

        started = time.monotonic()
        source = self.sources.open(uri)
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
