"""The state of one Kaltura account and the services on it, which actions, jobs and pages share."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from kaltura_sandbox.clock import Clock
from kaltura_sandbox.faults import Faults
from kaltura_sandbox.job_queue import JobQueue
from kaltura_sandbox.journal import Journal
from kaltura_sandbox.locks import Locks
from kaltura_sandbox.sessions.keeper import SessionKeeper
from kaltura_sandbox.store.database import Database
from kaltura_sandbox.store.files import Files
from kaltura_sandbox.store.search import SearchIndex
from kaltura_sandbox.store.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaltura_sandbox.config import Config

__all__ = ["Account"]


class Account:
    """Records, files, time, sessions, the search index, jobs and active faults.

    :param provision: adds the initial objects to an account that is new or was reset.
    """

    def __init__(self, config: Config, provision: Callable[[Account], None]) -> None:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.config = config
        self.files = Files(config.data_dir)
        self.database = Database(config.data_dir / "sandbox.sqlite3")
        self.clock = Clock(float(self.database.meta("clock_offset", "0")))
        self.tables = Tables(self.database)
        self.locks = Locks()
        # token id -> when (monotonic) its file was complete, and when it became an entry's content
        self.completed: dict[str, float] = {}
        self.consumed: dict[str, float] = {}
        self.faults = Faults()
        self.journal = Journal()
        self.sessions = SessionKeeper(config, self.clock, self.tables)
        self.search = SearchIndex(self.database, self.tables, self.clock, self.faults, config.index_lag)
        self.jobs = JobQueue(config, self.database, self.tables, self.clock)
        self._provision = provision
        provision(self)

    def close(self) -> None:
        """Stop the workers and close the state."""
        self.jobs.stop()
        self.database.close()

    def reset(self) -> None:
        """Delete all records, files, faults, counters and settings of tests. Sessions stay valid."""
        self.database.execute("DELETE FROM jobs")
        self.jobs.drain()
        with self.database.transaction():
            for table in vars(self.tables).values():
                if hasattr(table, "name"):
                    self.database.execute(f"DELETE FROM {table.name}")  # noqa: S608 - our own table names
            self.search.rebuild()
            self._provision(self)
        self.completed.clear()
        self.consumed.clear()
        self.faults.remove()
        self.journal.clear()
        self.clock.reset()
        self.database.set_meta("clock_offset", "0")
        self.search.lag = self.config.index_lag
        for directory in (self.files.uploads, self.files.content):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(exist_ok=True)
        for rendered in ("streams", "thumbnails"):
            shutil.rmtree(self.files.root / rendered, ignore_errors=True)
