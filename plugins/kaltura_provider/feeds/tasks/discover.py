"""Find the items that a run ingests: list the source of the feed and plan what to do with each item."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from kaltura_provider.api.redaction import printable
from kaltura_provider.feeds.fields.templates import MetadataTemplates
from kaltura_provider.feeds.form.feed import Choice, chosen, only_these
from kaltura_provider.feeds.outcome.changes import CHANGES_KEY
from kaltura_provider.feeds.planning.batches import BULK_FACTOR, DEFAULT_SIZE, in_batches, most_batches
from kaltura_provider.feeds.planning.interval import DRY_RUN_PARAM, asks_for_interval, feed_context, run_interval
from kaltura_provider.feeds.planning.plan import Decision
from kaltura_provider.feeds.planning.planner import Planner
from kaltura_provider.feeds.sources.listing import examples
from kaltura_provider.feeds.state.memory import memory_of
from kaltura_provider.hooks.authored import AuthoredTemplates
from kaltura_provider.hooks.masking import MaskedArguments
from kaltura_provider.hooks.xcom_parts import handed_on, split_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow.sdk import Context
    from jinja2 import Environment

    from kaltura_provider.feeds.planning.plan import Plan
    from kaltura_provider.feeds.planning.window_plans import WindowPlan
    from kaltura_provider.feeds.sources import Found
    from kaltura_provider.upload.sources.errors import SourceError

__all__ = ["PLAN_KEY", "PLAN_VERSION", "KalturaDiscoverOperator", "asks_for_dry_run", "hand_on_plan"]

log = logging.getLogger(__name__)

PLAN_KEY = "plan"
"""XCom with all that the summary needs of *discover*. Each XCom is a request at every push, pull and clear.

