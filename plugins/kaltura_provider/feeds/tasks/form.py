"""The task that reads what a user typed into the trigger form.

Users who may trigger a DAG are not its authors. What they type is data: neither this task nor any that follows renders
it as a template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from kaltura_provider.feeds.form.params import METADATA_FIELDS
from kaltura_provider.feeds.planning.batches import DEFAULT_SIZE
from kaltura_provider.feeds.sources.listing import examples
from kaltura_provider.feeds.tasks.discover import asks_for_dry_run, hand_on_plan
from kaltura_provider.hooks.masking import MaskedArguments

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from airflow.sdk import Context

    from kaltura_provider.feeds.planning.plan import Plan
    from kaltura_provider.feeds.sources import Found, FoundItem

__all__ = ["KalturaFormOperator"]

_LOOKING = 8


class KalturaFormOperator(MaskedArguments, BaseOperator):
    """Read the sources and the metadata that a user typed into the trigger form, and plan the run.

    The run's params are those of :func:`~kaltura_provider.feeds.form.params.form_params`. Texts of the entries may hold
    the placeholders ``{{ asset.stem }}``, ``{{ asset.name }}``, ``{{ asset.key }}``, ``{{ asset.uri }}``, ``{{ ds }}``
    and ``{{ ds_nodash }}``. They are not templates and give access to nothing else.

    :param batch_size: maximum number of sources per batch. Batches are larger if a run would otherwise have more
        batches than Airflow can map.
    :return: batches of what to ingest, with the same XComs beside them as
        :class:`~kaltura_provider.feeds.tasks.discover.KalturaDiscoverOperator` pushes.
    :raises AirflowFailException: a field is not valid; the message names it and says what to type.
    """

    ui_color = "#e8f4fa"

    def __init__(self, *, batch_size: int = DEFAULT_SIZE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_size = batch_size

    def execute(self, context: Context) -> list[Any]:
        """Return the batches."""
        from kaltura_provider.hooks.border import airflow_errors

        with airflow_errors(context):
            return self._batches(context)

    def _batches(self, context: Context) -> list[Any]:
        from kaltura_provider.feeds.form.typed_sources import typed_sources
        from kaltura_provider.feeds.sources import Found
        from kaltura_provider.hooks.named_connections import check_typed
        from kaltura_provider.hooks.sources import shown_address

        params: Mapping[str, Any] = context["params"]
        for field in ("kaltura_conn_id", "aws_conn_id", "http_conn_id"):
            if field in params and (params[field] is not None or field != "http_conn_id"):
                check_typed(params[field], field)
        _flavor_params_ids(params)
        items = typed_sources(
            params.get("sources") or [],
            recursive=bool(params.get("recursive")),
            aws_conn_id=params.get("aws_conn_id", "aws_default"),
            sidecars=bool(params.get("sidecars")),
        )
        found = Found("in the form", items)
        self.log.info("Found %d: %s", len(items), examples([shown_address(item.uri) for item in items]))
        dry_run = asks_for_dry_run(context)
        if dry_run:
            found = _looked_at(found, params)
        return hand_on_plan(context, _plan(context, found), found, self.batch_size, dry_run=dry_run)


def _plan(context: Context, found: Found) -> Plan:
    from kaltura_provider.feeds.planning.planner import Planner
    from kaltura_provider.feeds.sources.metadata_files import MAX_BYTES
    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.hooks.listing import read_objects

    params: Mapping[str, Any] = context["params"]
    day = _day(context)
    conn_id = params.get("kaltura_conn_id")
    # Kaltura can be asked only about sources whose size and ETag are known.
    known = any(item.size and item.etag for item in found.items)
    return Planner(
        metadata=lambda item: _metadata(params, item.uri, day),
        client=KalturaHook(conn_id).get_conn() if conn_id and known else None,
        if_exists=params.get("if_exists", "skip"),
        transfer=params.get("transfer", "upload"),
        read_files=lambda uris: read_objects(uris, MAX_BYTES, aws_conn_id=params.get("aws_conn_id", "aws_default")),
    ).plan(found)


def _looked_at(found: Found, params: Mapping[str, Any]) -> Found:
    """Open the sources that no listing describes, so that a dry run can say more about them. Reads no content."""
    from dataclasses import replace

    from kaltura_provider.api.threads import in_threads
    from kaltura_provider.hooks.sources import Sources, shown_address
    from kaltura_provider.upload.sources.errors import SourceError

    sources = Sources(aws_conn_id=params.get("aws_conn_id", "aws_default"), http_conn_id=params.get("http_conn_id"))

    def look(item: FoundItem) -> FoundItem | str:
        if item.size is not None:
            return item
        try:
            source = sources.open(item.uri)
        except SourceError as error:
            return error.message
        try:
            return replace(item, size=source.size, etag=source.validator)
        finally:
            source.close()

    looked = in_threads(look, found.items, workers=_LOOKING)
    for item, seen in zip(found.items, looked, strict=True):
        if isinstance(seen, str):
            found.left_out[seen].append(shown_address(item.uri))
    found.items = [seen for seen in looked if not isinstance(seen, str)]
    return found


def _flavor_params_ids(params: Mapping[str, Any]) -> list[int]:
    """Return the flavor params that a run waits for.

    :raises KalturaConfigurationError: a line is not an id.
    """
    from kaltura_provider.api.arguments import number

    lines = [str(line).strip() for line in params.get("flavor_params_ids") or ()]
    return [number(line, "flavor_params_ids", minimum=0, maximum=2**31 - 1) for line in lines if line]


def _day(context: Context) -> dt.date:
    """Return the day of a run in UTC: of its logical date, or of its start if it has none."""
    run: Any = context["dag_run"]
    moment: dt.datetime = run.logical_date or run.run_after
    return moment.date()


def _metadata(params: Mapping[str, Any], uri: str, day: dt.date) -> dict[str, Any]:
    """Return the metadata of one entry with its placeholders filled in, without empty fields.

    :raises KalturaConfigurationError: a placeholder is unknown.
    :raises ValueError: Kaltura would refuse a value.
    """
    from kaltura_provider.feeds.fields.placeholders import fill, placeholder_values
    from kaltura_provider.services.entry.metadata import EntryMetadata

    values = placeholder_values(uri, day)

    def filled(value: Any, field: str) -> Any:
        if isinstance(value, str):
            return fill(value, values, field=field).strip()
        if isinstance(value, (list, tuple)):
            return [text for item in value if (text := filled(item, field))]
        return value

    fields = {name: filled(params[name], name) for name in METADATA_FIELDS if name in params}
    fields = {name: value for name, value in fields.items() if value not in (None, "", [])}
    EntryMetadata.from_dict(fields)
    return fields
