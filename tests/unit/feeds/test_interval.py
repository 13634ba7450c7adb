"""Which interval a run ingests, and the dates that templates see, in the feed's own time zone."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.feeds.dag import feed_dag
from kaltura_provider.feeds.feed_plan import windows_of
from kaltura_provider.feeds.planning.interval import feed_context, run_interval
from kaltura_provider.feeds.schema import Feed

BERLIN = "Europe/Berlin"
ENV = DAG("templates", schedule=None).get_template_env()


def feed(schedule: str | None = "@daily", **fields: Any) -> DAG:
    said = {"name": "news", "start_date": dt.date(2024, 3, 1), "timezone": BERLIN, "source": {"uri": "s3://m/x/"}}
    return feed_dag(Feed.model_validate({**said, "schedule": schedule, **fields}))


def timetable(dag: DAG) -> Any:
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable


def scheduled(dag: DAG) -> list[Any]:
    """Return the intervals that a backfill of the whole feed has."""
    from airflow.timetables.base import TimeRestriction

    cron = timetable(dag)
    restriction = TimeRestriction(earliest=dag.start_date, latest=dag.end_date, catchup=True)
    found: list[Any] = []
    while info := cron.next_dagrun_info(
        last_automated_data_interval=found[-1] if found else None, restriction=restriction
    ):
        found.append(info.data_interval)
    return found


def context(dag: DAG, interval: Any = None, *, date: str | None = None, after: str = "2024-03-05T12:00:00Z") -> Any:
    """Return what a task of a run sees: a scheduled run with an interval, one by hand without."""
    run = SimpleNamespace(
        run_type="scheduled" if interval else "manual",
        data_interval_start=interval and interval.start,
        data_interval_end=interval and interval.end,
        run_after=pendulum.parse(after),
    )
    values = {"dag": dag, "dag_run": run, "params": {"date": date}}
    return values | ({"logical_date": interval.start} if interval else {})


def rendered(template: str, values: Any) -> str:
    return ENV.from_string(template).render(feed_context(values, BERLIN))


@pytest.mark.parametrize(
    ("first", "last"),
    [(dt.date(2024, 3, 30), dt.date(2024, 4, 1)), (dt.date(2024, 10, 26), dt.date(2024, 10, 28))],
    ids=["spring", "autumn"],
)
@pytest.mark.parametrize("schedule", ["@daily", "0 6 * * *"])
def test_a_daily_feed_has_one_run_for_each_local_day_over_a_change_of_the_clock(
    schedule: str, first: dt.date, last: dt.date
) -> None:
    dag = feed(schedule, start_date=first, end_date=last)
    days = [first + dt.timedelta(days=n) for n in range(3)]
    runs = scheduled(dag)
    assert [rendered("{{ data_interval_start | ds }}", context(dag, run)) for run in runs] == [str(d) for d in days]
    assert [rendered("{{ ds }}", context(dag, run)) for run in runs] == [str(day) for day in days]
    hours = [(run.end - run.start).total_seconds() / 3600 for run in runs]
    assert sorted(hours) == ([23, 24, 24] if first.month == 3 else [24, 24, 25])


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (dt.date(2024, 3, 31), ["00", "01", *[f"{n:02}" for n in range(3, 24)]]),
        (dt.date(2024, 10, 27), ["00", "01", "02", *[f"{n:02}" for n in range(2, 24)]]),
        (dt.date(2024, 5, 5), [f"{n:02}" for n in range(24)]),
    ],
)
def test_an_hourly_feed_has_each_hour_of_its_last_day(day: dt.date, hours: list[str]) -> None:
    dag = feed("@hourly", start_date=day, end_date=day)
    runs = scheduled(dag)
    shown = [rendered("{{ data_interval_start.strftime('%Y-%m-%d %H') }}", context(dag, run)) for run in runs]
    assert shown == [f"{day} {hour}" for hour in hours]
    # The hour that comes twice has two names.
    assert len({rendered("{{ ts }}", context(dag, run)) for run in runs}) == len(hours)


def test_every_date_of_a_template_is_local() -> None:
    dag = feed()
    (run, *_) = scheduled(feed(start_date=dt.date(2026, 5, 1), end_date=dt.date(2026, 5, 2)))
    values = context(dag, run) | {"prev_data_interval_start_success": pendulum.datetime(2026, 4, 29, 22)}
    said = "{{ logical_date }}|{{ data_interval_end | ds }}|{{ ds_nodash }}|{{ ts_nodash }}|{{ ts }}"
    midnight = "2026-05-01T00:00:00+02:00"
    assert rendered(said, values).replace(" ", "T") == f"{midnight}|2026-05-02|20260501|20260501T000000|{midnight}"
    assert rendered("{{ prev_data_interval_start_success | ds }}", values) == "2026-04-30"
    assert rendered("{{ ts_nodash_with_tz }}", values) == "20260501T000000+0200"


@pytest.mark.parametrize(
    ("schedule", "date", "expected"),
    [
        # Without a date: the last interval that had ended by noon (13:00 in Berlin) of 2024-03-05.
        ("@daily", None, "2024-03-04 00:00 to 2024-03-05 00:00"),
        ("0 6 * * *", None, "2024-03-04 06:00 to 2024-03-05 06:00"),
        ("@hourly", None, "2024-03-05 12:00 to 2024-03-05 13:00"),
        ("@monthly", None, "2024-02-01 00:00 to 2024-03-01 00:00"),
        (None, None, "2024-03-05 13:00 to 2024-03-05 13:00"),
        ("@daily", "2024-03-02", "2024-03-02 00:00 to 2024-03-03 00:00"),
        ("0 6 * * *", "2024-03-02", "2024-03-02 06:00 to 2024-03-03 06:00"),
        ("@weekly", "2024-03-05", "2024-03-03 00:00 to 2024-03-10 00:00"),
        ("@weekly", "2024-03-03", "2024-03-03 00:00 to 2024-03-10 00:00"),
        ("@hourly", "2024-03-02T14:00:00", "2024-03-02 14:00 to 2024-03-02 15:00"),
        ("@hourly", "2024-03-02T14:20:00+01:00", "2024-03-02 14:00 to 2024-03-02 15:00"),
        ("@hourly", "2024-03-02T14:00:00Z", "2024-03-02 15:00 to 2024-03-02 16:00"),
        (None, "2024-03-02", "2024-03-02 00:00 to 2024-03-03 00:00"),
        # The hour that comes twice, and the one that does not come.
        ("@hourly", "2024-10-27T02:00:00+02:00", "2024-10-27 02:00 to 2024-10-27 02:00"),
        ("@hourly", "2024-10-27T02:00:00+01:00", "2024-10-27 02:00 to 2024-10-27 03:00"),
        ("30 2 * * *", "2024-03-30", "2024-03-30 02:30 to 2024-03-31 03:30"),
        ("30 2 * * *", "2024-03-31", "2024-03-31 03:30 to 2024-04-01 02:30"),
    ],
)
def test_a_run_by_hand_takes_the_date_of_its_form_or_the_last_whole_interval(
    schedule: str | None, date: str | None, expected: str
) -> None:
    interval = run_interval(context(feed(schedule), date=date), BERLIN)
    assert str(interval) == f"{expected} {BERLIN}"
    assert interval.reason


@pytest.mark.parametrize("given", [True, False], ids=["by Airflow", "none"])
def test_a_run_by_hand_after_an_hour_that_did_not_come_takes_the_whole_interval_before(given: bool) -> None:
    dag = feed("30 2 * * *")
    values = context(dag)
    run = values["dag_run"]
    run.run_after = pendulum.datetime(2024, 3, 31, 12)
    if given:
        empty = timetable(dag).infer_manual_data_interval(run_after=run.run_after)
        run.data_interval_start, run.data_interval_end = empty.start, empty.end
    assert str(run_interval(values, BERLIN)) == f"2024-03-30 02:30 to 2024-03-31 03:30 {BERLIN}"


@pytest.mark.parametrize("schedule", ["@daily", None])
def test_each_day_is_one_window_also_where_a_day_has_no_midnight(schedule: str | None) -> None:
    said = {"name": "news", "start_date": "2026-04-01", "timezone": "Africa/Cairo", "source": {"uri": "s3://m/x/"}}
    described = Feed.model_validate({**said, "schedule": schedule})
    starts = ["2026-04-23T00:00:00+02:00", "2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"]
    days = [dt.date(2026, 4, day) for day in (23, 24, 25)]
    assert [window.start.isoformat() for window in windows_of(described, days[0], days[-1])] == starts
    for day, start in zip(days, starts, strict=True):
        assert [window.start.isoformat() for window in windows_of(described, day)] == [start]


def test_templates_of_a_run_by_hand_see_the_interval_it_takes() -> None:
    said = rendered(
        "{{ data_interval_start | ds }} {{ ds }} {{ logical_date | ds }}", context(feed(), date="2024-03-02")
    )
    assert said == "2024-03-02 2024-03-02 2024-03-02"


def test_a_scheduled_run_keeps_its_interval_whatever_the_param_says() -> None:
    run = scheduled(feed(end_date=dt.date(2024, 3, 1)))[0]
    assert run_interval(context(feed(), run, date="2020-01-01"), BERLIN).start.date() == dt.date(2024, 3, 1)


@pytest.mark.parametrize("text", ["soon", "P1D", "2024-02-30", "9999-12-31", "0001-01-01", "0001-01-01T00:00:00+14:00"])
def test_a_date_that_is_none_is_said(text: str) -> None:
    with pytest.raises(AirflowFailException, match=r"is not (a date|between 1970 and 2999)"):
        run_interval(context(feed(), date=text), BERLIN)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("@daily", "date"), ("0 6 * * *", "date"), ("@weekly", "date"), (None, "date"), ("@hourly", "date-time"),
     ("*/5 * * * *", "date-time"), ("0 */2 * * *", "date-time")],
)  # fmt: skip
def test_the_form_asks_for_a_day_or_for_a_moment(schedule: str | None, expected: str) -> None:
    assert feed(schedule).params.get_param("date").schema["format"] == expected
