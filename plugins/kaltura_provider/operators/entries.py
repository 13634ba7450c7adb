"""Creates, reads, lists and updates entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.output import check_output, collect
from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.links.entry import ENTRY_LINKS, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = [
    "KalturaAddEntryOperator",
    "KalturaGetEntryOperator",
    "KalturaListEntriesOperator",
    "KalturaUpdateEntryOperator",
]

# What a list shows unless its author chooses fields.
_LISTED = ("id", "name", "status", "mediaType", "referenceId", "createdAt", "updatedAt", "duration", "tags")
_SERVICES = {"any": "baseEntry", "media": "media", "document": "document_documents", "data": "data"}


class KalturaAddEntryOperator(KalturaOperator):
    """Create an entry without content (``media.add``, ``baseEntry.add``) for another task to fill.

    To get one entry per source item, however often the DAG runs, use ``KalturaPrepareOperator``.

    :param metadata: fields of the entry: ``name``, ``description``, ``tags``, ``categories``, ``reference_id``,
        ``media_type`` (``video``, ``audio``, ``image``, ``document``, ``data``), ``conversion_profile_id``,
        ``access_control_id``, ``user_id``, ``start_date``, ``end_date``, ``parent_entry_id``, ``template_entry_id`` ...
        (:class:`~kaltura_provider.services.entry.metadata.EntryMetadata`).
    :param file_name: the file the entry is for. Without ``media_type``, its extension decides the kind.
    :param durable: whether to remember what the task creates in the task state store, for its next try.
    :return: ``{"entry_id", "status", "status_number", "kind"}``.
    :raises AirflowFailException: a field is unknown or not allowed, or Kaltura refuses permanently.
    """

    template_fields: Sequence[str] = ("metadata", "file_name", *KalturaOperator.template_fields)
    operator_extra_links = ENTRY_LINKS

    def __init__(
        self, *, metadata: Mapping[str, Any], file_name: str | None = None, durable: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.metadata = metadata
        self.file_name = file_name
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.services.entry.adding import empty_entry, read_metadata
        from kaltura_provider.services.entry.view import shown_entry

        said, kind = read_metadata(self.metadata, self.file_name)
        memory = TaskMemory(context, "kaltura_entries", enabled=self.durable)
        entry = memory.find_or_make(
            request_key(self.kaltura_conn_id, self.metadata, self.file_name),
            lambda made: self.hook.call("baseEntry", "get", entryId=made),
            lambda: empty_entry(self.hook.get_conn(), said, kind, self.file_name or ""),
        )
        push_links(context, self.hook.account, str(entry["id"]))
        return {**shown_entry(entry), "kind": kind.value}


class KalturaGetEntryOperator(KalturaOperator):
    """Read an entry from Kaltura's database, under Kaltura's own names (``baseEntry.get``).

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :param fields: only these properties, under Kaltura's names. Default: all.
    :return: the entry as Kaltura returns it: camelCase names, statuses as numbers.
    :raises AirflowFailException: the entry does not exist.
    """

    template_fields: Sequence[str] = ("entry_id", "fields", *KalturaOperator.template_fields)
    operator_extra_links = ENTRY_LINKS

    def __init__(self, *, entry_id: Any, fields: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.fields = fields

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.api.answers import pick, select
        from kaltura_provider.api.arguments import entry_id

        found = self.hook.call("baseEntry", "get", entryId=entry_id(self.entry_id))
        push_links(context, self.hook.account, found["id"])
        return dict(pick(select(found, None), self.fields))


class KalturaListEntriesOperator(KalturaOperator):
    """List every entry that matches a filter, oldest first, beyond Kaltura's limit of 10,000.

    :param filter: under Kaltura's names (``statusIn``, ``tagsLike``, ``createdAtGreaterThanOrEqual``,
        ``parentEntryIdEqual`` ...). Statuses and types may be names, dates ISO 8601, several values a list.
        Kaltura finds only READY and approved entries unless the filter asks for others.
    :param any_status: find entries of every status except deleted.
    :param kind: ``any``, ``media``, ``document`` or ``data``.
    :param fields: return these properties of each entry instead, under Kaltura's own names and values.
    :param output_uri: where to write the result instead of XCom: a file or S3 object (``.jsonl``, ``.json``, ``.csv``).
    :param aws_conn_id: the Airflow connection for an ``output_uri`` in S3.
    :return: a list of at most 1,000 of ``{"entry_id", "name", "status", "status_number", "media_type", "reference_id",
        "created_at", "updated_at", "duration", "tags"}``, or ``{"output_uri", "count"}``.
    :raises AirflowFailException: the filter has an unknown property or value, or the list is too long for XCom.
    """

    template_fields: Sequence[str] = (
        "filter",
        "any_status",
        "kind",
        "fields",
        "output_uri",
        "aws_conn_id",
        *KalturaOperator.template_fields,
    )
    template_fields_renderers = {"filter": "json"}  # noqa: RUF012 - Airflow's own form

    def __init__(
        self,
        *,
        filter: Mapping[str, Any] | None = None,
        any_status: bool | str = False,
        kind: str = "any",
        fields: Sequence[str] | None = None,
        output_uri: str | None = None,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filter = filter
        self.any_status = any_status
        self.kind = kind
        self.fields = fields
        self.output_uri = output_uri
        self.aws_conn_id = aws_conn_id

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the entries, or where they are."""
        from kaltura_provider.api.arguments import flag
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.services.entry.filters import ANY_STATE, entry_filter
        from kaltura_provider.services.entry.listing import walk

        if self.kind not in _SERVICES:
            raise KalturaConfigurationError("kind", self.kind, "is unknown", f"use one of {', '.join(_SERVICES)}")
        check_output(self.output_uri)
        wanted = entry_filter(self.filter, kind=self.kind)
        if flag(self.any_status, "any_status"):
            wanted = {**ANY_STATE, **wanted}
        chosen = tuple(self.fields or ())
        entries = walk(self.hook.get_conn(), wanted, service=_SERVICES[self.kind], fields=chosen or _LISTED)
        rows = entries if chosen else map(_row, entries)
        found = collect(rows, self.output_uri, fields=chosen or None, aws_conn_id=self.aws_conn_id)
        self.log.info("%d entries", found["count"] if isinstance(found, dict) else len(found))
        return found


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry as a list shows it."""
    from kaltura_provider.api.enums import EntryStatus, named_status
    from kaltura_provider.api.values import snake_case

    others = {snake_case(name): entry[name] for name in _LISTED if name in entry and name not in ("id", "status")}
    return {"entry_id": entry["id"], **named_status(EntryStatus, entry.get("status")), **others}


class KalturaUpdateEntryOperator(KalturaOperator):
    """Update an entry's metadata (``baseEntry.update``), sending only what differs.

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :param changes: fields and their new values: ``name``, ``description``, ``tags``, ``admin_tags``, ``categories``,
        ``reference_id``, ``access_control_id``, ``user_id`` (the owner), ``start_date``, ``end_date``,
        ``parent_entry_id``, ``partner_data``, ``conversion_profile_id`` (before content only), ``extra`` (a mapping of
        further properties under Kaltura's names). ``None`` removes a value. Lists replace lists.
    :return: ``{"entry_id", "changed": {field: {"from", "to"}}}``; ``changed`` is empty if nothing differed.
    :raises AirflowFailException: a change is not allowed, by Kaltura or by the session's role (which Kaltura ignores
        without an error).
    """

    template_fields: Sequence[str] = ("entry_id", "changes", *KalturaOperator.template_fields)
    template_fields_renderers = {"changes": "json"}  # noqa: RUF012 - Airflow's own form
    operator_extra_links = ENTRY_LINKS

    def __init__(self, *, entry_id: Any, changes: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.changes = changes

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return what changed."""
        from kaltura_provider.api.arguments import entry_id
        from kaltura_provider.api.values import snake_case
        from kaltura_provider.services.entry.changes import update_entry

        checked = entry_id(self.entry_id)
        changed = update_entry(self.hook.get_conn(), checked, self.changes)
        push_links(context, self.hook.account, checked)
        self.log.info("Entry %s: %s", checked, ", ".join(sorted(changed)) or "nothing to change")
        return {"entry_id": checked, "changed": {snake_case(name): change for name, change in changed.items()}}