``version``, ``counts`` by decision, ``left_out`` by reason and ``dry_run``; ``rows`` (of the plan if it is a dry run,
otherwise of the items that need no task), ``windows`` (see :meth:`WindowPlan.summary_row`) and ``set_aside``
(``[{"uri", "reason"}]``), each a list or a reference to its parts; ``changes``, how many entries a manifest changes or
deletes; ``drafted``, the type of the source if it has drafted what the next run needs to know.
"""
PLAN_VERSION = 2
"""The version of it."""

_MAX_WARNINGS = 50
# Items of its plan that a dry run hands on.
_MAX_SHOWN = 500


class KalturaDiscoverOperator(MaskedArguments, AuthoredTemplates, BaseOperator):
    """List the items of a source, plan what to do with each, and return the items to ingest in batches.

    :param source: ``type`` and the fields of one source, as in a feed file: ``{"type": "s3_prefix", "uri":
        "s3://bucket/{{ ds }}/"}``.
    :param unknown_files: what to do with objects that are neither media nor documents by their name and first bytes:
        ``ignore`` leaves them out, ``fail`` fails them, ``data`` ingests them as data entries. It has no effect if
        ``metadata`` sets ``media_type``.
    :param metadata: fields of the entries. Texts are Jinja templates that can also use ``asset`` (``uri``, ``name``,
        ``stem``, ``key``).
    :param kaltura_conn_id: the Airflow connection of the account to compare the items with. Items that are complete in
        Kaltura get no task. Without a connection, every item gets a task.
    :param if_exists: what to do with an item whose entry holds other content. With ``skip``, it gets no task.
    :param max_failures: after how many failures an item is set aside, for a task with the feed's asset as an inlet. 0
        sets nothing aside.
    :param on_metadata_change: what to do with an entry whose metadata has changed at the source since it was given to
        it. With ``keep``, it gets no task for that.
    :param transfer: ``upload``, ``import`` or ``bulk``, for the plan.
    :param timezone: the time zone of dates in templates, for the DAG of a feed. With a time zone, a run without a
        logical date takes the last interval that has ended.
    :param batch_size: maximum number of items per batch. Large files get batches of their own. Batches are larger if a
        run would otherwise have more than 1,000.
    :param aws_conn_id: the Airflow connection for S3.
    :param http_conn_id: the Airflow HTTP connection for ``http(s)`` URLs.
    :param receipts: where the summary will write receipts. Checked before anything is transferred.
    :return: a list of batches, which can be empty. A batch is a list of ``{"uri": ..., "metadata": {...}}``. If they
        exceed 48 KiB together, the list holds a reference to an XCom for each batch. The XCom ``plan`` has ``counts``
        by decision, ``left_out``, the number of items left out by reason, and ``dry_run``. With the param
        ``dry_run``, the task only logs the plan and returns no batches; with ``until`` too, it plans every interval
        from ``date`` to ``until``. The params ``only`` (keys, file names or addresses), ``if_exists``, ``transfer`` and
        ``batch_size`` override the arguments for one run.
    :raises AirflowFailException: a field of the source is not valid, or the source cannot be read.
    """

    # `metadata` is rendered once per item, in execute(), because `asset` differs for each.
    template_fields: Sequence[str] = ("source", "kaltura_conn_id", "aws_conn_id", "http_conn_id", "receipts")
    ui_color = "#e8f4fa"

    def __init__(
        self,
        *,
        source: Mapping[str, Any],
        unknown_files: str = "ignore",
        metadata: Mapping[str, Any] | None = None,
        kaltura_conn_id: str | None = None,
        if_exists: str = "skip",
        on_metadata_change: str = "keep",
        max_failures: int = 0,
        transfer: str = "upload",
        timezone: str | None = None,
        batch_size: int = DEFAULT_SIZE,
        aws_conn_id: str = "aws_default",
        http_conn_id: str | None = None,
        receipts: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.receipts = receipts
        self.unknown_files = unknown_files
        self.metadata = metadata or {}
        self.kaltura_conn_id = kaltura_conn_id
        self.if_exists = if_exists
        self.on_metadata_change = on_metadata_change
        self.max_failures = max_failures
        self.transfer = transfer
        self.timezone = timezone
        self.batch_size = batch_size
        self.aws_conn_id = aws_conn_id
        self.http_conn_id = http_conn_id

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Render the fields with dates in the feed's time zone."""
        super().render_template_fields(feed_context(context, self.timezone), jinja_env)

    def execute(self, context: Context) -> list[Any]:
        """Return the batches."""
        from kaltura_provider.hooks.border import airflow_errors

        with airflow_errors(context):
            return self._discovered(context)

    def plan(self, context: Context) -> Plan:
        """Ask the source and Kaltura, and return what a run would do. Writes nothing if the context is of a dry run.

        :raises SourceError: the source cannot be read.
        :raises ValueError: a field of the source, or a template, is impossible.
        :raises KalturaError: Kaltura did not answer, or refused.
        """
        found = self._wanted(context)
        self._set_aside(context, found)
        plan = self._planner(context).plan(found)
        return replace(plan, warnings=(*plan.warnings, *self._problems_of_receipts()))

    def _problems_of_receipts(self) -> list[str]:
        """Return why runs would fail before they transfer anything."""
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.hooks.destination import destination

        try:
            if self.receipts:
                destination(self.receipts, argument="receipts", aws_conn_id=self.aws_conn_id)
        except KalturaConfigurationError as error:
            return [f"Runs would fail here: {error}"]
        return []

    def _discovered(self, context: Context) -> list[Any]:
        from kaltura_provider.feeds.planning.window_plans import plan_chosen_range
        from kaltura_provider.hooks.destination import destination

        if (windows := plan_chosen_range(context, self.timezone or "UTC")) is not None:
            return _hand_on_windows(context, windows)
        if self.timezone:
            interval = run_interval(context, self.timezone)
            self.log.info("Ingesting %s%s.", interval, f": {interval.reason}" if interval.reason else "")
        if self.receipts:
            destination(self.receipts, argument="receipts", aws_conn_id=self.aws_conn_id)
        found = self._wanted(context)
        self._set_aside(context, found)
        self._log_found(found)
        plan = self._planner(context).plan(found)
        if waiting := [f"{item.uri} {item.reason}" for item in plan.items if item.decision is Decision.WAITING]:
            self.log.info("Waiting: %s", examples(waiting))
        say = self.log.info if found.items else self.log.warning
        for text in plan.warnings[:_MAX_WARNINGS]:
            say("%s", printable(text))
        if (more := len(plan.warnings) - _MAX_WARNINGS) > 0:
            say("And %d more; kaltura plan shows all.", more)
        dry_run = asks_for_dry_run(context)
        if self.source.get("allow"):
            changes = [] if dry_run else found.changes
            context["ti"].xcom_push(key=CHANGES_KEY, value=split_result(context, changes, CHANGES_KEY))
        return hand_on_plan(context, plan, found, self._chosen(context).batch_size, dry_run=dry_run)

    def _chosen(self, context: Context) -> Choice:
        return chosen(context, Choice(self.if_exists, self.transfer, self.batch_size))

    def _wanted(self, context: Context) -> Found:
        """List the items of the source, and keep those that the trigger form names, if it names any."""
        found = self._found(context)
        only = self._chosen(context).only
        return only_these(found, only) if only else found

    def _planner(self, context: Context) -> Planner:
        client = None
        if self.kaltura_conn_id:
            from kaltura_provider.hooks.kaltura import KalturaHook

            client = KalturaHook(self.kaltura_conn_id).get_conn()
        templates = MetadataTemplates(self.get_template_env(), self.metadata)
        scope = dict(feed_context(context, self.timezone))
        choice = self._chosen(context)
        return Planner(
            metadata=lambda item: templates.render(scope, item.uri) | dict(item.metadata),
            client=client,
            if_exists=choice.if_exists,
            transfer=choice.transfer,
            on_metadata_change=self.on_metadata_change,
            read_files=self._read_files,
            timezone=self.timezone or "UTC",
        )

    def _read_files(self, uris: Sequence[str]) -> list[bytes | SourceError]:
        from kaltura_provider.feeds.sources.metadata_files import MAX_BYTES
        from kaltura_provider.hooks.listing import read_objects

        return read_objects(uris, MAX_BYTES, aws_conn_id=self.aws_conn_id)

    def _found(self, context: Context) -> Found:
        """List the items of the source."""
        from kaltura_provider.feeds.sources import Search, rendered_source

        timezone = self.timezone or "UTC"
        interval = run_interval(context, timezone)
        source = rendered_source(self.source)
        only_interval = source.remembers and asks_for_interval(context)
        state: Any = context.get("asset_state_store")
        remembers = source.remembers and not only_interval and not self._chosen(context).only
        memory = memory_of(source.type, state) if remembers else None
        search = Search(
            aws_conn_id=self.aws_conn_id,
            http_conn_id=self.http_conn_id,
            unknown_files=self.unknown_files,
            day=interval.start.date(),
            timezone=timezone,
            last_try=_is_last_try(context),
            kind_known=bool(self.metadata.get("media_type")),
            interval=(interval.start, interval.end) if only_interval else None,
            memory=memory.read() if memory else None,
            window=(interval.start, interval.end),
            events=_events(context),
        )
        found = source.find(search)
        if memory and found.memory and not asks_for_dry_run(context):
            run: Any = context["dag_run"]
            memory.draft(found.memory, run.run_id)
            found.drafted = source.type
        return found

    def _set_aside(self, context: Context, found: Found) -> None:
        """Let items wait that have failed too often."""
        from kaltura_provider.feeds.tasks.set_aside import FailureCounts, set_aside

        state: Any = context.get("asset_state_store")
        if self.max_failures and state is not None:
            set_aside(found, FailureCounts(state).read(), self.max_failures)

    def _log_found(self, found: Found) -> None:
        """Log what the source lists and what it leaves out and why, with a few examples of each."""
        from kaltura_provider.hooks.sources import shown_address

        if not found.looked_at:
            self.log.info("Nothing to ingest: found nothing %s.", found.place)
        else:
            total = sum(item.size or 0 for item in found.items)
            size = f" ({total} bytes)" if total else ""
            self.log.info("Taking %d of %d %s%s.", len(found.items), found.looked_at, found.place, size)
        if found.changes:
            self.log.info("Changing or deleting %d entries.", len(found.changes))
        if found.items:
            self.log.info("Taken: %s", examples([shown_address(item.uri) for item in found.items]))
        for reason, names in found.left_out.items():
            self.log.info("Left out %d (%s): %s", len(names), reason, examples(names))


