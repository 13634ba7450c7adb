"""What a backfill of a feed would run, by Airflow's rules, and how to start it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

from airflow.api_fastapi.core_api.datamodels.backfills import BackfillPostBody
from airflow.api_fastapi.core_api.routes.public.backfills import create_backfill, create_backfill_dry_run
from airflow.models.backfill import Backfill, ReprocessBehavior
from airflow.models.dagrun import DagRun
from fastapi import Form, HTTPException, Query
from fastapi.exceptions import RequestValidationError
from sqlalchemy import select

from kaltura_provider.board.dags import dag_of
from kaltura_provider.feeds.fields.years import YEARS, YEARS_TEXT
from kaltura_provider.feeds.planning.window_plans import MAX_IN_A_RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
    from sqlalchemy.orm import Session

    from kaltura_provider.board.feeds import FeedView

__all__ = ["AGAIN", "Dates", "Outlook", "Sums", "form_dates", "outlook", "query_dates", "start"]

AGAIN: Final = {
    ReprocessBehavior.NONE.value: "Windows that have not run",
    ReprocessBehavior.FAILED.value: "These and failed ones",
    ReprocessBehavior.COMPLETED.value: "All of them again",
}
"""Which windows a backfill runs, by Airflow's name for it."""


@dataclass(frozen=True, slots=True)
class Dates:
    """The windows that a backfill is about: those that begin on these days, both included, in the feed's time zone.

    :param again: what to do with windows that have run, one of :data:`AGAIN`.
    """

    first: dt.date
    last: dt.date
    again: ReprocessBehavior = ReprocessBehavior.NONE

    def moments(self, timezone: str) -> tuple[dt.datetime, dt.datetime]:
        """Return the first and the last moment of these days."""
        zone = ZoneInfo(timezone)
        begins = dt.datetime.combine(self.first, dt.time(), zone)
        return begins, dt.datetime.combine(self.last, dt.time.max, zone)


def form_dates(
    first: Annotated[dt.date, Form()],
    last: Annotated[dt.date, Form()],
    again: Annotated[ReprocessBehavior, Form()] = ReprocessBehavior.NONE,
) -> Dates:
    """Read the dates of a form."""
    return Dates(first, last, again)


def query_dates(
    first: Annotated[dt.date, Query()],
    last: Annotated[dt.date, Query()],
    again: Annotated[ReprocessBehavior, Query()] = ReprocessBehavior.NONE,
) -> Dates:
    """Read the dates of a query."""
    return Dates(first, last, again)


@dataclass(frozen=True, slots=True)
class Sums:
    """What some windows would bring in, as a dry run has counted it.

    :param size: in bytes, as far as the source lists sizes.
    :param unknown: the number of items without a size.
    :param problems: why windows cannot be planned.
    """

    items: int
    size: int
    unknown: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The windows of a range of dates that have ended, and those that a backfill would run.

    :param busy: whether a backfill of the feed is under way; Airflow allows one at a time.
    """

    windows: frozenset[dt.datetime]
    to_run: frozenset[dt.datetime]
    running: int
    busy: bool

    @property
    def done(self) -> int:
        """The number of windows that have run and would not run again."""
        return len(self.windows) - len(self.to_run) - self.running

    @property
    def ends(self) -> tuple[dt.datetime, dt.datetime]:
        """The beginnings of the first and of the last window that would run."""
        return min(self.to_run), max(self.to_run)

    def sums(self, rows: Iterable[Mapping[str, Any]]) -> Sums:
        """Return the sums over the windows that would run.

        :param rows: the sums of each window, as :meth:`WindowPlan.summary_row` makes them.
        """
        mine = [row for row in rows if dt.datetime.fromisoformat(str(row["window"])) in self.to_run]
        return Sums(
            sum(int(row["to_bring"]) for row in mine),
            sum(int(row["bytes"]) for row in mine),
            sum(int(row["unknown_sizes"]) for row in mine),
            tuple(f"{row['window']}: {row['problem']}" for row in mine if row["problem"]),
        )


def outlook(session: Session, feed: FeedView, dates: Dates) -> Outlook:
    """Return what a backfill of a feed would run.

    :raises HTTPException: 422 if the dates cannot be used; it says why.
    """
    if not all(day.year in YEARS for day in (dates.first, dates.last)):
        raise HTTPException(422, f"The days are not {YEARS_TEXT}. Correct them.")
    begins, ends = dates.moments(feed.timezone)
    if ends < begins:
        raise HTTPException(422, f"The last day, {dates.last}, is before the first, {dates.first}. Swap them.")
    dag = dag_of(feed.dag_id, session)
    now = dt.datetime.now(dt.UTC)
    infos = islice(dag.iter_dagrun_infos_between(begins, ends), MAX_IN_A_RUN + 1)
    windows = frozenset(info.logical_date for info in infos if info.data_interval and info.data_interval.end < now)
    if len(windows) > MAX_IN_A_RUN:
        raise HTTPException(422, f"These days have more than {MAX_IN_A_RUN:,} windows. Choose fewer days.")
    states = session.execute(
        select(DagRun.logical_date, DagRun.state).where(
            DagRun.dag_id == feed.dag_id, DagRun.logical_date >= begins, DagRun.logical_date <= ends
        )
    )
    running = {row.logical_date for row in states if str(row.state) in ("queued", "running")} & windows
    busy = session.scalar(select(Backfill.id).where(Backfill.dag_id == feed.dag_id, Backfill.completed_at.is_(None)))
    return Outlook(windows, _to_run(session, feed, dates) if windows else frozenset(), len(running), busy is not None)


def _to_run(session: Session, feed: FeedView, dates: Dates) -> frozenset[dt.datetime]:
    try:
        found = create_backfill_dry_run(_body(feed, dates), session).backfills
    except RequestValidationError as error:
        raise HTTPException(422, str(error.errors())) from None
    return frozenset(one.logical_date for one in found if one.logical_date is not None)


def start(session: Session, user: BaseUser, feed: FeedView, dates: Dates) -> None:
    """Start a backfill, as Airflow's own dialog does.

    :raises HTTPException: Airflow refuses it; the error says why.
    """
    try:
        create_backfill(_body(feed, dates), user, session)
    except RequestValidationError as error:
        raise HTTPException(422, str(error.errors())) from None


def _body(feed: FeedView, dates: Dates) -> BackfillPostBody:
    begins, ends = dates.moments(feed.timezone)
    return BackfillPostBody(
        dag_id=feed.dag_id,
        from_date=begins,
        to_date=ends,
        reprocess_behavior=dates.again,
        max_active_runs=feed.runs_at_once,
    )
