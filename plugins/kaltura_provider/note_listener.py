"""Copies the one-line result of an ingest to the note of its run. Tasks cannot write notes, the scheduler can."""

from __future__ import annotations

import logging
from typing import Any

from airflow.listeners import hookimpl

from kaltura_provider.pool_listener import TAG

__all__ = ["NoteListener"]

# What Airflow's database takes. The scheduler would end with an error if it had to store more.
_MAX_LENGTH = 1000

log = logging.getLogger(__name__)


class NoteListener:
    """Writes the note of a run of this package's DAGs when the run ends, unless somebody has written one."""

    @hookimpl
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        """Write the note of a run that succeeded."""
        _write_note(dag_run)

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """Write the note of a run that failed."""
        _write_note(dag_run)


def _write_note(dag_run: Any) -> None:
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import object_session

    dag = getattr(dag_run, "dag", None)
    # The note is written in the scheduler's transaction, which holds a lock on the run.
    session = object_session(dag_run)
    if dag is None or TAG not in dag.tags or session is None:
        return
    try:
        with session.no_autoflush:
            if not dag_run.note and (note := _note_of(dag_run, session)):
                dag_run.note = note
    except SQLAlchemyError as error:
        log.warning("The note of run %s was not written: %s", dag_run.run_id, str(error).splitlines()[0])


def _note_of(dag_run: Any, session: Any) -> str | None:
    from airflow.models.xcom import XComModel

    from kaltura_provider.feeds.outcome.run_note import NOTE_KEY

    query = XComModel.get_many(run_id=dag_run.run_id, dag_ids=dag_run.dag_id, key=NOTE_KEY, limit=1)
    row = session.scalars(query).first()
    if row is None:
        return None
    text = str(XComModel.deserialize_value(row))
    return "".join(letter for letter in text if letter == "\n" or letter.isprintable())[:_MAX_LENGTH]
