"""A run that misses its deadline calls the notifiers of the feed that are for this."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest
from airflow.sdk import BaseNotifier

from kaltura_provider.feeds.folder import build_files
from kaltura_provider.feeds.outcome.late import notify_late

DUE = dt.datetime(2024, 3, 2, 2, 0, 0, 5, tzinfo=dt.UTC)
LATE = "kaltura_feed_news scheduled__1: late: it was due at 2024-03-02 02:00:00 UTC, and it is still running"


class Heard(BaseNotifier):
    template_fields = ("text",)
    said: ClassVar[list[tuple[str, bool]]] = []

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text

    def _hear(self) -> None:
        if self.text == "fail":
            raise ConnectionError("no such host")
        self.said.append((self.text, threading.current_thread() is threading.main_thread()))


class Blocking(Heard):
    def notify(self, context: Any) -> None:
        self._hear()


class Waiting(Heard):
    async def async_notify(self, context: Any) -> None:
        self._hear()


def one(kind: type[Heard], text: str) -> dict[str, Any]:
    return {"notifier": f"{__name__}.{kind.__name__}", "arguments": {"text": text}}


def context(**run: Any) -> dict[str, Any]:
    said = {"dag_id": "kaltura_feed_news", "dag_run_id": "scheduled__1", "run_type": "scheduled", "state": "running"}
    return {"dag_run": {**said, **run}, "deadline": {"id": "1", "deadline_time": DUE}}


@pytest.fixture(autouse=True)
def said() -> list[tuple[str, bool]]:
    Heard.said.clear()
    return Heard.said


def test_each_notifier_is_called_without_blocking_the_triggerer(said: list[tuple[str, bool]]) -> None:
    chosen = [one(Blocking, "{{ run_message }}"), one(Waiting, "{{ run_note }} ({{ dag_run.run_type }})")]
    asyncio.run(notify_late(chosen, context()))
    assert said == [(LATE, False), (f"{LATE} (scheduled)", True)]


def test_a_notifier_that_fails_is_named_and_the_others_are_called(said: list[tuple[str, bool]]) -> None:
    chosen = [one(Waiting, "fail"), one(Blocking, "fail"), one(Waiting, "x")]
    with pytest.raises(RuntimeError, match=r"Waiting, .*Blocking failed; the log of the triggerer says why"):
        asyncio.run(notify_late(chosen, context()))
    assert said == [("x", True)]


def test_no_run_of_a_backfill_is_late(said: list[tuple[str, bool]]) -> None:
    asyncio.run(notify_late([one(Waiting, "x")], context(run_type="backfill")))
    assert said == []


def test_a_feed_gives_its_runs_the_deadline(tmp_path: Path) -> None:
    path = tmp_path / "feed.yaml"
    notify = [
        f"{{notifier: {__name__}.{name}, on: [{on}]}}" for name, on in (("Waiting", "late"), ("Blocking", "failure"))
    ]
    path.write_text(
        "name: news\nstart_date: 2024-03-01\nsource: {uri: s3://media/news/}\ndeadline: PT2H\n"
        f"notify: [{', '.join(notify)}]\n"
    )
    built = build_files([path])
    assert built.problems == []
    (deadline,) = built.dags[0].deadline
    assert deadline.interval == dt.timedelta(hours=2)
    (told,) = deadline.callback.kwargs["notifications"]
    assert told["notifier"] == f"{__name__}.Waiting"
    path.write_text(path.read_text().replace("[late]", "[success]").replace("Waiting", "Blocking"))
    assert "has no notifier for late runs" in str(build_files([path]).problems[0])
