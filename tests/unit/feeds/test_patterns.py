from __future__ import annotations

import pytest

from kaltura_provider.feeds.fields.patterns import check_pattern, matches, split_patterns


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.mp4", "a.mp4", True),
        ("*.mp4", "deep/er/a.mp4", True),
        ("*.mp4", "a.mov", False),
        ("*.mov", "A.MOV", True),
        ("*.MOV", "a.mov", True),
        ("*.{mp4,mov}", "a.mp4", True),
        ("*.{mp4,mov}", "x/a.MOV", True),
        ("*.{mp4,mov}", "a.mkv", False),
        ("{news,sport}/*.{mp4,m{o,k}v}", "sport/a.mkv", True),
        ("{news,sport}/*.{mp4,m{o,k}v}", "other/a.mkv", False),
        ("a{,-hd}.mp4", "a.mp4", True),
        ("a{,-hd}.mp4", "a-hd.mp4", True),
        ("a{b}.mp4", "a{b}.mp4", True),
        ("a{b.mp4", "a{b.mp4", True),
        ("a}b,{c,d}", "a}b,d", True),
        ("**/*.mp4", "a.mp4", True),
        ("**/*.mp4", "x/y/a.mp4", True),
        ("raw/**/*.mp4", "raw/a.mp4", True),
        ("raw/**/*.mp4", "raw/x/y/a.mp4", True),
        ("raw/**/*.mp4", "cooked/raw.mp4", False),
        ("raw/**", "raw/x/a.mp4", True),
        ("clip-[0-9].mp4", "clip-7.mp4", True),
        ("clip-?.mp4", "clip-77.mp4", False),
        # One name, written by macOS and by a keyboard.
        ("caf\u00e9*.mp4", "cafe\u0301 1.mp4", True),
    ],
)
def test_a_path_fits_a_pattern(pattern: str, path: str, expected: bool) -> None:
    assert matches(path, pattern) is expected


def test_a_line_of_patterns_is_split_at_the_commas_outside_braces() -> None:
    assert split_patterns("*.{mp4,mov}, *.mkv ,,{a,{b,c}}") == ["*.{mp4,mov}", "*.mkv", "{a,{b,c}}"]
    assert split_patterns("a}, b") == ["a}", "b"]


def test_braces_that_stand_for_too_many_patterns_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 256 patterns"):
        check_pattern("{a,b}" * 30)
    check_pattern("**/" * 8 + "x")


@pytest.mark.parametrize("pattern", ["*.{mp4,mov", "{a,b}{c,d", "{{a,b}.mp4,x"])
def test_alternatives_that_are_not_closed_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="does not close"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["a{b.mp4", "a{b}.mp4", "{a,b}{c", "a}b,{c,d}", "x[{]a,b"])
def test_a_brace_may_be_a_character(pattern: str) -> None:
    check_pattern(pattern)
