"""What a backfill from the board says before it starts, and what it starts."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from history import History, arrived, failed

if TYPE_CHECKING:
    from conftest import Api

NEWS = "kaltura_feed_news"
FIRST = dt.date(2026, 3, 1)
RANGE = {"dag_id": NEWS, "first": "2026-03-01", "last": "2026-03-03"}


@pytest.fixture(autouse=True)
def no_backfills(history: History) -> Iterator[None]:
    from airflow.models.backfill import Backfill
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    yield
    history.clear()
    with create_session() as session:
        session.execute(delete(Backfill))


def said(text: str) -> str:
    """Return the words of a fragment."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def planned(api: Api, **form: Any) -> str:
    reply = api.post("backfill-plan", **{**RANGE, **form})
    assert reply.status_code == 200, reply.text
    return str(reply.text)


def dry_runs(history: History) -> list[Any]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        return list(session.query(DagRun).filter_by(dag_id=NEWS, run_type="manual"))


def size_address(text: str) -> str:
    (found,) = re.findall(r'hx-get="(backfill-size[^"]+)"', text)
    return html.unescape(found)


def test_the_windows_are_counted_before_anything_starts(api: Api, history: History) -> None:
    history.run("news", FIRST, assets=[arrived("s3://media/a.mp4", 1)])
    history.run("news", FIRST + dt.timedelta(days=1), failures=[failed("s3://media/b.mp4")])
    words = said(planned(api))
    assert words.startswith("1 window runs of 3")
    assert "2 have run and stay as they are" in words
    assert said(planned(api, again="failed")).startswith("2 windows run of 3")
    assert said(planned(api, again="completed")).startswith("3 windows run,")
    runs = dry_runs(history)
    assert [run.conf for run in runs][-1] == {"date": "2026-03-01", "until": "2026-03-03", "dry_run": True}
    assert len(runs) == 3


def test_days_that_are_done_are_said_to_be(api: Api, history: History) -> None:
    for number in range(3):
        history.run("news", FIRST + dt.timedelta(days=number), assets=[arrived("s3://media/a.mp4", 1)])
    text = planned(api)
    assert "All 3 windows have run" in text
    assert "Start" not in text
    assert "None of the 3 windows failed" in planned(api, again="failed")
    assert dry_runs(history) == []


@pytest.mark.parametrize(
    ("form", "code", "words"),
    [
        ({"first": "2199-01-01", "last": "2199-01-02"}, 200, "No window of news that begins on these days has ended"),
        ({"first": "2026-03-03", "last": "2026-03-01"}, 422, "is before the first, 2026-03-03"),
        ({"first": "2015-01-01", "last": "2026-03-01"}, 422, "more than 2,000 windows"),
        ({"last": "9999-12-31"}, 422, "The days are not between 1970 and 2999"),
        ({"again": "sometimes"}, 422, "again"),
    ],
    ids=["future", "swapped", "long", "far", "again"],
)
def test_days_that_cannot_be_used_are_named(api: Api, history: History, form: Any, code: int, words: str) -> None:
    reply = api.post("backfill-plan", **{**RANGE, **form})
    assert reply.status_code == code
    assert words in said(reply.text)


def test_the_dry_run_says_what_the_windows_bring_in(api: Api, history: History) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    history.run("news", FIRST, assets=[arrived("s3://media/a.mp4", 1)])
    address = size_address(planned(api))
    path, _, query = address.partition("?")
    waiting = api.client.get(f"/kaltura/{address}", headers=api.headers("user")).text
    assert "hx-trigger" in waiting
    (run,) = dry_runs(history)
    counted = {"items": 9, "bytes": 1000, "unknown_sizes": 0, "problem": None}
    rows = [{"window": f"2026-03-0{day}T00:00:00+00:00", "to_bring": day, **counted} for day in (1, 2, 3)]
    result = {"dry_run": True, "plan": {"new": 6}, "rows": [], "windows": rows}
    XComModel.set("return_value", result, dag_id=NEWS, task_id="summary", run_id=run.run_id)
    with create_session() as session:
        session.get(DagRun, run.id).state = "success"
    text = api.client.get(f"/kaltura/{path}?{query}", headers=api.headers("user")).text
    # Without the window that does not run again.
    assert "To bring in: 5 items, 2.0 kB" in said(text)
    assert "hx-trigger" not in text
    assert "2026-03-03T00:00:00+00:00" in api.get("run", dag_id=NEWS, run_id=run.run_id).text


def test_a_backfill_starts_and_leads_to_its_windows(api: Api, history: History) -> None:
    history.run("news", FIRST, assets=[arrived("s3://media/a.mp4", 1)])
    reply = api.post("backfill", **RANGE)
    assert reply.status_code == 200, reply.text
    assert reply.headers["HX-Redirect"] == f"feed?dag_id={NEWS}&month=2026-03#windows-title"
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        runs = session.query(DagRun).filter_by(dag_id=NEWS, run_type="backfill").all()
        assert sorted(str(run.logical_date.date()) for run in runs) == ["2026-03-02", "2026-03-03"]
        assert {run.triggering_user_name for run in runs} == {"user"}
    text = api.get("feed", dag_id=NEWS, month="2026-03").text
    assert text.count('<span class="state">waiting</span>') == 2
    assert text.count('<span class="state">done</span>') == 1
    assert "is under way, and Airflow runs one at a time" in planned(api)
    again = api.post("backfill", **RANGE)
    assert again.status_code == 409
    assert "already a running backfill" in again.text


def test_a_feed_of_hours_is_planned_by_hours(api: Api, stored_feeds: History) -> None:
    stored_feeds.feeds("hours", schedule="@hourly", timezone="Europe/Berlin")
    text = planned(api, dag_id="kaltura_feed_hours", last="2026-03-01")
    assert said(text).startswith("24 windows run,")
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        (run,) = session.query(DagRun).filter_by(dag_id="kaltura_feed_hours").all()
        assert (run.conf["date"], run.conf["until"]) == ("2026-03-01T00:00:00+01:00", "2026-03-01T23:00:00+01:00")
