"""Creates entries with their content in one task: from a URL that Kaltura fetches, an uploaded file, or text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.hooks.sources import PRESIGNED_SECONDS
from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.links.entry import ENTRY_LINKS, KalturaEntryLink, push_links
from kaltura_provider.operators.base import KalturaOperator
from kaltura_provider.operators.prepare import KalturaPrepareOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaAddDataOperator", "KalturaAddFromUploadedFileOperator", "KalturaAddFromUrlOperator"]


@renamed_arguments({"assets": "source"})
class KalturaAddFromUrlOperator(KalturaPrepareOperator):
    """Have Kaltura fetch media from URLs or S3 itself (``addContent`` with a URL), one entry per source item.

    No content passes through the worker. An item has one entry, however often and wherever this runs. This is
    ``KalturaPrepareOperator`` with ``transfer="import"``.

    :param source: what to ingest: an address (``https://...``, or ``s3://bucket/key``, for which Kaltura gets a
        presigned URL); a mapping with ``uri`` and optionally ``metadata``, ``identity`` and ``version_id``; an item
        reference of an earlier task; or a list of these.
    :param metadata: fields of every entry, as for ``KalturaPrepareOperator``. An item's own metadata takes precedence.
    :param if_exists: what to do with an item that is in Kaltura with different content: ``skip`` keeps the entry,
        ``replace`` replaces its content, ``fail`` fails.
    :param adopt_by: adopt an existing entry that was not made by this package: by its ``reference`` id or its ``name``.
    :param redo: finished items to process again: ``deleted`` entries, ``refused`` file types, ``failed`` imports.
    :param presigned_seconds: how long the presigned URL of an S3 object is valid (60 to 604,800).
    :param aws_conn_id: the Airflow connection for S3.
    :param http_conn_id: the Airflow HTTP connection whose credentials and headers Kaltura sends with its request.
    :param durable: whether to remember what the task creates in the task state store, for its next try.
    :return: one item reference, or a list for a list, with ``entry_id`` and ``state`` (``importing``, ``done``,
        ``skipped`` ...). Wait with ``KalturaEntryReadySensor``.
    :raises AirflowFailException: every item failed and no retry can help. The message gives the reasons.
    """

    template_fields: Sequence[str] = tuple(
        name for name in KalturaPrepareOperator.template_fields if name not in ("transfer", "upload")
    )

    def __init__(
        self,
        *,
        source: Any,
        metadata: Mapping[str, Any] | None = None,
        if_exists: str = "skip",
        adopt_by: str | None = None,
        redo: Sequence[str] = (),
        presigned_seconds: int | str = PRESIGNED_SECONDS,
        aws_conn_id: str = "aws_default",
        http_conn_id: str | None = None,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            source=source,
            metadata=metadata,
            if_exists=if_exists,
            transfer="import",
            adopt_by=adopt_by,
            redo=redo,
            presigned_seconds=presigned_seconds,
            aws_conn_id=aws_conn_id,
            http_conn_id=http_conn_id,
            durable=durable,
            **kwargs,
        )


@renamed_arguments({"token": "token_id"})
class KalturaAddFromUploadedFileOperator(KalturaOperator):
    """Create an entry from an uploaded file in one call (``addFromUploadedFile``): media, document or data.

    :param token_id: a full upload token: its id, or the result of an operator that has one.
    :param metadata: fields of the entry, as for ``KalturaAddEntryOperator``. Without ``media_type``, the extension of
        the token's file name decides the kind.
    :param durable: whether to remember what the task creates in the task state store, for its next try.
    :return: ``{"entry_id", "token_id", "status", "status_number"}``.
    :raises AirflowFailException: the token is not full or is used up, the kind is unknown, or Kaltura refuses.
    """

    template_fields: Sequence[str] = ("token_id", "metadata", *KalturaOperator.template_fields)
    operator_extra_links = ENTRY_LINKS

    def __init__(
        self, *, token_id: Any, metadata: Mapping[str, Any] | None = None, durable: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.token_id = token_id
        self.metadata = metadata
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.api.arguments import token_id
        from kaltura_provider.services.entry.uploaded_file import add_from_uploaded_file
        from kaltura_provider.services.entry.view import shown_entry

        token = token_id(self.token_id)
        memory = TaskMemory(context, "kaltura_entries", enabled=self.durable)
        entry = memory.find_or_make(
            request_key(self.kaltura_conn_id, token, self.metadata),
            lambda made: self.hook.call("baseEntry", "get", entryId=made),
            lambda: add_from_uploaded_file(self.hook.get_conn(), token, self.metadata),
        )
        push_links(context, self.hook.account, entry["id"])
        return {**shown_entry(entry), "token_id": token}


class KalturaAddDataOperator(KalturaOperator):
    """Create a data entry from text, such as JSON or XML (``data.add``); it is READY at once.

    :param text: the content.
    :param metadata: fields of the entry, as for ``KalturaAddEntryOperator``.
    :param durable: whether to remember what the task creates in the task state store, for its next try.
    :return: ``{"entry_id", "status", "status_number"}``.
    :raises AirflowFailException: the text is empty, a field is not allowed, or Kaltura refuses.
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
        from kaltura_provider.services.entry.view import shown_entry

        if not str(self.text or ""):
            raise KalturaConfigurationError("text", None, "is empty", "give the content of the entry")
        memory = TaskMemory(context, "kaltura_entries", enabled=self.durable)
        entry = memory.find_or_make(
            request_key(self.kaltura_conn_id, str(self.text), self.metadata),
            lambda made: self.hook.call("baseEntry", "get", entryId=made),
            lambda: add_text(self.hook.get_conn(), str(self.text), self.metadata),
        )
        push_links(context, self.hook.account, entry["id"])
        return shown_entry(entry)
