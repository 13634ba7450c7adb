"""Attach an upload token to an entry: a new one, or one that has no content yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaAttachOperator"]


class KalturaAttachOperator(KalturaOperator):
    """Turn an upload token into an entry's content (``addContent``), before or after its bytes are sent.

    Nothing is looked up: with a new token it makes a new entry. For assets that shall have one entry whatever
    happens, use :class:`~kaltura_provider.operators.prepare.KalturaPrepareOperator`.

    :param token: an upload token's id, or what :class:`~kaltura_provider.operators.upload.KalturaUploadOperator`
        returned for a ``source``.
    :param entry_id: an entry without content, or an asset reference; without it one is made from ``metadata``.
    :param metadata: fields of the new entry, by the names the prepare operator takes.
        Its kind is told by ``media_type``, or else by the extension of the token's file name.
    :param durable: remember the entry in the task state store, so that the next try does not make another.
    :return: ``{"entry_id", "token_id", "entry_status"}``.
    :raises AirflowFailException: the token does not exist, is used up or belongs elsewhere, or the entry has content.
    """

    template_fields: Sequence[str] = ("token", "entry_id", "metadata", *KalturaOperator.template_fields)
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())

    def __init__(
        self,
        *,
        token: Any,
        entry_id: Any = None,
        metadata: Mapping[str, Any] | None = None,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.token = token
        self.entry_id = entry_id
        self.metadata = metadata
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry, its token and its status."""
        from kaltura_provider.api import arguments
        from kaltura_provider.services.entry.attaching import attach_token

        token_id = arguments.token_id(self.token, "token")
        given = None if self.entry_id in (None, "") else arguments.entry_id(self.entry_id)
        client = self.hook.get_conn()
        entry_id = given or self._made(TaskMemory(context, "kaltura_entries", enabled=self.durable), token_id)
        push_links(context, self.hook.account, entry_id)
        entry = attach_token(client, token_id, entry_id)
        self.log.info("Entry %s has upload token %s as its content.", entry_id, token_id)
        return {"entry_id": entry_id, "token_id": token_id, "entry_status": entry["status"]}

    def _made(self, memory: TaskMemory, token_id: str) -> str:
        """Return the entry that an earlier try has made for the token, or a new one."""
        from kaltura_provider.services.entry.attaching import add_entry

        entry = memory.find_or_make(
            request_key(self.kaltura_conn_id, token_id, self.metadata),
            lambda made: self.hook.call("baseEntry", "get", entryId=made),
            lambda: {"id": add_entry(self.hook.get_conn(), token_id, self.metadata)},
        )
        return str(entry["id"])
