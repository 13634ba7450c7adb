"""Which files of a listing belong together, by their names alone."""

from __future__ import annotations

from typing import Any

import pytest

from kaltura_provider.feeds.sources.grouping import group_by_stem, metadata_file_of, sidecars_of
from kaltura_provider.feeds.sources.metadata_files import read_metadata
from kaltura_provider.hooks.listing import S3Object

PREFIX = "in/"


def objects(*names: str) -> list[S3Object]:
    return [S3Object("media", f"{PREFIX}{name}", 1, etag=name) for name in names]


def grouped(*names: str, include: tuple[str, ...] = ("*",), exclude: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    groups = group_by_stem(objects(*names), PREFIX, include, exclude)
    return {
        group.item.key.removeprefix(PREFIX): {
            one.item.key.removeprefix(PREFIX): one.role.value for one in group.sidecars
        }
        for group in groups
    }


def captions(*names: str, language: str = "Undefined") -> dict[str, Any]:
    (group,) = group_by_stem(objects("talk.mp4", *names), PREFIX, ["*"], [])
    return {file["uri"].rsplit("/", 1)[-1]: file for file in sidecars_of(group, language)}


def test_a_film_has_all_files_of_its_name() -> None:
    names = ("a/talk.mp4", "a/talk.json", "a/talk.en.srt", "a/talk.jpg", "a/talk.pdf", "a/talk.2.jpg")
    assert grouped(*names, "b/talk.srt", "a/talker.srt") == {
        "a/talk.mp4": {
            "a/talk.json": "metadata",
            "a/talk.en.srt": "caption",
            "a/talk.jpg": "thumbnail",
            "a/talk.pdf": "attachment",
            "a/talk.2.jpg": "attachment",
        },
        "b/talk.srt": {},
        "a/talker.srt": {},
    }


def test_films_of_the_same_name_share_and_the_whole_name_belongs_to_one() -> None:
    assert grouped("x.mp4", "x.mov", "x.jpg", "x.mov.json") == {
        "x.mp4": {"x.jpg": "thumbnail"},
        "x.mov": {"x.jpg": "thumbnail", "x.mov.json": "metadata"},
    }


def test_a_file_of_several_films_names_the_others() -> None:
    groups = group_by_stem(objects("x.mp4", "x.mov", "x.jpg", "x.json", "x.mov.srt"), PREFIX, ["*"], [])
    first, second = (
        {
            file["uri"].rpartition("/")[2]: ", ".join(file.get("owners", []))
            for file in (*sidecars_of(group), *filter(None, [metadata_file_of(group)]))
        }
        for group in groups
    )
    assert first == dict.fromkeys(("x.jpg", "x.json"), "s3://media/in/x.mov")
    assert second == dict.fromkeys(("x.jpg", "x.json"), "s3://media/in/x.mp4") | {"x.mov.srt": ""}


def test_the_longest_name_wins() -> None:
    assert grouped("day.mp4", "day.en.mp4", "day.en.srt", "day.de.srt") == {
        "day.mp4": {"day.de.srt": "caption"},
        "day.en.mp4": {"day.en.srt": "caption"},
    }


def test_an_extension_that_a_pattern_names_is_an_item() -> None:
    assert grouped("x.mp4", "x.jpg", include=("*.{mp4,jpg}",)) == {"x.mp4": {}, "x.jpg": {}}
    assert grouped("x.mp4", "x.jpg", include=("*.mp4",)) == {"x.mp4": {"x.jpg": "thumbnail"}}


def test_without_a_film_each_file_is_an_item_and_may_have_metadata() -> None:
    assert grouped("x.jpg", "x.pdf", "y.jpg", "y.yaml", "z.json") == {
        "x.jpg": {},
        "x.pdf": {},
        "y.jpg": {"y.yaml": "metadata"},
        "z.json": {},
    }


def test_what_is_left_out_is_no_sidecar_and_has_none() -> None:
    assert grouped("x.mp4", "x.srt", "._x.mp4", "x.done", exclude=("*.srt",)) == {
        "x.mp4": {"x.done": "attachment"},
        "x.srt": {},
        "._x.mp4": {},
    }
    assert grouped("x.mp4", "x.srt", include=("*.mov",)) == {"x.mp4": {}, "x.srt": {}}


@pytest.mark.parametrize(
    ("name", "language", "label"),
    [
        ("talk.en.srt", "English", "English"),
        ("talk.en-GB.vtt", "English", "English (GB)"),
        ("talk.German.dfxp", "German", "German"),
        ("talk.pt-BR.forced.srt", "Portuguese", "Portuguese (BR, forced)"),
        ("talk.srt", "Undefined", "Captions"),
    ],
)
def test_the_language_is_in_the_name(name: str, language: str, label: str) -> None:
    values = captions(name)[name]["values"]
    assert (values["language"], values["label"]) == (language, label)


def test_a_language_that_nobody_speaks_is_an_error_of_its_file() -> None:
    found = captions("talk.xx.srt", "talk.en.srt")
    assert "'xx' in the name of the caption file is not a language" in found["talk.xx.srt"]["error"]
    assert "error" not in found["talk.en.srt"]


@pytest.mark.parametrize(
    ("names", "language", "default"),
    [
        (("talk.en.srt",), "Undefined", "talk.en.srt"),
        (("talk.en.srt", "talk.de.srt"), "Undefined", None),
        (("talk.en.srt", "talk.de.srt"), "en", "talk.en.srt"),
        (("talk.en.srt", "talk.srt"), "German", "talk.srt"),
        (("talk.en.forced.srt", "talk.en.srt"), "en", "talk.en.srt"),
    ],
)
def test_one_caption_at_most_is_the_default(names: tuple[str, ...], language: str, default: str | None) -> None:
    found = [name for name, file in captions(*names, language=language).items() if file.get("default")]
    assert found == ([default] if default else [])


def test_two_metadata_files_are_an_error() -> None:
    (group,) = group_by_stem(objects("x.mp4", "x.json", "x.yaml"), PREFIX, ["*"], [])
    found = metadata_file_of(group)
    assert found is not None
    assert found["error"] == "x.json and x.yaml are both metadata of x.mp4; keep one of them"


def test_metadata_is_data_with_the_names_of_a_manifest() -> None:
    content = b'{"title": "{{ 7 * 7 }}", "tags": ["a", "b"], "Schedule Start Date": "2030-01-02", "views": 7}'
    found, unknown = read_metadata(content, "x.json", "Europe/Berlin")
    assert found == {"name": "{{ 7 * 7 }}", "tags": ["a", "b"], "start_date": 1893538800}
    assert unknown == ["views"]
    assert read_metadata(b"title: One\nstartDate: 2030-01-02\n", "x.yaml")[0] == {
        "name": "One",
        "start_date": 1893542400,
    }


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (b"[1]", "x.json", "must hold fields"),
        (b"{", "x.json", "line 1: is not valid JSON"),
        (b"[" * 100_000, "x.json", "nested too deeply"),
        (b'{"title": "a", "title": "b"}', "x.json", "title: is given twice"),
        (b'{"title": "a", "name": "b"}', "x.json", "name: another field of the file means the same"),
        (b'{"title": {"en": "a"}}', "x.json", "title: is not a text"),
        (b'{"startDate": "soon"}', "x.json", "start_date 'soon' is not a date"),
        (b'{"mediaType": "cow"}', "x.json", "media_type 'cow' is unknown"),
        (b"\xff", "x.json", "is not UTF-8"),
        (b"a: &a [x]\nb: [" + b"*a, " * 30_000 + b"*a]", "x.yaml", "values"),
        (b" " * (2 * 1024 * 1024), "x.json", "has more than 1,048,576 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "content",
)
def test_what_is_wrong_in_a_metadata_file_is_named(content: bytes, name: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_metadata(content, name)