def asks_for_dry_run(context: Context) -> bool:
    """Tell whether the run only shows its plan."""
    return bool((context.get("params") or {}).get(DRY_RUN_PARAM))


def hand_on_plan(context: Context, plan: Plan, found: Found, batch_size: int, *, dry_run: bool) -> list[Any]:
    """Push what the summary needs and the mapped tasks do not return. Return the batches to map; none in a dry run."""
    ti: Any = context["ti"]
    value = {
        "version": PLAN_VERSION,
        "counts": plan.counts,
        "dry_run": dry_run,
        "rows": split_result(context, plan.rows()[:_MAX_SHOWN] if dry_run else plan.settled(), "plan_rows"),
        "left_out": {reason: len(names) for reason, names in found.left_out.items()},
        "changes": len(found.changes),
        "set_aside": split_result(context, found.set_aside, "plan_set_aside"),
        "drafted": found.drafted,
    }
    ti.xcom_push(key=PLAN_KEY, value=value)
    if dry_run:
        log.info("Dry run: nothing is transferred. The plan of this run:\n%s", plan)
        return []
    bulk = any(item.transfer == "bulk" for item in plan.wanted)
    # A bulk upload takes as long for small files as for large ones.
    wanted = [(item.request, 0 if bulk else item.size) for item in plan.wanted]
    batches = in_batches(wanted, batch_size * (BULK_FACTOR if bulk else 1), maximum=most_batches())
    if settled := len(plan.items) - len(wanted):
        log.info("To ingest: %d items in %d batches. %d items need no task.", len(wanted), len(batches), settled)
    return handed_on(context, "batch", batches)


