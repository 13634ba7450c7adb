"""Uploads sources to Kaltura."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list, finish, run_of
from kaltura_provider.hooks.item_sender import ItemSender, came_of
from kaltura_provider.hooks.lineage import ItemLineage
from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.hooks.source_items import OpenedItem
from kaltura_provider.hooks.task_state import ShownProgress, TaskMemory
from kaltura_provider.hooks.token_upload import fill_own_token, fill_token
from kaltura_provider.links.entry import ENTRY_LINKS
from kaltura_provider.operators.prepare import show
from kaltura_provider.operators.source_bases import Uploading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.upload.uploader import Uploader

__all__ = ["KalturaUploadOperator"]


@renamed_arguments({"asset": "source"})
class KalturaUploadOperator(ItemLineage, Uploading):
    """Stream sources from S3, a URL or a file into Kaltura, resume interrupted uploads, and verify the result.

    Nothing is written to the worker's disk. An interrupted upload resumes on any worker from where the server says it
    stands, as long as the source has not changed. Items that are already in Kaltura are passed on. While the task runs,
    the task state store shows its progress under ``kaltura_progress``.

    :param source: what to ingest: an item reference of ``KalturaPrepareOperator``, whose content goes to its entry; or
        an address (``s3://bucket/key``, ``https://...``, ``file:///path``), or a mapping with ``uri`` and optionally
        ``version_id``, whose content goes to an upload token of its own; or a list of references or of addresses.
    :param token_id: for a single address, the upload token to fill instead of a new one: its id, or the result of an
        operator that has one.
    :param upload: settings of the upload: ``parallelism`` (1 to 8), ``chunk_size`` and ``max_size`` (bytes),
        ``bandwidth`` (bytes per second), ``reread`` and ``sha256`` (True or False). The uploader chooses what is not
        set.
    :param aws_conn_id: the Airflow connection for S3.
    :param http_conn_id: the Airflow HTTP connection whose credentials and headers are sent with ``http(s)`` requests.
    :param durable: whether to remember what the task creates in the task state store, for its next try.
    :return: for an item reference, the updated reference (``state`` is ``done`` when Kaltura holds exactly this
        content); for an address, ``{"token_id", "size" (bytes), "crc32c", "name", "uri", "seconds"}``, for which
        ``KalturaAttachOperator`` makes an entry. A list for a list.
    :raises AirflowFailException: no retry can help: the source has changed or cannot be read, or Kaltura refuses the
        type of file. The message says what to do.
    """

    template_fields: Sequence[str] = (
        "source",
        "token_id",
        "upload",
        *Uploading.template_fields,
    )
    operator_extra_links = ENTRY_LINKS

    def __init__(
        self,
        *,
        source: Any,
        token_id: Any = None,
        upload: Mapping[str, Any] | None = None,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.token_id = token_id
        self.upload = upload
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the references, or the tokens."""
        from kaltura_provider.api.arguments import token_id

        given, many = as_list(self.source)
        references = self._are_references(given)
        own_token = None if self.token_id in (None, "") else token_id(self.token_id)
        if own_token and (references or many):
            from kaltura_provider.api.errors import KalturaConfigurationError

            problem = "goes with a single address only: item references have upload tokens of their own"
            raise KalturaConfigurationError("token_id", own_token, problem, "leave it out, or give one address")
        progress = ShownProgress(context)
        uploader = self.new_uploader(progress)
        try:
            if references:
                return self._to_entries(context, uploader, given, many=many)
            sent = [self._to_token(context, uploader, item, own_token) for item in given]
            return sent if many else sent[0]
        finally:
            progress.write()

    def _are_references(self, given: Sequence[Any]) -> bool:
        """Return whether the sources are item references rather than addresses.

        :raises KalturaConfigurationError: both kinds are given, or a value of another kind.
        """
        from kaltura_provider.api.errors import KalturaConfigurationError

        kinds = {isinstance(item, dict) and "state" in item for item in given}
        if len(kinds) > 1:
            raise KalturaConfigurationError("source", None, "mixes item references and addresses", "give one kind")
        unclear = [item for item in given if not (item.get("uri") if isinstance(item, dict) else item)]
        if unclear:
            raise KalturaConfigurationError(
                "source", str(unclear[0]), "is not a source", "give an address, or what KalturaPrepareOperator returned"
            )
        return kinds == {True} or not given

    def _to_entries(self, context: Context, uploader: Uploader, given: Sequence[dict[str, Any]], *, many: bool) -> Any:
        """Send the content of item references to their tokens."""
        from kaltura_provider.ingest.item import ItemRef
        from kaltura_provider.ingest.settings import IngestSettings

        memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable)
        sender = ItemSender(self.hook, uploader, memory, self.sources, IngestSettings(run=run_of(context)))
        opened = [OpenedItem(item.get("request") or {}) for item in given]
        results = sender.send([ItemRef.from_dict(item) for item in given], opened)
        refs = [result.ref for result in results]
        self.remember_lineage(refs)
        carried = [{**item, **came_of(context, result)} for item, result in zip(given, results, strict=True)]
        show(self, context, refs)
        return finish(context, "upload", refs, carried, many=many)

    def _to_token(self, context: Context, uploader: Uploader, item: Any, own_token: str | None) -> dict[str, Any]:
        """Send a source to a token: the given one, that of an earlier try, or a new one."""
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.ingest.identity import content_id, item_id
        from kaltura_provider.upload.limits import check_size

        started = time.monotonic()
        uri, version_id = (item["uri"], item.get("version_id")) if isinstance(item, dict) else (item, None)
        source = self.sources.open(str(uri), version_id=version_id)
        try:
            check_size(source, uploader.settings)
            content = content_id(item_id(opened_address(str(uri))), source.size, source.validator)
            # Without a validator, it is not known whether an earlier try sent the same content.
            memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable and bool(source.validator))
            if own_token:
                result = fill_token(uploader, source, own_token, content, memory)
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
