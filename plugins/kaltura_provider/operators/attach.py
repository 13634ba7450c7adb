"""Attaches an upload token to an entry: a new one, or one that has no content yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.links.entry import ENTRY_LINKS, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaAttachOperator"]


@renamed_arguments({"token": "token_id"})
class KalturaAttachOperator(KalturaOperator):
    """Make an upload token the content of a new or empty entry (``addContent``), before or after it is filled.

    A new token makes a new entry. To get one entry per source item, however often the DAG runs, use
    :class:`~kaltura_provider.operators.prepare.KalturaPrepareOperator`.

    :param token_id: an upload token: its id, or the result of an operator that has one.
    :param entry_id: an entry without content: its id, or the result of an operator that has one. If omitted, an entry
        is created from ``metadata``.
    :param metadata: fields of the new entry, as for ``KalturaAddEntryOperator``. Without ``media_type``, the extension
        of the token's file name decides the kind.
    :param durable: whether to remember what the task creates in the task state store, for its next try.
    :return: ``{"entry_id", "token_id", "status", "status_number"}``.
    :raises AirflowFailException: the token does not exist, is used up or belongs to another object, or the entry
        already has content.
    """

    template_fields: Sequence[str] = ("token_id", "entry_id", "metadata", *KalturaOperator.template_fields)
    operator_extra_links = ENTRY_LINKS

    def __init__(
        self,
        *,
        token_id: Any,
        entry_id: Any = None,
        metadata: Mapping[str, Any] | None = None,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.token_id = token_id
        self.entry_id = entry_id
        self.metadata = metadata
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry, its token and its status."""
        from kaltura_provider.api import arguments
        from kaltura_provider.services.entry.attaching import attach_token
        from kaltura_provider.services.entry.view import shown_entry

        token_id = arguments.token_id(self.token_id)
        given = None if self.entry_id in (None, "") else arguments.entry_id(self.entry_id)
        client = self.hook.get_conn()
        entry_id = given or self._made(TaskMemory(context, "kaltura_entries", enabled=self.durable), token_id)
        push_links(context, self.hook.account, entry_id)
        entry = attach_token(client, token_id, entry_id)
        self.log.info("Entry %s has upload token %s as its content.", entry_id, token_id)
        return {**shown_entry(entry), "token_id": token_id}

    def _made(self, memory: TaskMemory, token_id: str) -> str:
        """Return the entry that an earlier try created for the token, or a new one."""
        from kaltura_provider.services.entry.attaching import add_entry

        entry = memory.find_or_make(
            request_key(self.kaltura_conn_id, token_id, self.metadata),
            lambda made: self.hook.call("baseEntry", "get", entryId=made),
            lambda: {"id": add_entry(self.hook.get_conn(), token_id, self.metadata)},
        )
        return str(entry["id"])
