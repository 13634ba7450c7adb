"""The trigger form: its fields, and the task that reads what a user typed into them.

Users who may trigger a DAG are not its authors. What they type is data: neither this task nor any that follows renders
it as a template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Param

from kaltura_provider.feeds.batches import DEFAULT_SIZE, in_batches, most_batches
from kaltura_provider.feeds.listing import examples
from kaltura_provider.hooks.masking import MaskedArguments
from kaltura_provider.hooks.xcom_parts import handed_on

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from airflow.sdk import Context

__all__ = ["KalturaFormOperator", "connection_param", "form_params"]

_METADATA = ("name", "description", "tags", "categories", "conversion_profile_id")


def form_params() -> dict[str, Param]:
    """Return the params for a DAG whose first task is :class:`KalturaFormOperator`."""
    from kaltura_provider.hooks.local_files import folder_policy

    # This only decides what the form says. The worker decides whether a file may be read.
    local = ", or file:///path" if folder_policy().folders else ""
    return {
        "sources": Param(
            [],
            type="array",
            minItems=1,
            items={"type": "string"},
            title="Sources",
            description=f"One per line: s3://bucket/key or https://host/file{local}. "
            "Everybody who may see the run can read them, including presigned URLs",
        ),
        "recursive": Param(
            False,
            type="boolean",
            title="Include folders",
            description="s3://bucket/folder/ ingests everything below it",
        ),
        "name": Param(
            "{{ asset.stem }}",
            type="string",
            minLength=1,
            title="Name",
            description="Name of the entries. {{ asset.stem }} is the file name without extension, {{ asset.name }} "
            "with it. All texts can also use {{ asset.key }}, {{ asset.uri }} and the day of the run, {{ ds }}",
        ),
        "tags": _lines("Tags", "One per line"),
        "categories": _lines("Categories", "Full names such as News>Sport, one per line"),
        "description": Param(None, type=["null", "string"], format="multiline", title="Description", section="More"),
        "conversion_profile_id": Param(
            None,
            type=["null", "integer"],
            title="Conversion profile",
            description="Id of a conversion profile. Leave empty for the account's default",
            section="More",
        ),
        "if_exists": Param(
            "skip",
            type="string",
            enum=["skip", "replace", "fail"],
            title="If the entry exists with other content",
            description="skip keeps the entry unchanged, replace gives it the new content, fail fails the task",
            section="More",
        ),
        "kaltura_conn_id": connection_param("kaltura_default", "Kaltura connection", "Of type Kaltura"),
        "aws_conn_id": connection_param(
            "aws_default", "AWS connection", "Of type Amazon Web Services, for s3:// sources"
        ),
        "http_conn_id": connection_param(
            None,
            "HTTP connection",
            "Of type HTTP. Its credentials and headers are sent to its own host. Leave empty for none",
        ),
    }


def connection_param(default: str | None, title: str, description: str) -> Param:
    """Return a param for a connection id. If this deployment lists the allowed connections, the form offers those.

    :param default: the initial value. Without one the field may stay empty.
    """
    from kaltura_provider.hooks.named_connections import allowed_connections

    shown: dict[str, Any] = {"title": title, "description": description, "section": "Connections"}
    allowed: list[str | None] = [*sorted(allowed_connections())]
    if default is None:
        return Param(None, type=["null", "string"], **shown | ({"enum": [None, *allowed]} if allowed else {}))
    if not allowed:
        return Param(default, type="string", **shown)
    return Param(default if default in allowed else allowed[0], type="string", enum=allowed, **shown)


def _lines(title: str, description: str) -> Param:
    return Param(None, type=["null", "array"], items={"type": "string"}, title=title, description=description)


class KalturaFormOperator(MaskedArguments, BaseOperator):
    """Read the sources and the metadata that a user typed into the trigger form.

    The run's params are those of :func:`form_params`. ``name``, ``description``, ``tags`` and ``categories`` may hold
    the placeholders ``{{ asset.stem }}``, ``{{ asset.name }}``, ``{{ asset.key }}``, ``{{ asset.uri }}``, ``{{ ds }}``
    and ``{{ ds_nodash }}``. They are not templates and give access to nothing else.

    :param batch_size: maximum number of sources per batch. Batches are larger if a run would otherwise have more
        batches than Airflow can map.
    :return: a list of batches, each a list of ``{"uri": ..., "metadata": {...}}``. If they exceed 48 KiB together,
        the list holds a reference to an XCom for each batch.
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
        from kaltura_provider.feeds.typed_sources import typed_sources
        from kaltura_provider.hooks.named_connections import check_typed
        from kaltura_provider.hooks.sealing import seal_address
        from kaltura_provider.hooks.sources import printable

        params = context["params"]
        for field in ("kaltura_conn_id", "aws_conn_id", "http_conn_id"):
            if field in params and (params[field] is not None or field != "http_conn_id"):
                check_typed(params[field], field)
        uris = typed_sources(
            params["sources"],
            recursive=bool(params.get("recursive")),
            aws_conn_id=params.get("aws_conn_id", "aws_default"),
        )
        day = _day(context)
        assets = [{"uri": seal_address(uri), "metadata": _metadata(params, uri, day)} for uri in uris]
        self.log.info("Found %d: %s", len(uris), examples([printable(uri) for uri in uris]))
        batches = in_batches([(asset, None) for asset in assets], self.batch_size, maximum=most_batches())
        return handed_on(context, "batch", batches)


def _day(context: Context) -> dt.date:
    """Return the day of a run in UTC: of its logical date, or of its start if it has none."""
    run: Any = context["dag_run"]
    moment: dt.datetime = run.logical_date or run.run_after
    return moment.date()


def _metadata(params: Mapping[str, Any], uri: str, day: dt.date) -> dict[str, Any]:
    """Return the metadata of one entry with its placeholders filled in, without empty fields."""
    from kaltura_provider.feeds.placeholders import fill, placeholder_values

    values = placeholder_values(uri, day)

    def filled(value: Any, field: str) -> Any:
        if isinstance(value, str):
            return fill(value, values, field=field).strip()
        if isinstance(value, (list, tuple)):
            return [text for item in value if (text := filled(item, field))]
        return value

    fields = {name: filled(params[name], name) for name in _METADATA if name in params}
    return {name: value for name, value in fields.items() if value not in (None, "", [])}
