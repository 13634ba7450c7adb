"""Whole entries in one task: from a URL that Kaltura fetches, from an uploaded file, from a text."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import as_list, finish, run_of
from kaltura_provider.hooks.source_items import failed_source, requested_asset, requested_items
from kaltura_provider.hooks.sources import PRESIGNED_SECONDS, presigned_seconds
from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink, push_links
from kaltura_provider.operators.base import KalturaOperator
from kaltura_provider.operators.prepare import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.ingest.item import SourceItem

__all__ = ["KalturaAddDataOperator", "KalturaAddFromUploadedFileOperator", "KalturaAddFromUrlOperator"]


class KalturaAddFromUrlOperator(KalturaOperator):
    """Have Kaltura fetch media itself (``addContent`` with a URL): no media passes through the worker.

    However often and wherever this runs, an asset has one entry.

    :param assets: a source (``https://...``, or ``s3://bucket/key``, of which Kaltura gets a presigned URL), or a
        mapping with ``uri``, ``metadata``, ``identity``, ``version_id``; or a list of either.
    :param metadata: fields of all entries, as of ``KalturaPrepareOperator``; an asset's own come before them.
    :param if_exists: an asset that is in Kaltura with other content: ``skip`` or ``fail``.
    :param redo: what to do again although it ended: ``deleted`` entries, ``refused`` file types, ``failed`` imports.
    :param aws_conn_id: the Airflow connection for S3.
    :param http_conn_id: the Airflow HTTP connection whose credentials and headers Kaltura sends along.
    :param presigned_seconds: how long the URL of an S3 object is valid (60 to 604,800).
    :return: a reference per asset with ``entry_id`` and ``state`` (``importing``, ``done``, ``skipped`` ...), for
        ``KalturaEntryReadySensor``. One for one source, a list for a list.
    :raises AirflowFailException: no asset is left to go on with, and no retry can help; the message says why.
    """

    template_fields: Sequence[str] = (
        "assets",
        "metadata",
        "if_exists",
        "redo",
        "aws_conn_id",
        "http_conn_id",
        "presigned_seconds",
        *KalturaOperator.template_fields,
    )
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())

    def __init__(
        self,
        *,
        assets: Any,
        metadata: Mapping[str, Any] | None = None,
        if_exists: str = "skip",
        redo: Sequence[str] = (),
        aws_conn_id: str = "aws_default",
        http_conn_id: str | None = None,
        presigned_seconds: int | str = PRESIGNED_SECONDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.assets = assets
        self.metadata = metadata
        self.if_exists = if_exists
        self.redo = redo
        self.aws_conn_id = aws_conn_id
        self.http_conn_id = http_conn_id
        self.presigned_seconds = presigned_seconds

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the references."""
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.ingest.preparation import prepare
        from kaltura_provider.ingest.settings import IngestSettings, Transfer

        seconds = presigned_seconds(self.presigned_seconds)
        if self.if_exists not in ("skip", "fail"):
            raise KalturaConfigurationError(
                "if_exists", self.if_exists, "is unknown", "use skip or fail (to replace: KalturaPrepareOperator)"
            )
        given, many = as_list(self.assets)
        items = requested_items(given)
        settings = IngestSettings(
            if_exists=self.if_exists,  # type: ignore[arg-type]  # text is turned into the enumeration there
            redo=frozenset(self.redo),  # type: ignore[arg-type]
            transfer=Transfer.IMPORT,
            run=run_of(context),
        )
        started = time.time()
        opened = [self._opened(item, seconds) for item in items]
        assets = [asset for asset in opened if not isinstance(asset, tuple)]
        prepared = iter(prepare(self.hook.get_conn(), assets, settings=settings, observer=self.hook.observer))
        refs = [failed_source(*asset) if isinstance(asset, tuple) else next(prepared) for asset in opened]
        show(self, context, refs)
        return finish(context, "prepare", refs, [{"started": started}] * len(refs), many=many)

    def _opened(self, item: dict[str, Any], seconds: int) -> SourceItem | tuple[str, Exception]:
        """Return the asset behind a source, or the source and what is wrong with it."""
        from kaltura_provider.hooks.sources import import_address, open_source
        from kaltura_provider.upload.sources.errors import SourceError

        uri = str(item["uri"])
        request = {**item, "metadata": {**(self.metadata or {}), **(item.get("metadata") or {})}}
        version = item.get("version_id")
        try:
            source = open_source(uri, aws_conn_id=self.aws_conn_id, http_conn_id=self.http_conn_id, version_id=version)
            try:
                asset = requested_asset(request, source)
            finally:
                source.close()
            url, headers = import_address(
                uri, aws_conn_id=self.aws_conn_id, http_conn_id=self.http_conn_id, version_id=version, seconds=seconds
            )
            return replace(asset, import_url=url, import_headers=headers)
        except (SourceError, ValueError) as error:
            return uri, error


class KalturaAddFromUploadedFileOperator(KalturaOperator):
    """Make an entry of an uploaded file in one call (``addFromUploadedFile``): media, document or data.

    :param token: a full upload token, or what ``KalturaUploadOperator`` returned for a ``source``.
    :param metadata: fields of the entry, as of ``KalturaAddEntryOperator``; without ``media_type`` the extension of the
        token's file name tells the kind.
    :param durable: remember the entry in the task state store, so that the next try finds it.
    :return: ``{"entry_id", "token_id", "status"}``.
    :raises AirflowFailException: the token is not full or used up, nothing tells the kind, or Kaltura refuses.
    """

    template_fields: Sequence[str] = ("token", "metadata", *KalturaOperator.template_fields)
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())

    def __init__(
        self, *, token: Any, metadata: Mapping[str, Any] | None = None, durable: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.token = token
        self.metadata = metadata
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.api.arguments import token_id
        from kaltura_provider.services.entry.uploaded_file import add_from_uploaded_file

        token = token_id(self.token, "token")
        memory = TaskMemory(context, "kaltura_entries", enabled=self.durable)
        entry = memory.find_or_make(
            request_key(self.kaltura_conn_id, token, self.metadata),
            lambda made: self.hook.call("baseEntry", "get", entryId=made),
            lambda: add_from_uploaded_file(self.hook.get_conn(), token, self.metadata),
        )
        push_links(context, self.hook.account, entry["id"])
        return {"entry_id": entry["id"], "token_id": token, "status": entry["status"]}


class KalturaAddDataOperator(KalturaOperator):
    """Make a data entry that holds a text (``data.add``); it is READY at once.

    :param text: the content, such as JSON or XML.
    :param metadata: fields of the entry, as of ``KalturaAddEntryOperator``.
    :param durable: remember the entry in the task state store, so that the next try does not make another.
    :return: ``{"entry_id", "status"}``.
    :raises AirflowFailException: the text is empty, a field is impossible, or Kaltura refuses.
    """

    template_fields: Sequence[str] = ("text", "metadata", *KalturaOperator.template_fields)
    operator_extra_links = (KalturaEntryLink(),)

    def __init__(
        self, *, text: str, metadata: Mapping[str, Any] | None = None, durable: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.text = text
        self.metadata = metadata
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.services.entry.uploaded_file import add_text

        if not str(self.text or ""):
            raise KalturaConfigurationError("text", None, "is empty", "give the content of the entry")
        memory = TaskMemory(context, "kaltura_entries", enabled=self.durable)
        entry = memory.find_or_make(
            request_key(self.kaltura_conn_id, str(self.text), self.metadata),
            lambda made: self.hook.call("baseEntry", "get", entryId=made),
            lambda: add_text(self.hook.get_conn(), str(self.text), self.metadata),
        )
        push_links(context, self.hook.account, entry["id"])
        return {"entry_id": entry["id"], "status": entry["status"]}