def _hand_on_windows(context: Context, windows: Iterable[WindowPlan]) -> list[Any]:
    """Push the plan of several windows, for a dry run. Of thousands of windows, only sums and the first items stay."""
    ti: Any = context["ti"]
    counts: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    sums = []
    for window in windows:
        sums.append(window.summary_row())
        if window.plan:
            counts.update(window.plan.counts)
        rows += window.rows(_MAX_SHOWN - len(rows))
    value = {
        "version": PLAN_VERSION,
        "counts": dict(counts),
        "dry_run": True,
        "rows": split_result(context, rows, "plan_rows"),
        "windows": split_result(context, sums, "plan_windows"),
    }
    ti.xcom_push(key=PLAN_KEY, value=value)
    if problems := [f"{row['window']}: {row['problem']}" for row in sums if row["problem"]]:
        log.warning("%d windows cannot be planned: %s", len(problems), examples(problems))
    to_bring, size = (sum(row[name] for row in sums) for name in ("to_bring", "bytes"))
    log.info("Dry run of %d windows: %d items, %d bytes to bring in.", len(sums), to_bring, size)
    return []


def _events(context: Context) -> list[dict[str, Any]]:
    """Return the payloads of the events of triggers that started the run."""
    triggering: Any = context.get("triggering_asset_events") or {}
    extras = [event.extra or {} for events in triggering.values() for event in events]
    return [extra["payload"] for extra in extras if isinstance(extra.get("payload"), dict)]


def _is_last_try(context: Context) -> bool:
    ti: Any = context["ti"]
    return bool(ti.try_number > ti.max_tries)
