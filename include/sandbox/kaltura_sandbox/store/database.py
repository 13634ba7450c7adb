"""SQLite as the only storage of state: a connection shared by all threads, and tables of JSON records."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Database", "Table"]

Record = dict[str, Any]


class Database:
    """A SQLite file that survives the death of its process; statements are serialised by one lock."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._depth = 0
        # Readable by its owner only; SQLite gives the files beside it the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        # The file must survive a killed process, not a power failure: the kernel still holds every write.
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("PRAGMA cache_size=-65536")
        self.execute("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT)")

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows."""
        with self.lock:
            return self._connection.execute(sql, params).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make several statements one; nested use joins the outer transaction."""
        with self.lock:
            self._depth += 1
            if self._depth == 1:
                self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def meta(self, name: str, default: str = "") -> str:
        """Return a named value."""
        rows = self.execute("SELECT value FROM meta WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else default

    def set_meta(self, name: str, value: str) -> None:
        """Store a named value."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def next_number(self, name: str, first: int = 1) -> int:
        """Return the next number of a named sequence."""
        with self.transaction():
            number = int(self.meta(f"sequence.{name}", str(first - 1))) + 1
            self.set_meta(f"sequence.{name}", str(number))
            return number

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._connection.close()


# Properties that Kaltura keeps in files: nothing happens to their text.
_FILES = frozenset({"dataContent", "xml", "xsd", "url"})
_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")


def _fit(value: Any) -> Any:
    """Return a value as a database with three bytes a character keeps it."""
    if isinstance(value, str):
        return value if value.isascii() else _FOUR_BYTES.sub("????", value)
    if isinstance(value, list):
        return [_fit(item) for item in value]
    return {name: _fit(item) for name, item in value.items()} if isinstance(value, dict) else value


class Table:
    """Records kept as JSON under an id, with the columns that queries need beside it.

    What is stored is what Kaltura's database keeps: four-byte characters become ``????``.

    :param columns: column name -> what to store: a property name or a function of the record.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        columns: Mapping[str, str | Callable[[Record], Any]] | None = None,
        indexes: Iterable[str] = (),
    ) -> None:
        self._db, self.name = database, name
        self._columns = dict(columns or {})
        # Kaltura's database compares ids without regard to case.
        extra = "".join(f", {column} COLLATE NOCASE" for column in self._columns)
        database.execute(
            f"CREATE TABLE IF NOT EXISTS {name} "
            f"(id COLLATE NOCASE PRIMARY KEY{extra}, data TEXT NOT NULL) WITHOUT ROWID"
        )
        for index in indexes:
            slug = "".join(letter if letter.isalnum() else "_" for letter in index)
            database.execute(f"CREATE INDEX IF NOT EXISTS {name}_{slug} ON {name} ({index})")
        places = ", ".join("?" * (len(self._columns) + 2))
        self._insert = f"INSERT OR REPLACE INTO {name} VALUES ({places})"  # noqa: S608 - our own table names

    def as_stored(self, record: Record) -> Record:
        """Return what will be read back of a record."""
        return {name: value if name in _FILES else _fit(value) for name, value in record.items()}

    def put(self, record: Record) -> Record:
        """Store a record under its ``id``; returns it as it was given, which is what a reply echoes."""
        stored = self.as_stored(record)
        values = [
            stored.get(source) if isinstance(source, str) else source(stored) for source in self._columns.values()
        ]
        data = json.dumps(stored, separators=(",", ":"))
        self._db.execute(self._insert, (record["id"], *values, data))
        return record

    def get(self, key: str | int) -> Record | None:
        """Return the record of an id, or None."""
        rows = self._db.execute(f"SELECT data FROM {self.name} WHERE id = ?", (key,))  # noqa: S608
        return json.loads(rows[0][0]) if rows else None

    def change(self, key: str | int, **changes: Any) -> Record | None:
        """Set properties of a stored record in one step; return None if it does not exist."""
        with self._db.transaction():
            record = self.get(key)
            return None if record is None else self.put({**record, **changes})

    def delete(self, key: str | int) -> None:
        """Delete a record."""
        self._db.execute(f"DELETE FROM {self.name} WHERE id = ?", (key,))  # noqa: S608

    def find(
        self, where: str = "1", params: Sequence[Any] = (), *, order: str = "id", limit: int = -1, offset: int = 0
    ) -> list[Record]:
        """Return records that match an SQL condition over the declared columns."""
        sql = f"SELECT data FROM {self.name} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
        return [json.loads(data) for (data,) in self._db.execute(sql, (*params, limit, offset))]

    def first(self, where: str, params: Sequence[Any] = (), *, order: str = "id") -> Record | None:
        """Return the first record that matches, or None."""
        found = self.find(where, params, order=order, limit=1)
        return found[0] if found else None

    def count(self, where: str = "1", params: Sequence[Any] = ()) -> int:
        """How many records match."""
        return int(self._db.execute(f"SELECT COUNT(*) FROM {self.name} WHERE {where}", params)[0][0])  # noqa: S608
