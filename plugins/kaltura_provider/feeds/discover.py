"""Find what a run has to ingest: what the feed's source holds for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from kaltura_provider.feeds.changes import CHANGES_KEY
from kaltura_provider.feeds.interval import asks_for_interval, feed_context, run_interval
from kaltura_provider.feeds.listing import examples
from kaltura_provider.feeds.templates import MetadataTemplates
from kaltura_provider.feeds.watermark import LOOKED_KEY
from kaltura_provider.hooks.authored import AuthoredTemplates
from kaltura_provider.hooks.masking import MaskedArguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context
    from jinja2 import Environment

    from kaltura_provider.feeds.sources import Found
    from kaltura_provider.feeds.watermark import WatermarkStore

__all__ = ["KalturaDiscoverOperator"]


class KalturaDiscoverOperator(MaskedArguments, AuthoredTemplates, BaseOperator):
    """Ask a source what it holds for a run, and say, for each item, what its entry is to be.

    :param source: ``type`` and the fields of one source, as in a feed file: ``{"type": "s3_prefix", "uri":
        "s3://bucket/{{ ds }}/"}``.
    :param unknown_files: what to do with objects that neither their names nor their first bytes show to be media or
        documents: ``ignore`` leaves them out, ``fail`` lets them fail in prepare, ``data`` makes data entries of them.
        With ``media_type`` in ``metadata`` there are none.
    :param metadata: fields of the entries; texts are Jinja templates that also see ``asset`` (``uri``, ``name``,
        ``stem``, ``key``).
    :param timezone: the time zone that dates in templates are in, for the DAG of a feed; a run without a logical date
        then takes the last interval that has ended.
    :param batch_size: items per batch.
    :param aws_conn_id: the Airflow connection for S3.
    :param http_conn_id: the Airflow HTTP connection for ``http(s)`` addresses.
    :return: batches, each a list of ``{"uri": ..., "metadata": {...}}``; a run may find nothing. The XCom ``left_out``
        says how many items were left out, by reason.
    :raises AirflowFailException: a field of the source is impossible, or the source cannot be read at all.
    """

    # `metadata` is rendered per asset, in execute(): here `asset` is not known yet.
    template_fields: Sequence[str] = ("source", "aws_conn_id", "http_conn_id")
    ui_color = "#e8f4fa"

    def __init__(
        self,
        *,
        source: Mapping[str, Any],
        unknown_files: str = "ignore",
        metadata: Mapping[str, Any] | None = None,
        timezone: str | None = None,
        batch_size: int = 1,
        aws_conn_id: str = "aws_default",
        http_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.unknown_files = unknown_files
        self.metadata = metadata or {}
        self.timezone = timezone
        self.batch_size = batch_size
        self.aws_conn_id = aws_conn_id
        self.http_conn_id = http_conn_id

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Render the fields with dates in the feed's time zone."""
        super().render_template_fields(feed_context(context, self.timezone), jinja_env)

    def execute(self, context: Context) -> list[list[dict[str, Any]]]:
        """Return the batches."""
        from kaltura_provider.hooks.border import airflow_errors

        with airflow_errors(context):
            return self._discovered(context)

    def _discovered(self, context: Context) -> list[list[dict[str, Any]]]:
        if self.timezone:
            interval = run_interval(context, self.timezone)
            self.log.info("Ingesting %s%s.", interval, f": {interval.reason}" if interval.reason else "")
        found = self._found(context)
        self._tell(found)
        left_out = {reason: len(names) for reason, names in found.left_out.items()}
        context["ti"].xcom_push(key="left_out", value=left_out)
        if self.source.get("allow"):
            context["ti"].xcom_push(key=CHANGES_KEY, value=found.changes)
        assets = self._requests(found, context)
        return [assets[start : start + self.batch_size] for start in range(0, len(assets), self.batch_size)]

    def _found(self, context: Context) -> Found:
        """Ask the source."""
        from kaltura_provider.feeds.sources import Search, rendered_source

        timezone = self.timezone or "UTC"
        interval = run_interval(context, timezone)
        source = rendered_source(self.source)
        only_interval = source.remembers and asks_for_interval(context)
        store = _watermark_store(context) if source.remembers and not only_interval else None
        search = Search(
            aws_conn_id=self.aws_conn_id,
            http_conn_id=self.http_conn_id,
            unknown_files=self.unknown_files,
            day=interval.start.date(),
            timezone=timezone,
            last_try=_is_last_try(context),
            kind_known=bool(self.metadata.get("media_type")),
            interval=(interval.start, interval.end) if only_interval else None,
            watermark=store.read() if store else None,
        )
        found = source.find(search)
        if store and found.watermark:
            run: Any = context["dag_run"]
            store.draft(found.watermark, run.run_id)
            context["ti"].xcom_push(key=LOOKED_KEY, value=True)
        return found

    def _requests(self, found: Found, context: Context) -> list[dict[str, Any]]:
        """Return what is asked of prepare for each item."""
        from kaltura_provider.hooks.sealing import seal_address

        templates = MetadataTemplates(self.get_template_env(), self.metadata)
        scope = dict(feed_context(context, self.timezone))
        return [
            {"uri": seal_address(item.uri), "metadata": templates.render(scope, item.uri) | dict(item.metadata)}
            for item in found.items
        ]

    def _tell(self, found: Found) -> None:
        """Log what was taken, and what was left out and why, in few lines however many there are."""
        from kaltura_provider.hooks.sources import printable

        if not found.looked_at:
            self.log.info("Nothing to ingest: there is nothing %s.", found.place)
        else:
            total = sum(item.size or 0 for item in found.items)
            size = f" ({total} bytes)" if total else ""
            self.log.info("Taking %d of %d %s%s.", len(found.items), found.looked_at, found.place, size)
        if found.changes:
            self.log.info("Changing or deleting %d entries.", len(found.changes))
        if found.items:
            self.log.info("Taken: %s", examples([printable(item.uri) for item in found.items]))
        for reason, names in found.left_out.items():
            self.log.info("Left out %d, %s: %s", len(names), reason, examples(names))
        for warning in found.warnings:
            say = self.log.info if found.items else self.log.warning
            say("%s", warning)


def _watermark_store(context: Context) -> WatermarkStore:
    """Return the store of the feed's asset, the only one among the task's inlets and outlets.

    :raises ValueError: the task has none.
    """
    from kaltura_provider.feeds.watermark import WatermarkStore

    state: Any = context.get("asset_state_store")
    if state is None:
        raise ValueError("source s3_new keeps its watermark with an asset; give this task the feed's asset as an inlet")
    return WatermarkStore(state)


def _is_last_try(context: Context) -> bool:
    ti: Any = context["ti"]
    return bool(ti.try_number > ti.max_tries)
