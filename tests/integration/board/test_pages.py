"""What the pages of the board show."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import re
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from history import History, arrived, failed

from kaltura_sandbox import Sandbox

if TYPE_CHECKING:
    from conftest import Api

TODAY = dt.datetime.now(dt.UTC).date()
NEWS = "kaltura_feed_news"
EVIL = "<script>alert(1)</script>.mp4"
KS = "djJ8MTAyfHNlY3JldHNlY3JldHNlY3JldHNlY3JldHNlY3JldHNlY3JldA=="
# What a page may hold of these: nothing.
SECRETS = ("djJ8", "X-Amz-Signature=0a1b", "AKIAIOSFODNN7EXAMPLE", "hunter2")


def day(number: int) -> dt.date:
    """Return a day so many days ago, at least two: its run has ended."""
    return TODAY - dt.timedelta(days=number + 2)


def texts(api: Api, run_id: str) -> dict[str, str]:
    """Return every page that shows a run."""
    pages = {
        "board": api.get("board", user="user"),
        "now": api.get("now"),
        "run": api.get("run", user="user", dag_id=NEWS, run_id=run_id),
        "feeds": api.get("feeds"),
        "feed": api.get("feed", user="user", dag_id=NEWS),
        "windows.csv": api.get("windows.csv", dag_id=NEWS),
    }
    assert {name: page.status_code for name, page in pages.items()} == dict.fromkeys(pages, 200)
    return {name: page.text for name, page in pages.items()}


def test_foreign_text_is_text_everywhere(api: Api, history: History) -> None:
    uri = f"s3://media/{EVIL}"
    bad = [failed(uri, reason=f"cannot read {EVIL} \u202egpj", step=EVIL)]
    run = history.run("news", day(0), assets=[arrived(uri, 1, name=EVIL, flavors=[EVIL])], failures=bad)
    going = history.run("news", day(-1), state="running")
    history.uploading("news", going, {"name": EVIL, "bytes": 1, "size": 2, "percent": 50, "rate": 1, "seconds_left": 1})
    for name, text in texts(api, run).items():
        assert "<script>alert" not in text, name
        assert "\u202e" not in text, name
    assert html.escape(EVIL) in api.get("board").text
    assert html.escape(EVIL) in api.get("now").text
    assert html.escape(EVIL) in api.get("board", q=EVIL, feed=EVIL, state=EVIL, since=EVIL[:10]).text


def test_addresses_that_are_scripts_are_left_out(api: Api, history: History) -> None:
    urls = {f"{name}_url": "javascript:alert(1)" for name in ("console", "playback", "thumbnail", "source")}
    history.run("news", day(0), assets=[arrived("s3://media/a.mp4", 1, **urls)])
    assert "javascript:" not in api.get("board").text


def test_no_secret_is_on_a_page(api: Api, history: History) -> None:
    reason = (
        f"GET https://kaltura.example/ks/{KS}/x failed; see https://s3.example/k?X-Amz-Signature=0a1b&"
        "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE and https://joe:hunter2@example.com/"
    )
    run = history.run("news", day(0), assets=[arrived("s3://media/a.mp4", 1)], failures=[failed("s3://b/c", reason)])
    for name, text in texts(api, run).items():
        for secret in SECRETS:
            assert secret not in text, (name, secret)


def test_a_page_may_load_only_what_it_shows(api: Api, history: History) -> None:
    history.run("news", day(0), assets=[arrived("s3://media/a.mp4", 1, host="https://cdn.example; script-src *")])
    history.run("news", day(1), assets=[arrived("s3://media/a.mp4", 1, host="https://cdn.example")])
    headers = api.get("board").headers
    rules = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["form-action"] == "'self'"
    assert rules["img-src"] == "'self' https://cdn.example"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_a_failure_has_its_step_reason_and_advice(api: Api, history: History) -> None:
    failures = [
        failed("s3://media/gone.mp4", "the object is gone"),
        failed("s3://media/bad.mp4", "this is not a movie", retry_helps=False),
    ]
    history.run("news", day(0), failures=failures)
    text = api.get("board", user="user").text
    rows = {name: row for row in text.split("<tr>") for name in ("gone.mp4", "bad.mp4") if f"{name}</span>" in row}
    assert "the object is gone" in rows["gone.mp4"]
    assert " checked" in rows["gone.mp4"]
    assert "fix it first" in rows["bad.mp4"]
    assert " checked" not in rows["bad.mp4"]


def test_what_a_later_run_repaired_is_not_failed(api: Api, history: History) -> None:
    history.run("news", day(2), failures=[failed("s3://media/a.mp4"), failed("s3://media/b.mp4")])
    history.run("news", day(1), assets=[arrived("s3://media/a.mp4", 1, new=False)])
    history.run("archive", day(0), assets=[arrived("s3://media/b.mp4", 2)])
    text = api.get("board", state="failed").text
    assert "a.mp4" not in text
    assert "b.mp4" in text


def test_every_task_of_a_run_leads_to_the_board(api: Api, history: History) -> None:
    run = history.run("news", day(0), state="running")
    for task in ("discover", "batch.ingest", "batch.ready", "summary"):
        place = f"/api/v2/dags/{NEWS}/dagRuns/{run}/taskInstances/{task}/links"
        index = 0 if task.startswith("batch.") else -1
        reply = api.client.get(place, params={"map_index": index}, headers=api.headers("viewer"))
        link = reply.json()["extra_links"]["Board"]
        # Airflow's page adds its own address, with the path below which it is served.
        assert link == f"dags/{NEWS}/runs/{quote(run, safe='')}/plugin/kaltura-run", task


def test_the_operators_that_lead_to_the_board_exist() -> None:
    from kaltura_provider.board.link import OPERATORS

    for module, name in OPERATORS.items():
        assert getattr(import_module(module), name).__module__ == module


def test_a_run_without_a_summary_says_why_it_failed(api: Api, history: History) -> None:
    from airflow.models.xcom import XComModel

    run = history.run("news", day(0), state="failed")
    failure = {"reason": "the bucket does not exist", "retry_helps": False, "map_index": -1}
    XComModel.set("kaltura_failure", failure, dag_id=NEWS, task_id="discover", run_id=run)
    history.run("archive", day(0), state="failed")
    text = api.get("board").text
    assert "The whole run" in text
    assert "the bucket does not exist" in text
    assert "logs say why" in text


def test_filters(api: Api, history: History) -> None:
    history.run("news", day(0), assets=[arrived("s3://media/n/evening.mp4", 1), arrived("s3://media/n/sports.mp4", 2)])
    history.run("archive", day(0), assets=[arrived("s3://media/a/1999.mp4", 3)])
    history.run("archive", day(50), assets=[arrived("s3://media/a/1950.mp4", 4)])

    def shown(**query: Any) -> set[str]:
        return set(re.findall(r'<h3 class="name" title="([^"]+)"', api.get("board", **query).text))

    assert shown() == {"evening.mp4", "sports.mp4", "1999.mp4"}
    assert shown(feed=NEWS) == {"evening.mp4", "sports.mp4"}
    assert shown(q="SPORT") == {"sports.mp4"}
    assert shown(q="0_00000003") == {"1999.mp4"}
    assert shown(since=day(60).isoformat()) == {"evening.mp4", "sports.mp4", "1999.mp4", "1950.mp4"}
    assert shown(since=day(60).isoformat(), until=day(40).isoformat()) == {"1950.mp4"}
    assert shown(state="failed") == set()
    assert shown(since="nonsense", page=999) == {"evening.mp4", "sports.mp4", "1999.mp4"}


def test_pages_of_many_items(api: Api, history: History) -> None:
    history.run("news", day(0), assets=[arrived(f"s3://media/{n:03}.mp4", n) for n in range(1, 51)])
    history.run("archive", day(1), assets=[arrived(f"s3://media/{n:03}.mp4", n) for n in range(51, 61)])
    seen: list[str] = []
    for page in (1, 2, 3):
        text = api.get("board", page=page).text
        assert f"Page {page} of 3" in text
        seen += re.findall(r'<h3 class="name" title="([^"]+)"', text)
    assert seen == [f"{n:03}.mp4" for n in range(1, 61)]
    assert re.findall(r'<h3 class="name" title="([^"]+)"', api.get("board", page=2, q=".mp4").text) == seen[24:48]


def test_totals(api: Api, history: History) -> None:
    history.run("news", day(0), assets=[arrived("s3://m/a.mp4", 1, size=10**9, duration=5400)])
    history.run("news", day(1), assets=[arrived("s3://m/b.mp4", 2, size=10**9, duration=1800, new=False)])
    history.run("archive", day(1), assets=[arrived("s3://m/c.mp4", 3, size=10**8)], failures=[failed("s3://m/d.mp4")])
    text = api.get("board").text
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", text))
    assert tiles == {"Arrived": "2", "Bytes": "1.1 GB", "Hours of media": "1.5", "To repair": "1"}
    bars = re.findall(r"<title>([^<]+)</title></rect>", text)
    ended = [(day(number) + dt.timedelta(days=1)).isoformat() for number in (0, 1)]
    assert f"{ended[0]}, news: 1.0 GB" in bars
    assert f"{ended[1]}, archive: 100.0 MB" in bars
    assert len(bars) == 2 + 2 + 2 + 1


def test_windows_as_calendar_and_table(api: Api, history: History) -> None:
    done = dt.date(2026, 3, 31)
    history.run("news", done, assets=[arrived("s3://m/a.mp4", 1), arrived("s3://m/b.mp4", 2, new=False)])
    history.run("news", done - dt.timedelta(days=1), assets=[], failures=[failed("s3://m/c.mp4")])
    history.run("news", dt.date(2026, 4, 1), state="running")
    march = api.get("feed", dag_id=NEWS, month="2026-03").text
    # The window is dated by the day that it ingests, not by the day that it runs.
    assert "2026-03-31 00:00: 2 found, 1 ingested, 1 there before, 0 failed" in march
    assert march.count('class="window failed"') == 1
    assert "March 2026" in march
    assert 'class="window running"' in api.get("feed", dag_id=NEWS).text
    rows = list(csv.DictReader(io.StringIO(api.get("windows.csv", dag_id=NEWS).text)))
    assert [(row["window"][:10], row["state"], row["found"], row["failed"]) for row in rows] == [
        ("2026-04-01", "running", "0", "0"),
        ("2026-03-31", "done", "2", "0"),
        ("2026-03-30", "failed", "1", "1"),
    ]


def test_a_large_run_is_counted_in_full(api: Api, history: History) -> None:
    result = {
        "assets": [arrived("s3://media/a.mp4", 1)],
        "failed": [failed("s3://media/b.mp4")],
        "failed_count": 10_000,
        "new": 2_345,
        "new_bytes": 7_000_000_000,
        "new_seconds": 9 * 3600,
        "found": 3,
        "left_out": {},
    }
    run = history.run("news", day(0), result=result, state="failed")
    found = texts(api, run)
    assert "<dd>2,345</dd>" in found["run"]
    assert "<dd>10,000</dd>" in found["run"]
    assert "These are 1 of 10,000, of as many batches as possible" in found["run"]
    assert "These are 1 of 2,345" in found["run"]
    for shown in ("<dd>2,345</dd>", "<dd>7.0 GB</dd>", "<dd>9.0</dd>"):
        assert shown in found["board"]
    assert ",12348,2345,3,10000,0,7000000000," in found["windows.csv"]


@pytest.mark.parametrize("result", [{"failed": 3}, {"assets": [{"new": True}]}, {"left_out": [1]}, {"new": "many"}])
def test_another_result_of_a_task_of_this_name_hides_no_run(api: Api, history: History, result: dict[str, Any]) -> None:
    history.run("archive", day(1), result=result)
    run = history.run("news", day(0), assets=[arrived("s3://media/a.mp4", 1)])
    assert "a.mp4" in texts(api, run)["board"]


@pytest.mark.parametrize("chosen", ["0001-01-01T00:00:00+14:00", "9999-12-31", "x"])
def test_a_date_that_no_calendar_has_hides_no_window(chosen: str) -> None:
    from kaltura_provider.board.calendar import windows
    from kaltura_provider.board.records import Run

    now = dt.datetime.now(dt.UTC)
    run = Run(1, NEWS, "manual", chosen, "", "failed", (now, now), now)
    assert windows([run], "America/New_York") == []


def test_a_new_run_is_shown_at_once(api: Api, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    from kaltura_provider.board.records import RECORDS

    monkeypatch.setattr(RECORDS, "interval", 60.0)
    assert api.get("board").status_code == 200
    run = history.run("news", day(0), state="running")
    assert api.get("run", dag_id=NEWS, run_id=run).status_code == 200
    assert api.get("run", dag_id=NEWS, run_id="unknown").status_code == 404


def test_the_page_of_a_run_is_loaded_again_when_the_run_has_ended(api: Api, history: History) -> None:
    going = history.run("news", day(0), state="running")
    ended = history.run("news", day(1), assets=[arrived("s3://media/a.mp4", 1, host="https://cdn.example")])
    refresh = {**api.headers("viewer"), "HX-Request": "true"}
    for run, again in ((going, None), (ended, "true")):
        reply = api.client.get("/kaltura/run", params={"dag_id": NEWS, "run_id": run}, headers=refresh)
        # A page cannot loosen its policy, which lets it load only what it showed at first.
        assert reply.headers.get("HX-Refresh") == again
    assert "HX-Refresh" not in api.get("run", dag_id=NEWS, run_id=ended).headers


def test_a_dry_run_shows_its_plan(api: Api, history: History) -> None:
    row = {"uri": "s3://m/a.mp4", "name": EVIL, "decision": "new", "bytes": 2_500_000, "entry_id": None, "reason": ""}
    run = history.run("news", day(0), result={"dry_run": True, "plan": {"new": 1}, "rows": [row]})
    text = api.get("run", dag_id=NEWS, run_id=run).text
    assert "nothing has been moved" in text
    assert html.escape(EVIL) in text
    assert "2.5 MB" in text
    assert 'class="window planned"' in api.get("feed", dag_id=NEWS).text


def test_the_feed_as_it_was_read(api: Api, history: History) -> None:
    text = api.get("feed", dag_id=NEWS).text
    assert "s3://media/news/{{ data_interval_start | ds }}/" in text
    assert "Films of news" in text
    assert "has not run yet" in text
    assert "params." not in text
    listed = api.get("feeds").text
    assert "kaltura_feed_archive" in listed
    assert "kaltura_ingest" not in listed


def test_problems_of_feeds_are_shown(api: Api, history: History) -> None:
    bad = history.folder / "bad.yaml"
    bad.write_text(
        "name: bad\nstart_date: 2026-01-01\nschedule: sometimes\nsource: {type: s3_prefix, uri: 's3://b/'}\n"
    )
    try:
        history.store()
        assert "schedule" in api.get("feeds").text.partition("Feeds that cannot run")[2]
    finally:
        bad.unlink()
        history.store()


def test_uploads_with_progress(api: Api, history: History) -> None:
    run = history.run("news", day(-1), state="running", batches=2)
    said = {
        "name": "a.mp4",
        "bytes": 250_000_000,
        "size": 10**9,
        "percent": 25.0,
        "rate": 12_500_000,
        "seconds_left": 60,
    }
    history.uploading("news", run, said)
    text = api.get("now").text
    assert '<progress max="100" value="25.0"' in text
    assert "250.0 MB of 1.0 GB (25 %)" in text
    assert "12.5 MB/s" in text
    assert "1 min 0 s left" in text
    assert "Nothing is under way" not in text


def test_what_kaltura_is_working_on(
    api: Api, history: History, kaltura_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kaltura_provider.board import activity
    from kaltura_provider.board.entries import Entries
    from kaltura_provider.hooks.kaltura import KalturaHook

    entries = Entries(interval=60)
    monkeypatch.setattr(activity, "ENTRIES", entries)
    made = [KalturaHook().call("media", "add", entry={"mediaType": 1, "name": name})["id"] for name in ("one", "two")]
    run = history.run("news", day(-1), state="running", batches=2)
    history.waiting("news", run, [{"uri": "s3://m/one.mp4", "entry_id": made[0]}], minutes=1)
    history.waiting("news", run, [{"uri": "s3://m/two.mp4", "entry_id": made[1]}], minutes=45, map_index=1)
    before = len(reads(kaltura_sandbox))
    for user in ("viewer", "user", "admin"):
        text = api.get("board", user=user).text
    assert len(reads(kaltura_sandbox)) == before + 1  # whoever looks, one call
    rows = {name: row for row in text.split("<tr") for name in ("one", "two") if f">{name}</span>" in row}
    assert "NO_CONTENT" in rows["one"]
    assert "stuck" not in rows["one"]
    assert "It may be stuck" in rows["two"]
    assert "nothing was attached" in rows["two"]


def test_a_kaltura_that_does_not_answer_is_named(api: Api, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    from kaltura_provider.board import activity
    from kaltura_provider.board.entries import Entries

    monkeypatch.setattr(activity, "ENTRIES", Entries())
    monkeypatch.setenv(
        "AIRFLOW_CONN_KALTURA_DEFAULT",
        '{"conn_type": "kaltura", "host": "http://127.0.0.1:9", "login": "102", "password": "hunter2hunter2"}',
    )
    run = history.run("news", day(-1), state="running")
    history.waiting("news", run, [{"uri": "s3://m/one.mp4", "entry_id": "0_aaaaaaaa"}], minutes=1)
    began = time.monotonic()
    text = api.get("board").text
    assert time.monotonic() - began < 20
    assert "Kaltura cannot be asked" in text
    assert "one.mp4" in text
    assert "hunter2" not in text


def test_each_run_is_looked_up_with_its_own_connection(
    api: Api, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    from kaltura_provider.board import activity, dags
    from kaltura_provider.board.entries import Entries

    asked: dict[str, frozenset[str]] = {}

    class Recorder(Entries):
        def _read(self, conn_id: str, wanted: frozenset[str]) -> dict[str, Any]:
            asked[conn_id] = wanted
            return {}

    chosen = SimpleNamespace(task_dict={"summary": SimpleNamespace(kaltura_conn_id="{{ params.kaltura_conn_id }}")})
    monkeypatch.setattr(dags, "dag_of", lambda dag_id, session: chosen)
    monkeypatch.setattr(activity, "ENTRIES", Recorder())
    for number, conn_id in enumerate(("first", "second")):
        run = history.run("news", day(number), state="running")
        history.waiting("news", run, [{"uri": f"s3://m/{conn_id}.mp4", "entry_id": f"0_{conn_id}"}], minutes=1)
        with create_session() as session:
            session.query(DagRun).filter_by(dag_id=NEWS, run_id=run).one().conf = {"kaltura_conn_id": conn_id}
    assert api.get("now").status_code == 200
    assert asked == {"first": {"0_first"}, "second": {"0_second"}}


def reads(sandbox: Sandbox) -> list[Any]:
    return [call for call in sandbox.control.log() if call["call"].lower() == "baseentry.getbyids"]
