"""A feed of what is new: nothing is missed and nothing is offered twice, whatever fails or dies in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaltura_provider.feeds.sources import Found, Search, rendered_source
from kaltura_provider.feeds.sources.s3_new import OLD, OUTSIDE, SEEN, UNSTABLE
from kaltura_provider.feeds.state.watermark import WatermarkStore
from kaltura_provider.hooks import listing
from kaltura_provider.hooks.listing import S3Object

START = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


class Store(dict[str, Any]):
    """The state of an asset."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


class Feed:
    """A feed whose runs look at a bucket; what they bring in is what they take, but for what fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
        self.bucket: dict[str, tuple[dt.datetime, str]] = {}
        self.state = Store()
        self.fields = {"type": "s3_new", "uri": "s3://media/in/", "stable_for": "PT0S", **fields}
        self.runs = 0
        monkeypatch.setattr(listing, "list_s3", lambda *_, **__: self.objects())

    def objects(self) -> Iterator[S3Object]:
        for key, (modified, etag) in sorted(self.bucket.items()):
            yield S3Object("media", f"in/{key}", 1, etag, modified)

    def put(self, key: str, hours: float, etag: str = "a") -> None:
        self.bucket[key] = (START + hours * HOUR, etag)

    def look(self, **search: Any) -> Found:
        store = WatermarkStore(self.state)
        search.setdefault("memory", store.read())
        found = rendered_source(self.fields).find(Search(timezone="UTC", **search))
        self.runs += 1
        if found.memory:
            store.draft(found.memory, str(self.runs))
        return found

    def run(self, *, failed: tuple[str, ...] = ()) -> list[str]:
        found = self.look()
        assert WatermarkStore(self.state).commit(str(self.runs), [f"s3://media/in/{key}" for key in failed])
        return names(found)


def names(found: Found) -> list[str]:
    return [item.uri.removeprefix("s3://media/in/") for item in found.items]


def left_out(found: Found) -> dict[str, list[str]]:
    return {reason: [key.removeprefix("in/") for key in keys] for reason, keys in found.left_out.items()}


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    return Feed(monkeypatch)


def test_the_first_run_takes_all_and_the_next_ones_what_is_new(feed: Feed) -> None:
    feed.put("a.mp4", 0)
    feed.put("b.mp4", 1)
    assert feed.run() == ["a.mp4", "b.mp4"]
    assert feed.run() == []
    feed.put("c.mp4", 2)
    feed.put("a.mp4", 3, "changed")
    assert feed.run() == ["a.mp4", "c.mp4"]
    assert feed.run() == []


def test_an_upload_slower_than_the_interval_is_not_missed(feed: Feed) -> None:
    feed.put("before.mp4", 0)
    feed.run()
    feed.put("quick.mp4", 20)
    assert feed.run() == ["quick.mp4"]
    # S3 dates it by its beginning, before what earlier runs have seen.
    feed.put("slow.mp4", 1)
    assert feed.run() == ["slow.mp4"]
    assert feed.run() == []


def test_what_is_not_taken_is_named(feed: Feed) -> None:
    feed.fields["overlap"] = "PT2H"
    feed.fields["exclude"] = ["*.tmp"]
    feed.put("a.mp4", 0)
    feed.put("b.mp4", 9)
    feed.run()
    feed.put("x.tmp", 9)
    found = feed.look()
    assert left_out(found) == {OLD: ["a.mp4"], SEEN: ["b.mp4"], "match an exclude pattern": ["x.tmp"]}


def test_modified_after_bounds_all_runs(feed: Feed) -> None:
    feed.fields["modified_after"] = "2024-03-01T05:00:00"
    feed.put("a.mp4", 4)
    feed.put("b.mp4", 5)
    assert feed.run() == ["b.mp4"]
    assert feed.run() == []


@pytest.mark.parametrize("after", [0, 100])
def test_what_failed_is_offered_again_however_old_it_is(feed: Feed, after: float) -> None:
    feed.put("a.mp4", 0)
    feed.put("b.mp4", 0)
    assert feed.run(failed=("a.mp4",)) == ["a.mp4", "b.mp4"]
    feed.put("c.mp4", after)
    assert feed.run(failed=("a.mp4",)) == ["a.mp4", "c.mp4"]
    assert feed.run() == ["a.mp4"]
    assert feed.run() == []


def test_a_run_that_dies_moves_nothing(feed: Feed) -> None:
    feed.put("a.mp4", 0)
    feed.run()
    feed.put("b.mp4", 1)
    assert names(feed.look()) == ["b.mp4"]  # and summary never comes
    feed.put("c.mp4", 2)
    assert feed.run() == ["b.mp4", "c.mp4"]
    assert feed.run() == []


def test_a_summary_that_comes_late_or_twice_does_not_move_it_back(feed: Feed) -> None:
    feed.put("a.mp4", 0)
    feed.look()
    first = str(feed.runs)
    feed.put("b.mp4", 1)
    assert feed.run() == ["a.mp4", "b.mp4"]
    assert not WatermarkStore(feed.state).commit(first, [])
    assert WatermarkStore(feed.state).commit(str(feed.runs), [])
    assert feed.run() == []


def test_an_object_that_changes_between_two_looks_waits_for_the_next_run(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.fields["stable_for"] = "PT5S"
    feed.put("a.mp4", 0)
    feed.put("b.mp4", 50)
    waited = []

    def grow(seconds: float) -> None:
        waited.append(seconds)
        feed.put("a.mp4", 0, "grown")

    monkeypatch.setattr("time.sleep", grow)
    found = feed.look()
    WatermarkStore(feed.state).commit(str(feed.runs), [])
    assert (names(found), left_out(found), waited) == (["b.mp4"], {UNSTABLE: ["a.mp4"]}, [5.0])
    monkeypatch.setattr("time.sleep", waited.append)
    assert feed.run() == ["a.mp4"]
    assert feed.run() == []
    assert waited == [5.0, 5.0]  # nobody waits for nothing


def test_a_backfill_takes_its_interval_and_remembers_nothing(feed: Feed) -> None:
    for hour in range(4):
        feed.put(f"{hour}.mp4", hour)
    feed.run()
    state = dict(feed.state)
    found = feed.look(interval=(START + HOUR, START + 3 * HOUR), memory=None)
    assert (names(found), found.memory) == (["1.mp4", "2.mp4"], None)
    assert left_out(found) == {OUTSIDE: ["0.mp4", "3.mp4"]}
    assert dict(feed.state) == state


def test_many_objects_are_kept_in_small_values_and_old_ones_are_deleted(feed: Feed) -> None:
    for number in range(4_000):
        feed.put(f"{number}.mp4", 0)
    for _ in range(3):
        feed.run()
        feed.look()
    assert sum(len(str(value)) for value in feed.state.values()) > 65_535
    assert max(len(str(value)) for value in feed.state.values()) < 65_535
    assert len(feed.state) < 20
    assert feed.run() == []


STEPS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 5), st.floats(0, 20)), max_size=3),  # key, hours that its upload takes
        st.sets(st.integers(0, 5)),  # keys that fail
        st.booleans(),  # whether the run dies
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_nothing_is_missed_and_nothing_comes_twice(steps: list[tuple[Any, ...]]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        feed = Feed(monkeypatch)
        arriving: list[tuple[float, str, float, str]] = []
        brought: list[tuple[str, str]] = []
        wanted: set[tuple[str, str]] = set()
        for number, (uploads, failing, dies) in enumerate(steps, 1):
            # A run every 6 hours; S3 dates an upload by its beginning.
            now = number * 6.0
            for upload, (key, takes) in enumerate(uploads):
                # Every upload has other content: a key that gets earlier content back is rightly taken again.
                arriving.append((now + takes, f"{key}.mp4", now, f"etag-{number}-{upload}"))
            for item in [item for item in arriving if item[0] <= now]:
                arriving.remove(item)
                feed.put(item[1], item[2], item[3])
            found = feed.look()
            took = {name: feed.bucket[name][1] for name in names(found)}
            failed = [name for name in took if int(name[0]) in failing]
            if not dies:
                WatermarkStore(feed.state).commit(str(feed.runs), [f"s3://media/in/{name}" for name in failed])
                brought += [(name, etag) for name, etag in took.items() if name not in failed]
        for _, key, began, etag in sorted(arriving):
            feed.put(key, began, etag)
        brought += [(name, feed.bucket[name][1]) for name in feed.run()]
        wanted = {(name, etag) for name, (_, etag) in feed.bucket.items()}
        assert wanted <= set(brought)
        assert len(brought) == len(set(brought))
        assert feed.run() == []
