"""Creates the pools that tasks of this package run in. Airflow never runs a task whose pool does not exist."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PoolListener"]

TAG = "kaltura"
_DESCRIPTION = "Tasks that ingest into Kaltura. Created by the Kaltura provider; change the slots as needed."

log = logging.getLogger(__name__)


class PoolListener:
    """Creates missing pools. It runs in the scheduler, which can use the database, unlike tasks."""

    @hookimpl
    def on_starting(self, component: object) -> None:
        """Create the default pool when the scheduler starts."""
        # Task processes start with a component of another class, and have no database.
        if type(component).__name__ == "Job":
            from kaltura_provider.hooks.pool import default_pool

            _create_missing([default_pool()])

    @hookimpl
    def on_dag_run_running(self, dag_run: Any, msg: str) -> None:
        """Create the pools of a run that is about to start, so that its tasks do not wait forever."""
        dag = getattr(dag_run, "dag", None)
        if dag is not None and TAG in dag.tags:
            _create_missing({task.pool for task in dag.tasks})


def _create_missing(names: Iterable[str]) -> None:
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from kaltura_provider.hooks.pool import pool_slots

    try:
        # The scheduler's own session must not be committed here.
        with create_session(scoped=False) as session:
            known = set(session.scalars(select(Pool.pool)))
            for name in sorted(set(names) - known):
                slots = pool_slots()
                session.add(Pool(pool=name, slots=slots, description=_DESCRIPTION, include_deferred=False))
                log.warning("Pool %r did not exist. It was created with %d slots.", name, slots)
    except SQLAlchemyError as error:
        # Another process created it at the same moment, or the database is not migrated yet.
        log.info("The pools were not checked: %s", str(error).splitlines()[0])
