"""The plan of a range of dates equals what the runs of these dates then do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from kaltura_provider.feeds.dag import feed_dag
from kaltura_provider.feeds.feed_plan import plan_feed, windows_of
from kaltura_provider.feeds.planning.plan import Plan
from kaltura_provider.feeds.planning.window_plans import plan_chosen_range
from kaltura_provider.feeds.schema import Feed
from kaltura_provider.feeds.tasks.discover import KalturaDiscoverOperator

DAY = "{{ data_interval_start | ds }}"


def feed_of(deployment, **fields: object) -> Feed:
    source = {"uri": f"s3://media/{deployment.folder.name}/{DAY}/", "include": "*.mp4"}
    values = {"name": "planned", "start_date": "2024-03-01", "source": source, **fields}
    deployment.feed(**values)
    return Feed.model_validate(values)


def test_a_range_is_planned_window_by_window(deployment, clips, tmp_path) -> None:
    feed = feed_of(deployment)
    for day in (1, 2, 4):
        deployment.put(f"2024-03-0{day}/clip.mp4", clips["clip-1.mp4"])
    deployment.put("2024-03-02/notes.txt", b"text")
    deployment.put("2024-03-02/second.mp4", clips["clip-2.mp4"])
    size = len(clips["clip-1.mp4"])
    before = plan_feed(feed, date(2024, 3, 1), date(2024, 3, 3))
    assert [(row["window"][:10], row["items"], row["to_bring"], row["bytes"]) for row in before.summary_rows()] == [
        ("2024-03-01", 1, 1, size),
        ("2024-03-02", 2, 2, size + len(clips["clip-2.mp4"])),
        ("2024-03-03", 0, 0, 0),
    ]
    assert before.counts == {"new": 3, "ignored": 1}
    assert deployment.held() == {}

    dag = deployment.feed(**feed.model_dump(mode="json", exclude_unset=True))
    ran = deployment.run(dag, datetime(2024, 3, 2, tzinfo=UTC))  # ends the 1st of March
    assert ran.state == "success", ran.states
    after = plan_feed(feed, date(2024, 3, 1), date(2024, 3, 2))
    assert (after.items, after.to_bring, after.problems) == (3, 2, {})
    (there,) = [row for row in after.rows() if row["decision"] == "already there"]
    assert there["window"] == "2024-03-01T00:00:00+00:00"
    assert there["entry_id"] == ran.summary["assets"][0]["entry_id"]


def test_what_is_wrong_with_one_window_does_not_hide_the_others(deployment, clips) -> None:
    deployment.put("2024-03-01/clip.mp4", clips["clip-1.mp4"])
    bucket = "{{ 'media' if data_interval_start.day == 1 else 'nowhere' }}"
    uri = f"{bucket}/{deployment.folder.name}/{DAY}/"
    feed = feed_of(deployment, source={"uri": "s3://b/x/"})
    feed = feed.model_copy(update={"source": feed.source.model_copy(update={"uri": f"s3://{uri}"})})
    plan = plan_feed(feed, date(2024, 3, 1), date(2024, 3, 2))
    assert (plan.to_bring, list(plan.problems)) == (1, ["2024-03-02T00:00:00+00:00"])
    assert "nowhere" in plan.problems["2024-03-02T00:00:00+00:00"]


def test_what_has_appeared_is_planned_by_when_it_was_modified(deployment, clips) -> None:
    deployment.put("in/clip.mp4", clips["clip-1.mp4"])
    source = {"type": "s3_new", "uri": f"s3://media/{deployment.folder.name}/in/"}
    feed = feed_of(deployment, source=source)
    today = datetime.now(UTC).date()
    assert plan_feed(feed, date(2024, 3, 1)).to_bring == 0
    assert plan_feed(feed, today).to_bring == 1


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25)], ids=["spring", "autumn"]
)
def test_windows_follow_the_clock_of_the_feed(day: date, hours: int) -> None:
    values = {"name": "a", "start_date": "2024-01-01", "timezone": "Europe/Berlin", "source": {"uri": "s3://b/"}}
    assert len(windows_of(Feed(**values, schedule="@hourly"), day)) == hours
    (window,) = windows_of(Feed(**values), day)
    assert (window.end - window.start).total_seconds() == hours * 3600
    assert windows_of(Feed(**values, schedule=None), day) == [window]


def test_a_range_must_make_sense() -> None:
    feed = Feed(name="a", start_date="2024-01-01", source={"uri": "s3://b/"}, schedule="@hourly")
    with pytest.raises(ValueError, match="before it begins"):
        windows_of(feed, date(2024, 3, 2), date(2024, 3, 1))
    with pytest.raises(ValueError, match="more than 5,000 windows"):
        windows_of(feed, date(2024, 1, 1), date(2025, 1, 1))


def test_a_dry_run_plans_every_window_of_a_range(deployment, clips, monkeypatch) -> None:
    feed = feed_of(deployment)
    dag = deployment.feed(**feed.model_dump(mode="json", exclude_unset=True))
    for day in (1, 3):
        deployment.put(f"2024-03-0{day}/clip.mp4", clips["clip-1.mp4"])
    ran = deployment.run(dag, date="2024-03-01", until="2024-03-03", dry_run=True)
    assert ran.state == "success", ran.states
    assert deployment.held() == {}
    assert ran.summary["plan"] == {"new": 2}
    assert ran.summary["windows"] == plan_feed(feed, date(2024, 3, 1), date(2024, 3, 3)).summary_rows()
    assert [row["window"][:10] for row in ran.summary["rows"]] == ["2024-03-01", "2024-03-03"]
    assert ran.xcom("summary", "kaltura_note") == "dry run of 3 windows: 2 new"
    monkeypatch.setattr("kaltura_provider.feeds.tasks.discover._MAX_SHOWN", 1)
    ran = deployment.run(dag, date="2024-03-01", until="2024-03-03", dry_run=True, transfer="import")
    assert (ran.summary["plan"], [row["to_bring"] for row in ran.summary["windows"]]) == ({"new": 2}, [1, 0, 1])
    assert [row["transfer"] for row in ran.summary["rows"]] == ["import"]


def test_a_range_knows_what_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Feed(name="a", start_date="2024-01-01", source={"uri": "s3://b/{{ ds }}/"})
    states = []

    def plan(_: KalturaDiscoverOperator, context: Any) -> Plan:
        states.append(context["asset_state_store"])
        return Plan()

    monkeypatch.setattr(KalturaDiscoverOperator, "plan", plan)
    typed = {"date": "2024-03-01", "until": "2024-03-02", "dry_run": True}
    run = SimpleNamespace(run_type="manual")
    context = {"params": typed, "dag_run": run, "dag": feed_dag(feed), "asset_state_store": "state"}
    assert len(list(plan_chosen_range(context, "UTC") or ())) == 2
    plan_feed(feed, date(2024, 3, 1))
    assert states == ["state", "state", None]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"date": "2024-03-01", "until": "2024-03-03"}, "is only for a dry run"),
        ({"until": "2024-03-03", "dry_run": True}, "give the first day"),
        ({"date": "2024-03-03", "until": "2024-03-01", "dry_run": True}, "swap them"),
        ({"date": "2024-03-01", "until": "2024-03-02", "dry_run": True, "only": ["", "a.mp4"]}, "empty it"),
        ({"date": "2015-03-01", "until": "2024-03-01", "dry_run": True}, "more than 2,000 windows"),
    ],
    ids=["not dry", "no first", "swapped", "only", "long"],
)
def test_a_range_that_cannot_be_planned_says_why(typed, words) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    run = SimpleNamespace(run_type="manual")
    context = {"params": typed, "dag_run": run, "dag": SimpleNamespace(timetable=SimpleNamespace(expression="@daily"))}
    with pytest.raises((AirflowFailException, ValueError), match=words):
        plan_chosen_range(context, "UTC")
