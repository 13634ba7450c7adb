"""The actions of the board: start failed items again, and create plans. Each route checks the user and the origin."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.datamodels.dag_run import TriggerDAGRunPostBody
from airflow.api_fastapi.core_api.datamodels.task_instances import ClearTaskInstancesBody
from airflow.api_fastapi.core_api.routes.public.dag_run import trigger_dag_run
from airflow.api_fastapi.core_api.routes.public.task_instances import post_clear_task_instances
from airflow.api_fastapi.logging.decorators import action_logging
from airflow.models.dag import DagModel
from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import Response

from kaltura_provider.board.access import ReadableDags, User, check_startable, from_the_board
from kaltura_provider.board.activity import ACTIVITY, INGEST
from kaltura_provider.board.dags import dag_bag
from kaltura_provider.board.records import RECORDS
from kaltura_provider.board.rendering import render
from kaltura_provider.feeds.interval import DATE_PARAM, DRY_RUN_PARAM

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


@actions.post("/plan", dependencies=[Depends(action_logging("kaltura_plan"))])
def plan(
    request: Request,
    user: User,
    readable: ReadableDags,
    session: SessionDep,
    dag_id: Annotated[str, Form(max_length=250)],
    date: Annotated[dt.date, Form()],
) -> Response:
    """Start a dry run of a feed for a day, and return a link to its result."""
    check_startable(user, readable, dag_id)
    if session.get(DagModel, dag_id) is None:
        raise HTTPException(404, f"The DAG {dag_id} does not exist.")
    conf = {DATE_PARAM: date.isoformat(), DRY_RUN_PARAM: True}
    body = TriggerDAGRunPostBody.model_validate({"logical_date": None, "conf": conf, "note": f"Plan of {date}"})
    # Airflow's route returns the row; FastAPI would make the response of it.
    made: Any = trigger_dag_run(dag_id, body, dag_bag(), user, session, request)
    run_id = made.run_id
    session.commit()
    RECORDS.forget()
    return render(request, "planned.html", {"dag_id": dag_id, "run_id": run_id})
