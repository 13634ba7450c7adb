"""File name patterns of drop folders, and items that wait for their files or their archive."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest

from kaltura_provider.feeds.planning.plan import Decision
from kaltura_provider.feeds.planning.planner import Planner
from kaltura_provider.feeds.sources.drop_folder import check_match, match_names
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
        ("/(?P<userId>.+)_(?P<flavorName>.+)/", r"no group referenceId .*; add \(\?P<referenceId>"),
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


FLAVORS = r"/^(?P<referenceId>[^_.]+)(_(?P<flavorName>[^.]+))?[.]\w{3,}$/"


def test_the_renditions_of_a_drop_folder_belong_to_their_source() -> None:
    result = found("a_HD.mp4", "a_SD.mp4", "a.mov", "a_HD.en.srt", "a.jpg", "b_source.mp4", "b_HD.mp4", match=FLAVORS)
    files = {
        item.uri.rsplit("/", 1)[-1]: {
            file["uri"].rsplit("/", 1)[-1]: file.get("flavor", file["kind"]) for file in item.sidecars
        }
        for item in result.items
    }
    assert files == {
        "a.mov": {"a_HD.en.srt": "caption", "a.jpg": "thumbnail", "a_HD.mp4": "HD", "a_SD.mp4": "SD"},
        "b_source.mp4": {"b_HD.mp4": "HD"},
    }
    assert [(item.metadata, item.waiting, item.error) for item in result.items] == [
        ({"reference_id": "a"}, "", ""),
        ({"reference_id": "b"}, "", ""),
    ]
    assert {file["of"] for file in result.items[0].sidecars if file["kind"] == "rendition"} == {"a.mov"}


def test_renditions_wait_for_their_source_and_for_each_other() -> None:
    (waiting,) = found("a_HD.mp4", "a_SD.mp4", age=1, match=FLAVORS).items
    assert waiting.waiting == "waits for source until 2024-03-02 23:00:00 UTC"
    (late,) = found("a_HD.mp4", age=25, match=FLAVORS).items
    assert "store the source beside its renditions, without a flavor in its name" in late.error
    (first,) = found("a.mp4", "a_SD.mp4", match=FLAVORS, wait_for=["*_HD.*", "*_SD.*"]).items
    assert first.waiting.startswith("waits for *_HD.* until")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("a.mp4", "a_HD.mp4", "a_hd.mov"), "a_HD.mp4 and a_hd.mov are both the rendition 'hd' of one item"),
        (("a.mp4", "a.mov", "a_HD.mp4"), "a.mov and a.mp4 are both the source of one item"),
    ],
    ids=("rendition", "source"),
)
def test_files_that_are_the_same_rendition_are_named(names: tuple[str, ...], problem: str) -> None:
    for item in found(*sorted(names), match=FLAVORS).items:
        assert problem in item.error


def test_without_a_rendition_files_of_one_reference_id_stay_items_of_their_own() -> None:
    result = found("a.mov", "a.mp4", "sub/a_HD.mp4", match=FLAVORS)
    assert [item.uri.rsplit("/", 1)[-1] for item in result.items] == ["a.mov", "a.mp4", "a_HD.mp4"]
    assert [bool(item.waiting) for item in result.items] == [False, False, True]


def test_renditions_need_a_group() -> None:
    from kaltura_provider.feeds.sources.s3_prefix import S3Prefix

    with pytest.raises(ValueError, match=r"source.group_by is none, which makes one of each; remove one of them"):
        S3Prefix(uri="s3://media/in/", match=FLAVORS, group_by="none")


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
