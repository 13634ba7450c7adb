from __future__ import annotations

import pytest

from kaltura_provider.feeds.sources.listing import (
    EXCLUDED,
    FOLDER,
    MARKER,
    NOT_INCLUDED,
    PLACEHOLDER,
    Selection,
    examples,
    select,
)
from kaltura_provider.hooks.listing import S3Object

PREFIX = "in/2024-03-01/"


def chosen(*paths: str, include: tuple[str, ...] = ("*",), exclude: tuple[str, ...] = (), size: int = 1) -> Selection:
    return select([S3Object("media", PREFIX + path, size) for path in paths], PREFIX, include, exclude)


@pytest.mark.parametrize(
    "path",
    [
        "_SUCCESS", "x_$folder$", "README", "readme.md", ".DS_Store", "sub/.DS_Store", "Thumbs.db", "._a.mp4",
        "desktop.ini", "__MACOSX/a.mp4", "_temporary/0/part-0.mp4", "_committed_123", ".keep",
    ],
)  # fmt: skip
def test_what_other_programs_leave_behind_is_left_out(path: str) -> None:
    selection = chosen(path, "film.mp4")
    assert dict(selection.left_out) == {MARKER: [path]}
    assert [item.key for item in selection.taken] == [PREFIX + "film.mp4"]


def test_every_object_is_taken_or_left_out_for_a_reason() -> None:
    selection = chosen("a.mp4", "sub/", "b.mp4", "c.mov", "d.tmp", include=("*.{mp4,mov}",), exclude=("b*",))
    assert [item.uri for item in selection.taken] == [f"s3://media/{PREFIX}a.mp4", f"s3://media/{PREFIX}c.mov"]
    assert dict(selection.left_out) == {FOLDER: ["sub/"], EXCLUDED: ["b.mp4"], NOT_INCLUDED: ["d.tmp"]}
    assert selection.listed == 5


def test_an_empty_film_is_taken_since_it_is_a_fault_and_an_empty_flag_is_not() -> None:
    selection = chosen("film.mp4", "done.flag", "part-0", size=0)
    assert [item.key for item in selection.taken] == [PREFIX + "film.mp4"]
    assert dict(selection.left_out) == {PLACEHOLDER: ["done.flag", "part-0"]}


def test_a_name_that_does_not_tell_what_it_is_waits_for_a_look_inside() -> None:
    selection = chosen("clip", "clip.v2", "clip.mp4")
    assert [item.key for item in selection.unsure] == [PREFIX + "clip", PREFIX + "clip.v2"]


def test_include_patterns_that_nothing_fits_are_known() -> None:
    assert chosen("a.mp4", include=("*.mp4", "*.mvo")).idle == ["*.mvo"]
    assert chosen("a.mp4", "b.mov", include=("*.mp4", "a*", "*.mov")).idle == []


def test_a_prefix_that_is_the_key_itself() -> None:
    selection = select([S3Object("media", "in/a.mp4", 1)], "in/a.mp4", ["*.mp4"], [])
    assert [item.key for item in selection.taken] == ["in/a.mp4"]


def test_many_names_are_one_line() -> None:
    assert examples([f"{n}.mp4" for n in range(10_000)]).endswith(", 8.mp4, 9.mp4 and 9,990 more")
