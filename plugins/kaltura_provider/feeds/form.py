"""The trigger form: its fields, and the task that reads what somebody typed into them.

Whoever may trigger a DAG is no author of it. What they type is data: no template of Airflow's is made of it, here or in
the tasks that follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Param

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from airflow.sdk import Context

__all__ = ["KalturaFormOperator", "form_params"]

_METADATA = ("name", "description", "tags", "categories", "conversion_profile_id")


def form_params() -> dict[str, Param]:
    """Return the params of a DAG whose first task is :class:`KalturaFormOperator`."""
    return {
        "sources": Param(
            [],
            type="array",
            minItems=1,
            items={"type": "string", "pattern": "^(s3|https?|file)://"},
            title="Sources",
            description="One a line: s3://bucket/key, https://... or file:///path",
        ),
        "name": Param(
            "{{ asset.stem }}",
            type="string",
            minLength=1,
            title="Name",
            description="Name of the entries; {{ asset.stem }} is the file name without its extension",
        ),
        "tags": _lines("Tags", "One a line"),
        "categories": _lines("Categories", "Full names, one a line, such as News>Sport"),
        "description": Param(None, type=["null", "string"], format="multiline", title="Description", section="More"),
        "conversion_profile_id": Param(
            None,
            type=["null", "integer"],
            title="Conversion profile",
            description="Id of a conversion profile; empty for the account's default",
            section="More",
        ),
        "if_exists": Param(
            "skip",
            type="string",
            enum=["skip", "replace", "fail"],
            title="If it is in Kaltura with other content",
            description="skip keeps the entry as it is, replace gives it the new content, fail fails",
            section="More",
        ),
        "kaltura_conn_id": Param("kaltura_default", type="string", title="Kaltura connection", section="Connections"),
        "aws_conn_id": Param("aws_default", type="string", title="AWS connection", section="Connections"),
    }


def _lines(title: str, description: str) -> Param:
    return Param(None, type=["null", "array"], items={"type": "string"}, title=title, description=description)


class KalturaFormOperator(BaseOperator):
    """Read the sources and the metadata that somebody typed into the trigger form.

    The run's params are those of :func:`form_params`. ``name``, ``description``, ``tags`` and ``categories`` may hold
    the placeholders ``{{ asset.stem }}``, ``{{ asset.name }}``, ``{{ asset.key }}``, ``{{ asset.uri }}``, ``{{ ds }}``
    and ``{{ ds_nodash }}``. They are no templates: nothing else of Airflow can be reached from them.

    :param batch_size: sources per batch.
    :return: batches, each a list of ``{"uri": ..., "metadata": {...}}``.
    :raises AirflowFailException: a field is impossible; the message names it and says what to type.
    """

    ui_color = "#e8f4fa"

    def __init__(self, *, batch_size: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_size = batch_size

    def execute(self, context: Context) -> list[list[dict[str, Any]]]:
        """Return the batches."""
        from kaltura_provider.hooks.border import airflow_errors

        with airflow_errors(context):
            return self._batches(context)

    def _batches(self, context: Context) -> list[list[dict[str, Any]]]:
        params = context["params"]
        day = _day(context)
        sources = list(dict.fromkeys(source.strip() for source in params["sources"] if source.strip()))
        assets = [{"uri": uri, "metadata": _metadata(params, uri, day)} for uri in sources]
        for asset in assets:
            self.log.info("Found %s", asset["uri"])
        return [assets[start : start + self.batch_size] for start in range(0, len(assets), self.batch_size)]


def _day(context: Context) -> dt.date:
    """Return the day of a run (UTC): of its logical date, or of its start where it was triggered without one."""
    run: Any = context["dag_run"]
    moment: dt.datetime = run.logical_date or run.run_after
    return moment.date()


def _metadata(params: Mapping[str, Any], uri: str, day: dt.date) -> dict[str, Any]:
    """Return the fields of one source's entry, their placeholders filled in; empty ones are left out."""
    from kaltura_provider.ingest.placeholders import fill, placeholder_values

    values = placeholder_values(uri, day)

    def filled(value: Any, field: str) -> Any:
        if isinstance(value, str):
            return fill(value, values, field=field).strip()
        if isinstance(value, (list, tuple)):
            return [text for item in value if (text := filled(item, field))]
        return value

    fields = {name: filled(params[name], name) for name in _METADATA if name in params}
    return {name: value for name, value in fields.items() if value not in (None, "", [])}
