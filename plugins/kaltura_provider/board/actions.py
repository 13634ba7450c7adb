"""The actions of the board: retries, plans and backfills. Each route checks the user and the origin."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.datamodels.dag_run import TriggerDAGRunPostBody
from airflow.api_fastapi.core_api.datamodels.task_instances import ClearTaskInstancesBody
from airflow.api_fastapi.core_api.routes.public.dag_run import trigger_dag_run
from airflow.api_fastapi.core_api.routes.public.task_instances import post_clear_task_instances
from airflow.api_fastapi.logging.decorators import action_logging
from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import Response

from kaltura_provider.board.access import ReadableDags, User, check_startable, from_the_board
from kaltura_provider.board.activity import ACTIVITY, INGEST
from kaltura_provider.board.backfill import Dates, form_dates, outlook, start
from kaltura_provider.board.dags import dag_bag
from kaltura_provider.board.feeds import FeedView, feed_view
from kaltura_provider.board.records import RECORDS
from kaltura_provider.board.rendering import protect, render
from kaltura_provider.feeds.planning.interval import DATE_PARAM, DRY_RUN_PARAM, UNTIL_PARAM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from kaltura_provider.board.records import Failure, Run

__all__ = ["actions"]

actions = APIRouter(dependencies=[Depends(from_the_board)])

_MAX_ITEMS = 500


@actions.post("/retry", dependencies=[Depends(action_logging("kaltura_retry"))])
def retry(
    request: Request,
    user: User,
    readable: ReadableDags,
    session: SessionDep,
    item: Annotated[list[str], Form(max_length=_MAX_ITEMS)],
) -> Response:
    """Start failed items again: the tasks of their batches, and what follows them in their runs.

    :param item: ``<number of the run>:<key of the failure>``, as the board's pages name failed items.
    """
    wanted = _wanted(item)
    for run, _ in wanted:
        check_startable(user, readable, run.dag_id)
    for run, failures in wanted:
        _start_again(session, user, run, failures)
    session.commit()
    RECORDS.forget()
    ACTIVITY.forget()
    count = sum(len(failures) for _, failures in wanted)
    return render(request, "retried.html", {"count": count, "runs": len(wanted)})


def _wanted(items: Iterable[str]) -> list[tuple[Run, list[Failure]]]:
    """Return the failures that a request names, by run.

    :raises HTTPException: 409 if one of them is no longer a failure.
    """
    chosen: dict[int, set[str]] = defaultdict(set)
    for text in items:
        run, _, key = text.partition(":")
        if not re.fullmatch(r"[0-9]{1,18}", run):
            raise HTTPException(422, "The name of an item is not valid. Reload the page and try again.")
        chosen[int(run)].add(key)
    found = []
    for run_number, keys in chosen.items():
        known = RECORDS.by_number(run_number)
        failures = {failure.key: failure for failure in known.failures} if known and known.finished else {}
        if known is None or not keys <= failures.keys():
            raise HTTPException(409, "Somebody has already started some of these items again. Reload the page.")
        found.append((known, [failures[key] for key in sorted(keys)]))
    return found


def _start_again(session: Session, user: User, run: Run, failures: Iterable[Failure]) -> None:
    batches = {failure.batch for failure in failures}
    # A run that failed as a whole, or whose summary did not store the batches, starts all its failed tasks again.
    task_ids = None if None in batches else [(INGEST, batch) for batch in sorted(batches, key=lambda batch: batch or 0)]
    body = ClearTaskInstancesBody.model_validate(
        {
            "dry_run": False,
            "dag_run_id": run.run_id,
            "task_ids": task_ids,
            "only_failed": task_ids is None,
            "include_downstream": True,
            "reset_dag_runs": True,
            "prevent_running_task": True,
        }
    )
    post_clear_task_instances(run.dag_id, dag_bag(), body, session, user)


def _startable_feed(
    user: User,
    readable: ReadableDags,
    session: SessionDep,
    dag_id: Annotated[str, Form(max_length=250)],
) -> FeedView:
    check_startable(user, readable, dag_id)
    feed = feed_view(session, dag_id)
    if feed is None:
        raise HTTPException(404, f"The DAG {dag_id} does not exist.")
    return feed


StartableFeed = Annotated[FeedView, Depends(_startable_feed)]
"""The feed that a form names, if the user may start its runs."""


@actions.post("/plan", dependencies=[Depends(action_logging("kaltura_plan"))])
def plan(
    request: Request,
    user: User,
    session: SessionDep,
    feed: StartableFeed,
    date: Annotated[dt.date, Form()],
) -> Response:
    """Start a dry run of a feed for a day, and return a link to its result."""
    ends = Dates(date, date).moments(feed.timezone)
    run_id = _dry_run(request, session, user, feed, ends, several=feed.within_a_day)
    return render(request, "planned.html", {"dag_id": feed.dag_id, "run_id": run_id})


@actions.post("/backfill-plan", dependencies=[Depends(action_logging("kaltura_plan"))])
def backfill_plan(
    request: Request,
    user: User,
    session: SessionDep,
    feed: StartableFeed,
    dates: Annotated[Dates, Depends(form_dates)],
) -> Response:
    """Return which windows a backfill would run, and start the dry run that counts what they would bring in."""
    found = outlook(session, feed, dates)
    run_id = ""
    if found.to_run and not found.busy:
        run_id = _dry_run(request, session, user, feed, found.ends, several=True)
    return render(request, "backfill.html", {"feed": feed, "found": found, "dates": dates, "run_id": run_id})


@actions.post("/backfill", dependencies=[Depends(action_logging("kaltura_backfill"))])
def backfill(
    user: User,
    session: SessionDep,
    feed: StartableFeed,
    dates: Annotated[Dates, Depends(form_dates)],
) -> Response:
    """Start a backfill of a feed, and go to the calendar of its windows."""
    start(session, user, feed, dates)
    RECORDS.forget()
    ACTIVITY.forget()
    query = urlencode({"dag_id": feed.dag_id, "month": dates.last.strftime("%Y-%m")})
    return protect(Response(headers={"HX-Redirect": f"feed?{query}#windows-title"}))


def _dry_run(
    request: Request,
    session: Session,
    user: User,
    feed: FeedView,
    ends: tuple[dt.datetime, dt.datetime],
    *,
    several: bool,
) -> str:
    """Start a dry run for the windows that begin between two moments, and return the id of the run.

    :param several: whether to plan each window by itself and count what it holds, even if there is only one.
    """
    zone = ZoneInfo(feed.timezone)
    first, last = (
        moment.isoformat() if feed.within_a_day else moment.date().isoformat()
        for moment in (end.astimezone(zone) for end in ends)
    )
    conf: dict[str, Any] = {DATE_PARAM: first, DRY_RUN_PARAM: True}
    note = f"Plan of {first}"
    if several:
        conf[UNTIL_PARAM] = last
        note += f" to {last}"
    body = TriggerDAGRunPostBody.model_validate({"logical_date": None, "conf": conf, "note": note})
    # Airflow's route returns the row; FastAPI would make the response of it.
    made: Any = trigger_dag_run(feed.dag_id, body, dag_bag(), user, session, request)
    run_id = str(made.run_id)
    session.commit()
    RECORDS.forget()
    return run_id
