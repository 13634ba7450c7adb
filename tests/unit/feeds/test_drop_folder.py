"""File name patterns of drop folders, and items that wait for their files or their archive."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest

from kaltura_provider.feeds.drop_folder import check_match, match_names
from kaltura_provider.feeds.plan import Decision
from kaltura_provider.feeds.planning import Planner
from kaltura_provider.feeds.sources.found import Found, Search
from kaltura_provider.feeds.sources.s3_objects import NOT_MATCHED, ORPHAN, Selecting, media_of
from kaltura_provider.hooks.listing import S3Object

NOW = dt.datetime(2024, 3, 2, tzinfo=dt.UTC)


def found(*names: str, age: int = 0, storage_class: str = "STANDARD", **selecting: Any) -> Found:
    modified = NOW - dt.timedelta(hours=age)
    objects = [S3Object("media", f"in/{name}", 9, name, modified, storage_class) for name in names]
    chosen = Selecting(**selecting)
    return media_of(chosen.groups(objects, "s3://media/in/"), "s3://media/in/", chosen, Search(now=NOW))


@pytest.mark.parametrize(
    ("pattern", "fields"),
    [
        (r"/(?P<referenceId>.+)[.]\w{3,}/", {"reference_id": "ref-1_ann"}),
        (r"#^(?<referenceId>[^_]+)_(?<userId>\w+)\.mp4\z#iu", {"reference_id": "ref-1", "user_id": "ann"}),
        (r"(?P<userId>[a-z]+)\.mp4", {"user_id": "ann"}),
        (r"/(?P<referenceId>\d{5})/", None),
    ],
)
def test_a_pattern_of_a_drop_folder_is_taken_as_it_is(pattern: str, fields: dict[str, str] | None) -> None:
    check_match(pattern)
    assert match_names(pattern, ["ref-1_ann.mp4"]) == [fields]


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("/(?P<referenceId>.+/", "is not a regular expression"),
        ("/(?P<referenceId>.+)/U", "has the flag U, which is not supported"),
        ("(?P<name>.+)", "has none of the groups referenceId and userId"),
        ("/(?P<referenceId>.+)_(?P<flavorName>.+)/", "has the group flavorName"),
        ("(?P<userId>a)" + "b" * 1000, "the limit is 1,000"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_match(pattern)


def test_a_pattern_that_takes_for_ever_is_ended_and_the_file_is_named() -> None:
    started = time.monotonic()
    with pytest.raises(ValueError, match=r"did not get over 'a{40}!'"):
        match_names(r"(?P<userId>(a+)+)$", ["aa", "a" * 40 + "!"], seconds=1)
    assert time.monotonic() - started < 20


def test_files_that_do_not_match_are_left_out_and_the_others_have_their_ids() -> None:
    result = found("ref-1.mp4", "ref-1.en.srt", "other.mp4", match=r"/^(?P<referenceId>ref-\d+)/")
    assert [(item.uri[-9:], item.metadata, len(item.sidecars)) for item in result.items] == [
        ("ref-1.mp4", {"reference_id": "ref-1"}, 1)
    ]
    assert result.left_out[NOT_MATCHED] == ["other.mp4"]


def test_a_caption_that_is_there_before_its_film_is_left_out() -> None:
    assert found("talk.en.srt", "talk.json", "film.mp4").left_out[ORPHAN] == ["talk.en.srt", "talk.json"]
    assert [item.uri for item in found("talk.json", include=["*.json"]).items] == ["s3://media/in/talk.json"]


def test_an_item_waits_for_its_files_and_then_fails() -> None:
    rules: dict[str, Any] = {"wait_for": ["source", "*.srt"], "wait_at_most": dt.timedelta(hours=2)}
    assert [item.waiting for item in found("a.mp4", "a.en.srt", **rules).items] == [""]
    (waiting,) = found("a.mp4", age=1, **rules).items
    assert waiting.waiting == "waits for *.srt until 2024-03-02 01:00:00 UTC"
    (late,) = found("a.mp4", age=3, **rules).items
    assert (late.waiting, "waits for *.srt until" in late.error) == ("", True)
    (planned,) = Planner(metadata=lambda item: {}).plan(found("a.mp4", age=3, **rules)).items
    assert (planned.decision, planned.request["error"]) == (Decision.NEW, late.error)


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_waits(storage_class: str) -> None:
    plan = Planner(metadata=lambda item: {}).plan(found("a.mp4", storage_class=storage_class))
    assert plan.counts == {"waiting": 1}
    assert plan.wanted == []
    assert plan.items[0].reason == f"is archived in {storage_class}; restore it to have it ingested"
    assert Planner(metadata=lambda item: {}).plan(found("a.mp4", storage_class="GLACIER_IR")).counts == {"new": 1}
