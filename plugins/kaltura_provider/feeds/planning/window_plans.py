"""The plans of several windows of a feed: what a backfill of them would bring in. Writes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.feeds.planning.interval import DATE_PARAM, DRY_RUN_PARAM, UNTIL_PARAM, Interval, chosen_moment
from kaltura_provider.feeds.planning.windows import windows_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow.sdk import DAG, Context

    from kaltura_provider.feeds.planning.plan import Plan, PlannedItem

__all__ = ["MAX_IN_A_RUN", "FeedPlan", "WindowPlan", "plan_chosen_range", "plan_windows", "window_context"]

MAX_IN_A_RUN = 2000
"""The most windows that one dry run plans: more than five years of days."""


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """The plan of one run.

    :param interval: the window, in the feed's time zone.
    :param plan: ``None`` if the source cannot be read or a template cannot be rendered; ``problem`` then says why.
    """

    interval: Interval
    plan: Plan | None = None
    problem: str | None = None

    @property
    def window(self) -> str:
        """The start of the window in ISO 8601."""
        return self.interval.start.isoformat()

    @property
    def items(self) -> int:
        """Number of items in the source, without those that are ignored."""
        return sum(item.decision.is_item for item in self.plan.items) if self.plan else 0

    @property
    def wanted(self) -> list[PlannedItem]:
        """The items that the run would ingest."""
        return self.plan.wanted if self.plan else []

    @property
    def bytes(self) -> int:
        """Size of the items to ingest, as far as the source lists sizes."""
        return sum(item.size or 0 for item in self.wanted)

    @property
    def unknown_sizes(self) -> int:
        """Number of items to ingest whose sizes the source does not list."""
        return sum(item.size is None for item in self.wanted)

    def rows(self, maximum: int | None = None) -> list[dict[str, Any]]:
        """Return a row for each item, or for the first ones: ``window`` and the fields of ``PlannedItem.row``."""
        items = self.plan.items[:maximum] if self.plan else ()
        return [{"window": self.window, **item.row()} for item in items]

    def summary_row(self) -> dict[str, Any]:
        """Return the totals of the window as plain values."""
        return {
            "window": self.window,
            "items": self.items,
            "to_bring": len(self.wanted),
            "bytes": self.bytes,
            "unknown_sizes": self.unknown_sizes,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """The plans of the windows of a feed, oldest first."""

    feed: str
    windows: tuple[WindowPlan, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The number of items per decision."""
        found: Counter[str] = Counter()
        for window in self.windows:
            found.update(window.plan.counts if window.plan else {})
        return dict(found)

    @property
    def items(self) -> int:
        """Number of items in the source, without those that are ignored."""
        return sum(window.items for window in self.windows)

    @property
    def to_bring(self) -> int:
        """Number of items that the runs would ingest."""
        return sum(len(window.wanted) for window in self.windows)

    @property
    def bytes(self) -> int:
        """Size of the items to ingest, as far as the source lists sizes."""
        return sum(window.bytes for window in self.windows)

    @property
    def unknown_sizes(self) -> int:
        """Number of items to ingest whose sizes the source does not list."""
        return sum(window.unknown_sizes for window in self.windows)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the sources of the windows hold that is not used, each text once."""
        return tuple(dict.fromkeys(text for window in self.windows if window.plan for text in window.plan.warnings))

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with windows that cannot be planned, by the start of the window."""
        return {window.window: window.problem for window in self.windows if window.problem}

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each item as plain values: ``window`` and the fields of ``PlannedItem.row``."""
        return [row for window in self.windows for row in window.rows()]

    def summary_rows(self) -> list[dict[str, Any]]:
        """Return a row for each window as plain values."""
        return [window.summary_row() for window in self.windows]


def plan_windows(dag: DAG, name: str, windows: Iterable[Interval]) -> FeedPlan:
    """Plan the run of each of these windows.

    :param dag: the DAG of the feed. :param name: the name of the feed.
    :raises KalturaError: Kaltura did not answer, or refused.
    """
    return FeedPlan(name, tuple(_planned(dag, interval) for interval in windows))


def plan_chosen_range(context: Context, timezone: str) -> Iterator[WindowPlan] | None:
    """Plan the windows that a user chose in the trigger form for a dry run; ``None`` if they chose a single one.

    Each window is planned when it is asked for.

    :raises AirflowFailException: the dates cannot be used; the message names the field of the form.
    :raises KalturaError: Kaltura did not answer, or refused.
    """
    values = cast("dict[str, Any]", context)
    params = dict(values.get("params") or {})
    first, last = (str(params.get(name) or "") for name in (DATE_PARAM, UNTIL_PARAM))
    if not last or values["dag_run"].run_type != "manual":
        return None
    if not params.get(DRY_RUN_PARAM):
        fix = "switch on 'Dry run', or start a backfill to ingest several intervals"
        raise AirflowFailException(f"'Dry run until' {last!r} is only for a dry run; {fix}")
    if not first:
        raise AirflowFailException(f"'Dry run until' is {last!r}, but the field above it is empty; give the first day")
    begins = chosen_moment(DATE_PARAM, first, timezone)
    ends = chosen_moment(UNTIL_PARAM, last, timezone, last=True)
    if ends < begins:
        raise AirflowFailException(f"'Dry run until' {last!r} is before {first!r}; swap them")
    if any(line.strip() for line in params.get("only") or ()):
        raise AirflowFailException("'Only these' is for a single interval; empty it, or 'Dry run until'")
    dag: DAG = values["dag"]
    schedule = getattr(dag.timetable, "expression", None)
    windows = windows_between(schedule, timezone, begins, ends, maximum=MAX_IN_A_RUN)
    chosen = {name: params[name] for name in ("if_exists", "transfer") if params.get(name)}
    # Items that are set aside wait in each window.
    return (_planned(dag, interval, chosen, values.get("asset_state_store")) for interval in windows)


def _planned(dag: DAG, interval: Interval, chosen: Mapping[str, Any] | None = None, state: Any = None) -> WindowPlan:
    from kaltura_provider.upload.sources.errors import SourceError

    # A copy, because rendering replaces the templates.
    task: Any = dag.get_task("discover").prepare_for_execution()
    context = window_context(dag, interval, chosen, state)
    try:
        task.render_template_fields(context)
        return WindowPlan(interval, task.plan(context))
    except (AirflowFailException, SourceError, ValueError) as error:
        from kaltura_provider.api.redaction import redact

        return WindowPlan(interval, problem=redact(str(error)))


def window_context(dag: DAG, interval: Interval, chosen: Mapping[str, Any] | None = None, state: Any = None) -> Context:
    """Return what the templates of a feed see in a run of a backfill for one window, without such a run.

    :param chosen: params that differ from the defaults of the feed.
    :param state: Airflow's state store of the feed's asset, if there is one to read.
    """
    from airflow.sdk.execution_time.context import ConnectionAccessor, MacrosAccessor, VariableAccessor
    from airflow.sdk.plugins_manager import integrate_macros_plugins

    integrate_macros_plugins()
    start, end = interval.start.in_timezone("UTC"), interval.end.in_timezone("UTC")
    run = SimpleNamespace(
        dag_id=dag.dag_id,
        run_id=f"plan__{start.isoformat()}",
        run_type="backfill",
        conf={},
        logical_date=start,
        run_after=end,
        data_interval_start=start,
        data_interval_end=end,
    )
    values: dict[str, Any] = {
        "dag": dag,
        "dag_run": run,
        "run_id": run.run_id,
        "params": dict(dag.params) | dict(chosen or {}) | {DRY_RUN_PARAM: True},
        "asset_state_store": state,
        "logical_date": start,
        "data_interval_start": start,
        "data_interval_end": end,
        # Nobody reads what a task that is not run says.
        "ti": SimpleNamespace(
            try_number=1, max_tries=0, map_index=-1, run_id=run.run_id, xcom_push=lambda *args, **kwargs: None
        ),
        "macros": MacrosAccessor(),
        "var": {"json": VariableAccessor(deserialize_json=True), "value": VariableAccessor(deserialize_json=False)},
        "conn": ConnectionAccessor(),
    }
    return cast("Context", values)
