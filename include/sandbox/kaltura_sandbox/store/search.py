"""The search index behind list and count: its rows, its lag, and the SQL a filter becomes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_sandbox.clock import Clock
    from kaltura_sandbox.faults import Faults
    from kaltura_sandbox.store.database import Database, Record
    from kaltura_sandbox.store.query import Query
    from kaltura_sandbox.store.tables import Tables

__all__ = ["SearchIndex", "reference_key", "search_text"]

_COLUMNS: dict[str, str] = {
    "type": "type",
    "media_type": "mediaType",
    "document_type": "documentType",
    "status": "status",
    "moderation_status": "moderationStatus",
    "moderation_count": "moderationCount",
    "display": "displayInSearch",
    "user": "userId",
    "creator": "creatorId",
    "name": "name",
    "created": "createdAt",
    "updated": "updatedAt",
    "start": "startDate",
    "end": "endDate",
    "source_type": "sourceType",
    "replacing": "replacingEntryId",
    "replaced": "replacedEntryId",
    "replacement_status": "replacementStatus",
    "root": "rootEntryId",
    "parent": "parentEntryId",
    "sort_value": "partnerSortValue",
    "duration": "duration",
    "ms_duration": "msDuration",
    "plays": "plays",
    "views": "views",
    "profile": "conversionProfileId",
    "partner_data": "partnerData",
    "access_control": "accessControlId",
}
# Above this many matches an index of the filter costs more than it saves.
_MANY = 1000
_NAME_LENGTH = 256
_COMPUTED = ("reference", "text", "name_lower")


def reference_key(text: str) -> str:
    """Return what ``referenceId`` is compared by: trimmed, ASCII letters in lower case."""
    return re.sub(r"[A-Z]+", lambda found: found.group().lower(), text.strip())


def search_text(entry: Record) -> str:
    """Return what the search index reads of an entry, as ``searchText`` shows it."""
    kind = entry["mediaType"] if entry.get("mediaType") is not None else entry.get("documentType", -1)
    words = " ".join(word for word in (entry["name"], entry.get("tags"), entry.get("description")) if word)
    words = re.sub(r'["\n\r]', "", words)
    scope = "_NONE_" if entry.get("displayInSearch") == -1 else "_PAR_ONLY_"
    tail = f"{words} {entry.get('adminTags') or ''}" if words else entry.get("adminTags") or ""
    return f"{scope} _{entry['partnerId']}_ _MEDIA_TYPE_{kind}|  {tail}"


class SearchIndex:
    """Rows of searchable entry properties; with a lag, changes show only after it has passed."""

    def __init__(self, database: Database, tables: Tables, clock: Clock, faults: Faults, lag: float) -> None:
        self._db, self._tables, self._clock, self._faults = database, tables, clock, faults
        self.lag = lag
        columns = ", ".join(f'"{name}"' for name in (*_COLUMNS, *_COMPUTED))
        key = "id TEXT COLLATE NOCASE UNIQUE"
        database.execute(f"CREATE TABLE IF NOT EXISTS entry_index (seq INTEGER PRIMARY KEY, {key}, {columns})")
        # For filters by id, which read the database and not the index.
        database.execute(f"CREATE TEMP TABLE direct_index (seq INTEGER PRIMARY KEY, {key}, {columns})")
        for index in ("created", "reference", "status, moderation_status, display, type", "user", "updated"):
            name = re.sub(r"\W+", "_", index)
            database.execute(f"CREATE INDEX IF NOT EXISTS entry_index_{name} ON entry_index ({index})")
        for name in ("entry_words", "temp.direct_words"):
            database.execute(
                f"CREATE TABLE IF NOT EXISTS {name} (kind TEXT, word TEXT, seq INTEGER, PRIMARY KEY (kind, word, seq)) "
                "WITHOUT ROWID"
            )
        database.execute("CREATE INDEX IF NOT EXISTS entry_words_seq ON entry_words (seq)")
        database.execute(
            "CREATE TABLE IF NOT EXISTS entry_index_pending (seq INTEGER PRIMARY KEY, due REAL, data TEXT)"
        )
        names = ", ".join(f'"{name}"' for name in ("id", *_COLUMNS, *_COMPUTED))
        places = ", ".join("?" * (1 + len(_COLUMNS) + len(_COMPUTED)))
        updates = ", ".join(f'"{name}" = excluded."{name}"' for name in (*_COLUMNS, *_COMPUTED))
        self._upsert = f"({names}) VALUES ({places}) ON CONFLICT (id) DO UPDATE SET {updates}"

    def index(self, entry: Record) -> None:
        """Record a stored entry, which is found after the lag."""
        if self.lag <= 0 and not self._faults.active("stale_list"):
            self._write("entry_index", "entry_words", entry)
            return
        self._db.execute(
            "INSERT INTO entry_index_pending (due, data) VALUES (?, ?)",
            (self._clock.time() + self.lag, json.dumps(entry)),
        )

    def _write(self, table: str, words: str, entry: Record) -> None:
        # The rest of a longer name is kept beside its column, where no filter looks.
        entry = {**entry, "name": entry["name"][:_NAME_LENGTH]}
        values = [entry.get(source) for source in _COLUMNS.values()]
        values[list(_COLUMNS).index("status")] = str(entry["status"])
        computed = [
            reference_key(entry.get("referenceId") or ""),
            search_text(entry).lower(),
            entry["name"].lower(),
        ]
        self._db.execute(f"INSERT INTO {table} {self._upsert}", (entry["id"], *values, *computed))
        seq = self._db.execute(f"SELECT seq FROM {table} WHERE id = ?", (entry["id"],))[0][0]  # noqa: S608
        self._db.execute(f"DELETE FROM {words} WHERE seq = ?", (seq,))  # noqa: S608
        for kind, word in _words(entry):
            self._db.execute(f"INSERT OR IGNORE INTO {words} VALUES (?, ?, ?)", (kind, word, seq))  # noqa: S608

    def _catch_up(self) -> None:
        """Apply the pending changes whose time has come."""
        if self._faults.active("stale_list"):
            return
        rows = self._db.execute(
            "SELECT seq, data FROM entry_index_pending WHERE due <= ? ORDER BY seq", (self._clock.time(),)
        )
        for seq, data in rows:
            self._write("entry_index", "entry_words", json.loads(data))
            self._db.execute("DELETE FROM entry_index_pending WHERE seq = ?", (seq,))

    def search(self, query: Query, limit: int, offset: int) -> tuple[int, list[Record]]:
        """Return the number of matches and one page of the entries, as the database has them now."""
        with self._db.transaction():
            table, words = self._table_for(query)
            where, params = query.sql(words)
            total = int(self._db.execute(f"SELECT COUNT(*) FROM {table} WHERE {where}", params)[0][0])  # noqa: S608
            # Many matches: walk in the order asked for and stop when the page is full, instead of sorting them all.
            page_where = query.sql(words, broad=True)[0] if total > _MANY else where
            rows = self._db.execute(
                f"SELECT entries.data FROM (SELECT id FROM {table} WHERE {page_where} "  # noqa: S608
                f"ORDER BY {query.order} LIMIT ? OFFSET ?) AS page JOIN entries ON entries.id = page.id",
                (*params, limit, offset),
            )
        return total, [json.loads(data) for (data,) in rows]

    def count(self, query: Query) -> int:
        """Return the number of matches."""
        with self._db.transaction():
            table, words = self._table_for(query)
            where, params = query.sql(words)
            return int(self._db.execute(f"SELECT COUNT(*) FROM {table} WHERE {where}", params)[0][0])  # noqa: S608

    def _table_for(self, query: Query) -> tuple[str, str]:
        self._catch_up()
        if query.ids is None or (self.lag <= 0 and not self._faults.active("stale_list")):
            return "entry_index", "entry_words"
        self._db.execute("DELETE FROM direct_index")
        self._db.execute("DELETE FROM direct_words")
        for entry_id in query.ids:
            if (entry := self._tables.entries.get(entry_id)) is not None:
                self._write("direct_index", "direct_words", entry)
        return "direct_index", "direct_words"

    def rebuild(self) -> None:
        """Index every stored entry again."""
        with self._db.transaction():
            for name in ("entry_index", "entry_words", "entry_index_pending"):
                self._db.execute(f"DELETE FROM {name}")  # noqa: S608
            for entry in self._tables.entries.find():
                self._write("entry_index", "entry_words", entry)


def _words(entry: Record) -> Sequence[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    kinds: dict[str, Any] = {
        "tags": entry.get("tags"),
        "admin_tags": entry.get("adminTags"),
        "categories": entry.get("categories"),
        "categories_ids": entry.get("categoriesIds"),
        "flavors": entry.get("flavorParamsIds") or entry.get("assetParamsIds"),
        "name": entry.get("name"),
    }
    for kind, text in kinds.items():
        for item in (text or "").split(","):
            if whole := item.strip().lower():
                found.add((kind, whole))
                if kind in ("tags", "admin_tags", "name"):
                    found.update((kind, word) for word in whole.split())
    return sorted(found)
