"""Plans the runs of a feed beforehand, for a range of dates: what a backfill would bring in. Writes nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pendulum

from kaltura_provider.feeds.interval import DATE_PARAM, DRY_RUN_PARAM, UNTIL_PARAM, Interval, chosen_moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import DAG, Context

    from kaltura_provider.feeds.plan import Plan, PlannedItem
    from kaltura_provider.feeds.schema import Feed

__all__ = ["FeedPlan", "WindowPlan", "last_start", "plan_chosen_range", "plan_feed", "window_context", "windows_of"]

_MOST_WINDOWS = 5000
_MOST_IN_A_RUN = 400


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
        from kaltura_provider.feeds.plan import Decision

        return sum(item.decision is not Decision.IGNORED for item in self.plan.items) if self.plan else 0

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
    def problems(self) -> dict[str, str]:
        """What is wrong with windows that cannot be planned, by the start of the window."""
        return {window.window: window.problem for window in self.windows if window.problem}

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each item as plain values: ``window`` and the fields of ``PlannedItem.row``."""
        return [
            {"window": window.window, **row} for window in self.windows if window.plan for row in window.plan.rows()
        ]

    def summary_rows(self) -> list[dict[str, Any]]:
        """Return a row for each window as plain values."""
        return [window.summary_row() for window in self.windows]


def plan_feed(feed: Feed, first: dt.date, last: dt.date | None = None) -> FeedPlan:
    """Plan the run of each window of a feed, as a backfill of these dates would.

    It reads the source and Kaltura through the feed's connections, and does not need a task. A source of type
    ``s3_new`` is planned as in a backfill: each window holds what was modified in it.

    :param first: windows that start on this day or at this moment or later. Without a time zone, the feed's is used.
    :param last: windows that start no later than this moment, or during this day. By default, ``first``.
    :raises ValueError: ``last`` is before ``first``, or the range has more than 5,000 windows.
    :raises KalturaError: Kaltura did not answer, or refused.
    """
    from kaltura_provider.feeds.dag import feed_dag

    dag = feed_dag(feed)
    return FeedPlan(feed.name, tuple(_planned(dag, interval) for interval in windows_of(feed, first, last)))


def plan_chosen_range(context: Context, timezone: str) -> FeedPlan | None:
    """Plan the windows that a user chose in the trigger form for a dry run; ``None`` if they chose a single one.

    :raises AirflowFailException: the dates cannot be used; the message names the field of the form.
    :raises KalturaError: Kaltura did not answer, or refused.
    """
    from airflow.sdk.exceptions import AirflowFailException

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
    dag: DAG = values["dag"]
    schedule = getattr(dag.timetable, "expression", None)
    windows = _between(schedule, timezone, begins, ends, most=_MOST_IN_A_RUN)
    return FeedPlan(dag.dag_id, tuple(_planned(dag, interval) for interval in windows))


def windows_of(feed: Feed, first: dt.date, last: dt.date | None = None) -> list[Interval]:
    """Return the windows of a feed that start in a range of dates, in the feed's time zone.

    A feed without a schedule has one window a day.

    :param first: a day or moment. :param last: a day (including all of it) or moment; by default, ``first``.
    :raises ValueError: ``last`` is before ``first``, or the range has more than 5,000 windows.
    """
    begins = _moment(first, feed.timezone)
    ends = _moment(first if last is None else last, feed.timezone)
    if not isinstance(last if last is not None else first, dt.datetime):
        ends = ends.add(days=1).subtract(microseconds=1)
    if ends < begins:
        raise ValueError(f"the range of dates ends at {ends} before it begins at {begins}; swap the dates")
    return _between(feed.schedule, feed.timezone, begins, ends, most=_MOST_WINDOWS)


def _between(
    schedule: str | None, timezone: str, begins: pendulum.DateTime, ends: pendulum.DateTime, *, most: int
) -> list[Interval]:
    found: list[Interval] = []
    for interval in _intervals(schedule, timezone, begins, ends):
        found.append(interval)
        if len(found) > most:
            what = f"the range of dates from {begins} to {ends} has more than {most:,} windows"
            raise ValueError(f"{what}; give a shorter one")
    return found


def last_start(feed: Feed) -> dt.date:
    """Return when the last interval that has ended began; for a feed without a schedule, today."""
    now = pendulum.now(feed.timezone)
    if feed.schedule is None:
        return now.date()
    return cast("dt.datetime", _timetable(feed.schedule, feed.timezone).infer_manual_data_interval(run_after=now).start)


def _timetable(schedule: str, timezone: str) -> Any:
    from airflow.timetables.interval import CronDataIntervalTimetable

    return CronDataIntervalTimetable(schedule, pendulum.timezone(timezone))


def _intervals(
    schedule: str | None, timezone: str, begins: pendulum.DateTime, ends: pendulum.DateTime
) -> Iterator[Interval]:
    if schedule is None:
        day = begins
        while day <= ends:
            yield Interval(day, day.add(days=1))
            day = day.add(days=1)
        return
    from airflow.timetables.base import TimeRestriction

    timetable = _timetable(schedule, timezone)
    restriction = TimeRestriction(earliest=begins, latest=ends, catchup=True)
    previous = None
    while info := timetable.next_dagrun_info(last_automated_data_interval=previous, restriction=restriction):
        previous = info.data_interval
        assert previous is not None  # noqa: S101 - only runs of other timetables have none
        yield Interval(_local(previous.start, timezone), _local(previous.end, timezone))


def _moment(value: dt.date, timezone: str) -> pendulum.DateTime:
    zone = pendulum.timezone(timezone)
    if not isinstance(value, dt.datetime):
        return pendulum.datetime(value.year, value.month, value.day, tz=zone)
    return pendulum.instance(value, tz=zone).in_timezone(zone) if value.tzinfo else pendulum.instance(value, tz=zone)


def _local(moment: Any, timezone: str) -> pendulum.DateTime:
    return cast("pendulum.DateTime", pendulum.instance(moment).in_timezone(timezone))


def _planned(dag: DAG, interval: Interval) -> WindowPlan:
    from airflow.sdk.exceptions import AirflowFailException

    from kaltura_provider.upload.sources.errors import SourceError

    # A copy, because rendering replaces the templates.
    task: Any = dag.get_task("discover").prepare_for_execution()
    context = window_context(dag, interval)
    try:
        task.render_template_fields(context)
        return WindowPlan(interval, task.plan(context))
    except (AirflowFailException, SourceError, ValueError) as error:
        from kaltura_provider.api.redaction import redact

        return WindowPlan(interval, problem=redact(str(error)))


def window_context(dag: DAG, interval: Interval) -> Context:
    """Return what the templates of a feed see in a run of a backfill for one window, without such a run."""
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
        "params": dict(dag.params) | {DRY_RUN_PARAM: True},
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
