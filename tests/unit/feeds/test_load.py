from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kaltura_provider.feeds.load import FeedError, load_feed, load_feeds

GOOD = """\
name: news
start_date: 2024-03-01
source:
  type: s3_prefix
  uri: s3://media/news/{{ data_interval_start | ds }}/
"""


def write(folder: Path, text: str, name: str = "news.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_short_feed_has_the_defaults(tmp_path: Path) -> None:
    feed = load_feed(write(tmp_path, GOOD))
    assert feed.dag_id == "kaltura_feed_news"
    assert feed.start_date == dt.date(2024, 3, 1)
    assert (feed.schedule, feed.if_exists, feed.batch_size) == ("@daily", "skip", 1)
    assert feed.connections.kaltura == "kaltura_default"
    assert feed.asset_uri == "kaltura://kaltura_default/news"
    assert feed.metadata.name == "{{ asset.stem }}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "shedule: '@daily'\n", "news.yaml:6: shedule: is unknown"),
        (GOOD + "schedule: dayly\n", "news.yaml:6: schedule: 'dayly' is no cron expression"),
        (GOOD + "timezone: Mars/Olympus\n", "news.yaml:6: timezone: 'Mars/Olympus' is no time zone"),
        (GOOD + "batch_size: 0\n", "news.yaml:6: batch_size: 0 input should be greater than or equal to 1"),
        (GOOD + "if_exists: overwrite\n", "news.yaml:6: if_exists: 'overwrite' input should be 'skip'"),
        (GOOD + "upload:\n  max_size: huge\n", "news.yaml:6: upload: max_size 'huge' has the wrong type"),
        (GOOD + "upload:\n  max_sise: 5\n", "news.yaml:6: upload: upload 'max_sise' is not a setting"),
        (GOOD + "end_date: 2023-01-01\n", "end_date 2023-01-01 is before start_date 2024-03-01"),
        (GOOD.replace("s3://media/", "media/"), "news.yaml:5: source.uri: 'media/news/"),
        (GOOD.replace("name: news", "name: News!"), "news.yaml:1: name: 'News!' must be 1 to 61 of"),
        (GOOD.replace("start_date: 2024-03-01\n", ""), "news.yaml:1: start_date: is missing"),
        (GOOD.replace("start_date: 2024-03-01", "start_date: soon"), "news.yaml:2: start_date: 'soon' input should"),
        ("name: [news\nsource: x\n", "news.yaml:2: is no valid YAML"),
        ("- name\n", "news.yaml:1: must hold fields"),
        ("", "news.yaml:1: must hold fields"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_field(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(FeedError) as caught:
        load_feed(write(tmp_path, text))
    assert expected in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "news.yaml"))


def test_a_bad_feed_hides_no_other(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, "name: [", "broken.yaml")
    write(tmp_path, GOOD, "twice.yml")
    feeds = load_feeds(tmp_path)
    assert [feed.name for feed in feeds.feeds] == ["news"]
    assert len(feeds.problems) == 2
    with pytest.raises(FeedError, match=r"(?s)broken\.yaml:1: is no valid YAML.*twice\.yml:1: name: 'news' is taken"):
        feeds.check()


def test_one_word_stands_for_a_list_of_one(tmp_path: Path) -> None:
    feed = load_feed(write(tmp_path, GOOD + "metadata:\n  tags: news, sport\n"))
    assert feed.metadata.tags == ["news", "sport"]


def test_the_feeds_of_this_deployment_are_valid() -> None:
    feeds = load_feeds(Path(__file__).parents[3] / "include" / "feeds")
    feeds.check()
    assert "demo" in [feed.name for feed in feeds.feeds]
