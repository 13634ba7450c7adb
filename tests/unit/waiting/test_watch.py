"""One wait: what is ready, failed, waited for and stuck, over several looks."""

from __future__ import annotations

import json

from kaltura_provider.waiting.conditions.entry import EntryReady
from kaltura_provider.waiting.snapshot import EntrySnapshot
from kaltura_provider.waiting.watch import Watch


def seen(**statuses: object) -> dict[str, EntrySnapshot]:
    return {key: EntrySnapshot.of({"id": key, "status": status, "mediaType": 2}) for key, status in statuses.items()}


def test_each_object_settles_for_itself() -> None:
    watch = Watch(["a", "b", "c"], EntryReady())
    watch.observe(seen(a=2, b=1, c=-1), 0)
    assert (watch.ready, list(watch.failed), list(watch.pending)) == ({"a": 2}, ["c"], ["b"])
    assert not watch.finished
    watch.observe(seen(b=2), 5)
    assert watch.finished
    assert json.loads(json.dumps(watch.report()))["ready"] == {"a": 2, "b": 2}


def test_a_status_that_bounces_starts_its_grace_again() -> None:
    watch = Watch(["a"], EntryReady(grace=60))
    watch.observe(seen(a=-2), 0)
    watch.observe(seen(a=0), 50)
    watch.observe(seen(a=-2), 55)
    watch.observe(seen(a=-2), 114)
    assert not watch.failed
    watch.observe(seen(a=-2), 115)
    assert "ERROR_IMPORTING" in watch.failed["a"]


def test_news_are_told_once() -> None:
    watch = Watch(["a"], EntryReady())
    assert "PRECONVERT" in watch.observe(seen(a=1), 0)[0]
    assert watch.observe(seen(a=1), 5) == []
    assert watch.observe({}, 10) == []
    assert watch.observe(seen(a=2), 15) == ["a is ready"]


def test_stuck_is_told_once_per_status_with_a_hint_or_fails() -> None:
    watch = Watch(["a"], EntryReady(), stuck_after=100)
    watch.observe(seen(a=0), 0)
    news = watch.observe(seen(a=0), 100)
    assert len(news) == 1
    assert "stuck" in news[0]
    assert "Hint" in news[0]
    assert watch.observe(seen(a=0), 200) == []
    watch.observe(seen(a=1), 210)
    assert "stuck" in watch.observe(seen(a=1), 310)[0]

    strict = Watch(["a"], EntryReady(), stuck_after=100, fail_when_stuck=True)
    strict.observe(seen(a=0), 0)
    strict.observe(seen(a=0), 100)
    assert "seems stuck" in strict.failed["a"]


def test_patience_of_the_status_counts_unless_the_author_says_otherwise() -> None:
    watch = Watch(["a"], EntryReady())
    watch.observe(seen(a=0), 0)
    assert watch.observe(seen(a=0), 3599) == []
    assert "stuck" in watch.observe(seen(a=0), 3600)[0]


def test_memory_travels_between_processes_as_json() -> None:
    first = Watch(["a", "b"], EntryReady(grace=60))
    first.observe(seen(a=-2, b=2), 0)
    stored = json.loads(json.dumps(first.remember()))
    assert list(stored) == ["a"]
    second = Watch(["a"], EntryReady(grace=60))
    second.recall(stored)
    second.observe(seen(a=-2), 60)
    assert "a" in second.failed


def test_explanation_names_what_is_missing_and_is_short() -> None:
    watch = Watch([f"e{n}" for n in range(30)], EntryReady())
    watch.observe(seen(**{f"e{n}": 1 for n in range(30)}), 0)
    text = watch.explain()
    assert "entry e0 is PRECONVERT (1)" in text
    assert "Hint" in text
    assert "and 20 more" in text
