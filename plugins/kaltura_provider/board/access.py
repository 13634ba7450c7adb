"""Who may see and do what on the board, as Airflow's auth manager decides."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import get_user
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Query, Request, status

from kaltura_provider.board.records import RECORDS

__all__ = [
    "BOARD_HEADER",
    "ReadableDag",
    "ReadableDags",
    "User",
    "check_startable",
    "from_the_board",
    "may_see_errors",
    "may_start",
]

BOARD_HEADER = "X-Kaltura-Board"
"""A header that the board's own pages send with everything that changes something. Pages of other sites cannot."""

User = Annotated[BaseUser, Depends(get_user)]


def _may(user: BaseUser, method: ResourceMethod, dag_id: str, entity: DagAccessEntity | None = None) -> bool:
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return bool(
        get_auth_manager().is_authorized_dag(
            method=method,
            access_entity=entity,
            details=details,
            user=user,
        )
    )


def readable_dags(user: User) -> frozenset[str]:
    """Return the ids of the DAGs of this package that the user may read, with their results."""
    known = RECORDS.dag_ids()
    allowed = get_auth_manager().get_authorized_dag_ids(user=user, method="GET") & known
    return frozenset(dag_id for dag_id in allowed if _may(user, "GET", dag_id, DagAccessEntity.XCOM))


ReadableDags = Annotated[frozenset[str], Depends(readable_dags)]


def readable_dag(readable: ReadableDags, dag_id: Annotated[str, Query()]) -> str:
    """Return the id of the DAG that the query names.

    :raises HTTPException: 403 if the user may not read it, or if it is not a DAG of this package.
    """
    if dag_id not in readable:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, f"You may not read the DAG {dag_id}, or it does not ingest into Kaltura."
        )
    return dag_id


ReadableDag = Annotated[str, Depends(readable_dag)]


def may_start(user: BaseUser, dag_id: str) -> bool:
    """Return whether the user may start runs of a DAG and its tasks again."""
    return _may(user, "POST", dag_id, DagAccessEntity.RUN) and _may(user, "PUT", dag_id, DagAccessEntity.TASK_INSTANCE)


def may_see_errors(user: BaseUser) -> bool:
    """Return whether the user may see import errors."""
    return bool(get_auth_manager().is_authorized_view(access_view=AccessView.IMPORT_ERRORS, user=user))


def check_startable(user: BaseUser, readable: frozenset[str], dag_id: str) -> None:
    """Check that the user may start runs of a DAG.

    :raises HTTPException: 403 if not.
    """
    if dag_id not in readable or not may_start(user, dag_id):
        raise HTTPException(status.HTTP_403_FORBIDDEN, f"You may not start runs of the DAG {dag_id}.")


def from_the_board(request: Request) -> None:
    """Check that a page of the board sent a request, and not another site on behalf of a signed-in user.

    :raises HTTPException: 403 if not.
    """
    origin = request.headers.get("origin")
    foreign = request.headers.get("sec-fetch-site") not in (None, "same-origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        foreign = True
    if foreign or request.headers.get(BOARD_HEADER) != "1":
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, f"Only pages of the board may ask for this, with the header {BOARD_HEADER}."
        )
