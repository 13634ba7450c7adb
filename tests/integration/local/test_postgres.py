"""The database of `make up` and `make demo`: what Airflow's scheduler and its page write at the same moment."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "include" / "local"))

from deployment import free_port
from postgres import Postgres
from processes import ProcessEnded, Processes


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path / "run")
    yield made
    made.stop()


@pytest.fixture
def database(tmp_path: Path) -> Postgres:
    made = Postgres(tmp_path / "database", free_port(), "pa55word")
    made.create()
    return made


def serve(database: Postgres, processes: Processes) -> None:
    processes.start("database", database.command(), dict(os.environ))
    deadline = time.monotonic() + 60
    while not database.answers():
        try:
            processes.check()
        except ProcessEnded:
            # It refuses to start while programs of one that was killed are still ending. The supervisor repeats, too.
            if time.monotonic() > deadline:
                raise
            processes.start("database", database.command(), dict(os.environ))
        assert time.monotonic() < deadline
        time.sleep(0.1)


def connect(database: Postgres, **changes: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(database.url.replace("+psycopg2", ""), **changes)


def rows(database: Postgres, query: str) -> list[tuple[object, ...]]:
    with closing(connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_who_has_read_writes_although_another_writes(database: Postgres, processes: Processes) -> None:
    """SQLite answers "database is locked" here, and Airflow gives the backfill up."""
    serve(database, processes)
    with closing(connect(database)) as page, closing(connect(database)) as scheduler:
        page_cursor, scheduler_cursor = page.cursor(), scheduler.cursor()
        page_cursor.execute("create table run (name text)")
        page.commit()
        page_cursor.execute("select * from run")
        scheduler_cursor.execute("insert into run values ('scheduled')")
        page_cursor.execute("insert into run values ('backfill')")
        page.commit()
        scheduler.commit()
    assert rows(database, "select name from run order by name") == [("backfill",), ("scheduled",)]


def test_what_was_committed_survives_a_kill(database: Postgres, processes: Processes) -> None:
    serve(database, processes)
    with closing(connect(database)) as connection:
        connection.cursor().execute("create table kept as select 1 as number")
        connection.commit()
        os.killpg(processes.recorded()["database"], signal.SIGKILL)
    serve(database, processes)
    assert rows(database, "select number from kept") == [(1,)]


def test_only_the_password_opens_it(database: Postgres, processes: Processes) -> None:
    serve(database, processes)
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect(database, password="another")
    assert not list(database.data.parent.glob("*.password"))


def test_a_creation_that_was_cut_off_begins_again(tmp_path: Path, processes: Processes) -> None:
    (tmp_path / "database.new").mkdir()
    (tmp_path / "database.new" / "PG_VERSION").write_text("18\n")
    database = Postgres(tmp_path / "database", free_port(), "pa55word")
    database.create()
    serve(database, processes)
    assert rows(database, "select 1") == [(1,)]
    assert not (tmp_path / "database.new").exists()
