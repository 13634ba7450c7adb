"""Reads all that a deployment leaves where somebody may look: files, database, API and pages."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote

import psycopg2
from psycopg2 import sql

__all__ = ["files", "leaks", "pages", "rows"]

SESSION = re.compile(r"djJ8[\w-]{40,}")  # a KS begins with the Base64 of "v2|"
# What a user typed into a form, which Airflow itself stores as it is (docs/security.md).
TYPED = {("dag_run", "conf"), ("log", "extra")}


class Server(Protocol):
    """What answers requests for the API and the pages."""

    def get(self, path: str) -> str:
        """Return the body of an answer with status 200."""


def files(home: Path, without: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield path and content of each file, but for some of the folders and files directly below them."""
    left_out = [home / name for name in without]
    for path in home.rglob("*"):
        if path.is_file() and not any(path.is_relative_to(one) for one in left_out):
            yield str(path.relative_to(home)), path.read_text(errors="replace")


def rows(url: str) -> Iterator[tuple[str, str]]:
    """Yield each row of a database as table and JSON, without what users typed."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("select row_to_json(t) from {} t").format(sql.Identifier(table)))
            for (row,) in cursor.fetchall():
                left = {name: value for name, value in row.items() if not _is_typed(table, name, row)}
                yield table, json.dumps(left)


def _is_typed(table: str, name: str, row: Mapping[str, Any]) -> bool:
    return (table, name) in TYPED and (table != "log" or row["event"] == "trigger_dag_run")


def pages(server: Server, dag_ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield path and body of what the API and the pages show about some DAGs, without what users typed."""
    paths = ["api/v2/assets/events", "api/v2/connections", "api/v2/importErrors", "api/v2/variables", "api/v2/plugins"]
    paths += ["kaltura/board", "kaltura/now", "kaltura/feeds", "ui/dags", "ui/config"]
    for dag_id in dag_ids:
        paths += [f"api/v2/dags/{dag_id}/details", f"ui/grid/runs/{dag_id}", f"kaltura/feed?dag_id={dag_id}"]
        for run in json.loads(server.get(f"api/v2/dags/{dag_id}/dagRuns"))["dag_runs"]:
            yield f"run of {dag_id}", json.dumps({**run, "conf": None})
            run_id = quote(run["dag_run_id"])
            paths.append(f"kaltura/run?dag_id={dag_id}&run_id={run_id}")
            yield from _of_run(server, f"api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances")
    for path in paths:
        yield path, server.get(path)
    events = json.loads(server.get("api/v2/eventLogs?limit=1000"))["event_logs"]
    yield from (("event", json.dumps(one)) for one in events if one["event"] != "trigger_dag_run")


def _of_run(server: Server, path: str) -> Iterator[tuple[str, str]]:
    for task in json.loads(server.get(path))["task_instances"]:
        yield path, json.dumps(task)
        index = f"map_index={task['map_index']}"
        own = f"{path}/{task['task_id']}"
        for entry in json.loads(server.get(f"{own}/xcomEntries?{index}"))["xcom_entries"]:
            yield own, server.get(f"{own}/xcomEntries/{entry['key']}?{index}")
        for number in range(1, task["try_number"] + 1):
            yield own, server.get(f"{own}/logs/{number}?{index}")


def leaks(texts: Iterable[tuple[str, str]], secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return place and name of each secret that a text has, as it is or encoded."""
    found = []
    for place, text in texts:
        shown = {text, unquote(text)}
        for name, secret in secrets.items():
            forms = {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
            if any(form in one for form in forms for one in shown):
                found.append((place, name))
        if SESSION.search(text):
            found.append((place, "KS"))
    return found
