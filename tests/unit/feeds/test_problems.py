"""What is said about a wrong feed: where, why, and what was probably meant, in words of our own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic import ValidationError

from kaltura_provider.feeds.fields.problems import plain, way_to
from kaltura_provider.feeds.fields.types import Strict
from kaltura_provider.feeds.folder import build_files
from kaltura_provider.feeds.schema import Feed
from kaltura_provider.feeds.sources import SOURCE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = """\
name: news
start_date: 2024-03-01
source:
  type: s3_prefix
  uri: s3://media/news/{{ data_interval_start | ds }}/
"""
TAG = "x" * 101
MINUTES = ",".join(["1", "2", "3"] * 200)


def problems(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a feed, as ``line:column: field: problem``."""
    path = folder / "news.yaml"
    path.write_text(text)
    built = build_files([path])
    assert all(one.path == path for one in built.problems)
    assert len(built.dags) == (not built.problems)
    return [f"{one.line}:{one.column}: {one.said}" for one in built.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shedule: '@daily'", "6:1: shedule: is not a field; did you mean 'schedule'?"),
        ("uri: s3://media/", "6:1: uri: is not a field here; write it below 'source:'"),
        ("categories: [a]", "6:1: categories: is not a field here; write it below 'metadata:'"),
        ("colour: red", "6:1: colour: is not a field; remove it (docs/feeds.md lists all fields)"),
        ("metadata: {tag: a}", "6:12: metadata.tag: is not a field; did you mean 'tags'?"),
        ("  inclde: ['*.mp4']", "6:3: source.inclde: is not a field; did you mean 'include'?"),
        ("  include: ['*.{mp4,mov']", "6:13: source.include.0: '*.{mp4,mov' opens a brace that it does not close"),
        ("  include: []", "6:12: source.include: must have at least 1 item"),
        ("  exclude: ['']", "6:13: source.exclude.0: '' is not a pattern; write one such as *.mp4, or leave it out"),
        ("if_exists: repalce", "6:12: if_exists: 'repalce' must be 'skip', 'replace' or 'fail'; did you mean 'r"),
        ("transfer: [upload]", "6:11: transfer: must be 'upload'"),
        ("schedule: '@dayly'", "6:11: schedule: '@dayly' is not a valid cron expression ("),
        ("schedule: '@dayly'", "; did you mean '@daily'?"),
        ("schedule: 61 * * * *", "6:11: schedule: '61 * * * *' is not a valid cron expression ("),
        ("schedule: '0 0 30 2 *'", "6:11: schedule: '0 0 30 2 *' is not a valid cron expression ("),
        ("timezone: europe/belin", "6:11: timezone: 'europe/belin' is not a time zone; did you mean 'Europe/Berlin'?"),
        ("timezone: ''", "6:11: timezone: '' is not a time zone; write one such as UTC or Europe/Berlin"),
        (f"tags: [a, {TAG}]", f"6:11: tags.1: '{TAG}' has 101 characters; Airflow allows 1 to 100"),
        ("tags: ['']", "6:8: tags.0: '' has 0 characters; Airflow allows 1 to 100"),
        (f"tags: [{'a,' * 101}]", "6:7: tags: has 101 items; at most 100 are allowed"),
        ("tags: {a: b}", "6:7: tags: must be a list"),
        ("connections: {kaltura: 'my account'}", "6:24: connections.kaltura: 'my account' is not a valid connection"),
        ("connections: kaltura_default", "6:14: connections: 'kaltura_default' must be a group of fields"),
        ("ready_timeout: -PT1H", "6:16: ready_timeout: '-PT1H' must be more than nothing and at most P30D"),
        ("ready_timeout: 12 hours", "6:16: ready_timeout: '12 hours' must be an ISO 8601 duration such as"),
        ("pool: ''", "6:7: pool: must not be empty"),
        (f"pool: {'p' * 257}", "6:7: pool: has more than 256 characters; shorten it"),
        ("pool: [a]", "6:7: pool: must be text; write it in quotes"),
        ("owner:", "6:7: owner: is empty; give it a value, or remove it (must be text; write it in quotes)"),
        (f"queue: {chr(39)*2}", "6:8: queue: must not be empty"),
        ("retries: yes", "6:10: retries: True must be a whole number"),
        ("ready_timeout: 12", "6:16: ready_timeout: 12 must be an ISO 8601 duration such as PT12H or P2D"),
        ("end_date: 86400", "6:11: end_date: 86400 must be a date such as 2024-03-01"),
        (f"batch_size: 0x{'f' * 6000}", "6:13: batch_size: '0xffff"),
        ("1.5: x", "6:1: 1.5: is not a field; remove it (docs/feeds.md lists all fields)"),
        ("null: x", "6:1: null: is not a field; remove it (docs/feeds.md lists all fields)"),
        ("schedule: R 4 * * *", "6:11: schedule: 'R 4 * * *' is not a cron expression of 5 fields; give one such as"),
        (f"schedule: {MINUTES} * * * *", "characters to describe, and it stores 1,000; write ranges such as 0-29"),
        ("timezone: localtime", "6:11: timezone: 'localtime' is not a time zone; write one such as UTC or Europe/B"),
        ("pool: ' '", "6:7: pool: ' ' is not a name; write some letters or digits in one line"),
        ("notify: [{notifier: airflow.sdk.BaseNotifier}]", "has no method notify(), which Airflow calls; give another"),
        ("notify: [{notifier: ..x}]", "notifier '..x' cannot be imported; check its name"),
        ("notify: [{notifier: airflow.providers.smtp.notifications.smtp.SmtpNotifier}]",
         "arguments of airflow.providers.smtp.notifications.smtp.SmtpNotifier: missing a required argument: 'to'; add"),
        ("retries: -1", "6:10: retries: -1 must be at least 0"),
        ("retries: 101", "6:10: retries: 101 must be at most 100"),
        ("retries: 1.5", "6:10: retries: 1.5 must be a whole number"),
        ("retries: many", "6:10: retries: 'many' must be a whole number"),
        ("owner: 7", "6:8: owner: 7 must be text; write it in quotes"),
        ("end_date: 2023-01-01", "6:11: end_date: 2023-01-01 is before start_date 2024-03-01"),
        ("end_date: 1.5.2024", "6:11: end_date: '1.5.2024' must be a date such as 2024-03-01"),
        ("receipts: bucket/receipts", "6:11: receipts: 'bucket/receipts' is not an address for receipts; give s3://"),
        ("upload: {parallelism: 99}", "6:9: upload: parallelism 99 is out of bounds: give 1 to 8, or leave it out"),
        ("version: 2", "6:10: version: 2 is not a version that this package reads; write 1, or upgrade the package"),
        ("version: 2\nfuture: field", "6:10: version: 2 is not a version that this package reads;"),
        ("version: one", "6:10: version: 'one' must be 1"),
        ("name: other", "6:1: name: is already set in line 1; remove one"),
        ("tags: [a", "6:1: is not valid YAML: did not find expected ',' or ']'"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_where_it_is_and_in_plain_words(tmp_path: Path, text: str, expected: str) -> None:
    found = problems(tmp_path, f"{GOOD}{text}\n")
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize("source", ["{type: urls, urls: ['ADDRESS']}", "{type: manifest, uri: 'ADDRESS'}"])
def test_a_password_in_an_address_is_refused_before_a_run(tmp_path: Path, source: str) -> None:
    text = GOOD.partition("source:")[0] + f"source: {source.replace('ADDRESS', 'https://joe:hunter2@host/a.csv')}\n"
    (problem,) = problems(tmp_path, text)
    assert "'https://***@host/a.csv' has a user name or password, which others could read; put them into" in problem
    assert "hunter2" not in problem


def test_each_of_several_mistakes_is_named(tmp_path: Path) -> None:
    text = GOOD.replace("s3_prefix", "s3_prefx").replace("start_date: 2024-03-01\n", "") + "retries: x\n"
    assert problems(tmp_path, text) == [
        "1:1: start_date: is missing; add it",
        f"3:9: source.type: 's3_prefx' is not a type of source; write one of {', '.join(SOURCE_TYPES)}"
        "; did you mean 's3_prefix'?",
        "5:10: retries: 'x' must be a whole number",
    ]


def test_the_version_may_be_written(tmp_path: Path) -> None:
    assert problems(tmp_path, f"version: 1\n{GOOD}") == []


VALUES: tuple[Any, ...] = (
    None, "", "x", "x" * 10_001, 0, -1, 5, 1.5, 1e300, float("inf"), float("nan"), 2**70, True, [], [1], [None],
    [["x"]], {}, {"x": 1}, {"type": "x"}, dt.date(2024, 3, 1), dt.datetime(2024, 3, 1, 6), dt.date(1, 1, 1),
)  # fmt: skip
PYDANTIC = ("nput", "xtra", "ield required", "nable", "should", "alid ", "pydantic", "cannot be used")


def feeds_with_one_odd_field() -> Iterator[dict[str, Any]]:
    good = {"name": "news", "start_date": dt.date(2024, 3, 1), "source": {"uri": "s3://media/"}}
    for value in VALUES:
        yield from ({**good, name: value} for name in Feed.model_fields)
        for group in ("metadata", "connections", "source"):
            for model in groups(Feed.model_fields[group].annotation):
                kind = {"type": model.model_fields["type"].annotation.__args__[0]} if group == "source" else {}
                yield from ({**good, group: {**kind, name: value}} for name in [*model.model_fields, "x"])


def groups(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return [annotation]
    return [found for part in get_args(annotation) for found in groups(part)]


def test_no_field_answers_in_the_words_of_the_library() -> None:
    seen = 0
    for feed in feeds_with_one_odd_field():
        try:
            Feed.model_validate(feed)
        except ValidationError as error:
            for item in error.errors()[:3]:
                seen += 1
                text = plain(item, Feed)
                assert not any(word in text for word in PYDANTIC) or item["type"] == "value_error", (item["type"], text)
                assert way_to(item, Feed)
    assert seen > 500
