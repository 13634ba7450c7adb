"""The DAGs of feeds as Airflow has stored them, and what may be done with their runs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.common.dagbag import create_dag_bag

from kaltura_provider.feeds.tasks.pipeline import SUMMARY
from kaltura_provider.hooks.kaltura import KalturaHook

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["connection_of", "dag_bag", "dag_of"]


@cache
def dag_bag() -> Any:
    """Return the DAGs that this process has read from the database."""
    return create_dag_bag()


def dag_of(dag_id: str, session: Session) -> Any:
    """Return the latest version of a DAG, or ``None`` if it does not exist."""
    return dag_bag().get_latest_version_of_dag(dag_id, session=session)


def connection_of(session: Session, dag_id: str, conf: Any) -> str:
    """Return the Kaltura connection of a run.

    :param conf: the configuration of the run. In the trigger form, its user chooses the connection.
    """
    dag = dag_of(dag_id, session)
    task = dag.task_dict.get(SUMMARY) if dag is not None else None
    named = str(getattr(task, "kaltura_conn_id", "") or KalturaHook.default_conn_name)
    if "{{" not in named:
        return named
    chosen = conf.get("kaltura_conn_id") if isinstance(conf, dict) else None
    return str(chosen or KalturaHook.default_conn_name)
