"""What somebody types as sources: blank lines, repeated ones, wrong ones and folders."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.feeds.fields.addresses import LONGEST_LINE
from kaltura_provider.feeds.form.s3_urls import plain_address
from kaltura_provider.feeds.form.typed_sources import typed_sources
from kaltura_provider.hooks.listing import S3Object

CLIPS = [f"day/clip {number}.mp4" for number in range(3)]
BESIDE = ["day/talk.en.srt", "day/talk.jpg", "day/talk.mp4", "day/talk.pdf", "day/talker.srt"]
KEYS = [*CLIPS, "day/_SUCCESS", "day/more/"]


@pytest.fixture(autouse=True)
def bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    def listed(bucket: str, prefix: str, **_: Any) -> Iterator[S3Object]:
        keys = [key for key in KEYS if bucket == "media" and key.startswith(prefix)]
        yield from (S3Object(bucket, key, 100) for key in keys)

    monkeypatch.setattr("kaltura_provider.hooks.listing.list_s3", listed)
    monkeypatch.delenv("KALTURA_ALLOWED_PATHS", raising=False)


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A media file with sidecar files in the bucket."""
    monkeypatch.setattr(f"{__name__}.KEYS", [*KEYS, *BESIDE])


def test_sidecar_files_belong_to_the_object_beside_them(beside: None) -> None:
    lines = ["s3://media/day/talk.mp4", "https://h.example/c.mp4", "s3://media/day/absent.mp4"]
    items = typed_sources(lines, recursive=False, aws_conn_id="aws_default", sidecars=True)
    assert [item.uri for item in items] == lines
    assert [(file["kind"], file["uri"].rpartition("/")[2]) for file in items[0].sidecars] == [
        ("caption", "talk.en.srt"),
        ("thumbnail", "talk.jpg"),
        ("attachment", "talk.pdf"),
    ]
    assert items[1].sidecars == items[2].sidecars == ()
    (alone,) = typed_sources(lines[:1], recursive=False, aws_conn_id="aws_default")
    assert alone.sidecars == ()


def test_a_line_that_names_a_sidecar_file_is_named(beside: None) -> None:
    lines = ["s3://media/day/talk.mp4", "", "s3://media/day/talk.en.srt"]
    with pytest.raises(KalturaConfigurationError) as caught:
        typed_sources(lines, recursive=False, aws_conn_id="aws_default", sidecars=True)
    assert str(caught.value) == (
        "sources name sidecar files: line 3: s3://media/day/talk.en.srt is a sidecar file of day/talk.mp4: "
        "leave these lines out, or switch 'Take sidecar files' off"
    )


def typed(*lines: str, recursive: bool = False) -> list[str]:
    return [item.uri for item in typed_sources(lines, recursive=recursive, aws_conn_id="aws_default")]


def refused(*lines: str, recursive: bool = False) -> str:
    with pytest.raises(KalturaConfigurationError) as caught:
        typed(*lines, recursive=recursive)
    return str(caught.value)


def test_blank_lines_and_blanks_around_are_ignored() -> None:
    assert typed("", " s3://media/a b.mp4\t", "   ", "https://h.example/c.mp4") == [
        "s3://media/a b.mp4",
        "https://h.example/c.mp4",
    ]


def test_names_may_hold_what_file_names_hold() -> None:
    names = ["s3://media/Screenshot 10.15\u202fAM {{ 7*7 }} 😀 %41#?.mp4", "s3://media/👩\u200d🚀.mp4"]
    assert typed(*names) == names


@pytest.mark.parametrize("lines", [[], [""], ["", "  "]])
def test_nothing_typed_is_said(lines: list[str]) -> None:
    assert refused(*lines) == "sources are missing: write s3://bucket/key, https://..., one per line"


def test_every_wrong_line_is_named_by_its_number() -> None:
    text = refused("s3://media/a.mp4", "", "htps://h/x.mp4?token=geheim", "c.mp4", "s3://", "https://", "http://[::1/x")
    for words in ("line 3: 'htps://h/x.mp4?token=", "line 4: 'c.mp4'", "line 5:", "line 6:", "line 7:"):
        assert words in text
    assert "line 1" not in text
    assert "geheim" not in text
    assert text.endswith("write s3://bucket/key, https://...")


def test_a_line_with_controls_or_without_end_is_refused() -> None:
    text = refused("s3://media/a\x1b[31m.mp4", "https://h/a\nb.mp4", f"https://h/{'x' * LONGEST_LINE}")
    assert "line 1: it contains a control character: 's3://media/a\\x1b[31m.mp4'" in text
    assert "\x1b" not in text
    assert "\n" not in text
    assert "line 3: it has 8,202 characters" in text
    assert "and 10 more lines" in refused(*["?"] * 20)


def test_the_same_source_twice_is_one_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    lines = ["https://h.example/a%7eb.mp4", "s3://media/a.mp4", "HTTPS://h.example:443/a~b.mp4 ", "s3://media/a.mp4"]
    assert typed(*lines) == lines[:2]
    assert "Line 3 repeats HTTPS://h.example:443/a~b.mp4" in caplog.text
    assert "Line 4 repeats s3://media/a.mp4" in caplog.text


def test_a_folder_says_what_it_holds_and_what_to_do() -> None:
    text = refused("s3://media/x.mp4", "s3://media/day/")
    assert "line 2: s3://media/day/ holds 4 objects" in text
    assert "'Include folders'" in text
    assert "holds 0 objects" in refused("s3://other")


def test_a_folder_is_opened_where_that_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert typed("s3://media/day/clip 1.mp4", "s3://media/day/", recursive=True) == [
        f"s3://media/day/clip {number}.mp4" for number in (1, 0, 2)
    ]
    assert typed("s3://media/none/", recursive=True) == []
    assert "s3://media/none/ holds 0 objects" in caplog.text
    assert "left out of s3://media/day/: 1 marker files of other programs: _SUCCESS" in caplog.text


def test_local_files_are_offered_where_a_folder_is_allowed(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kaltura_provider.feeds.form.params import form_params

    assert "KALTURA_ALLOWED_PATHS" in refused("file:///etc/hosts")
    assert "file:///" not in form_params()["sources"].description
    monkeypatch.setenv("KALTURA_ALLOWED_PATHS", str(tmp_path))
    assert "file:///" in form_params()["sources"].description
    assert typed(f"file://{tmp_path}/a.mp4", f"{tmp_path}/b.mp4", f"{tmp_path}/a.mp4") == [
        f"file://{tmp_path}/a.mp4",
        f"{tmp_path}/b.mp4",
    ]
    assert "line 1: file:///etc/hosts: it is not in the allowed folders" in refused("file:///etc/hosts")
    assert "has the host" in refused(f"file://evil{tmp_path}/a.mp4")


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (
            "https://s3.console.aws.amazon.com/s3/object/media?region=eu-west-1&prefix=a/b+c%C3%A9.mp4",
            "s3://media/a/b cé.mp4",
        ),
        (
            "https://eu-central-1.console.aws.amazon.com/s3/object/media?bucketType=general&prefix=a.mp4",
            "s3://media/a.mp4",
        ),
        ("https://eu-central-1.console.aws.amazon.com/s3/buckets/media?prefix=day/&tab=objects", "s3://media/day/"),
        ("arn:aws:s3:::media/a b.mp4", "s3://media/a b.mp4"),
        ("https://s3.eu-central-1.amazonaws.com/media/day/a%20b.mp4", "s3://media/day/a b.mp4"),
        ("https://s3.amazonaws.com/media/a.mp4", "s3://media/a.mp4"),
        ("https://media.s3.eu-central-1.amazonaws.com/a.mp4", "s3://media/a.mp4"),
        ("https://my.media.s3-eu-west-1.amazonaws.com/a.mp4", "s3://my.media/a.mp4"),
    ],
)
def test_other_spellings_of_an_s3_address_are_understood(line: str, address: str) -> None:
    assert plain_address(line) == address


@pytest.mark.parametrize(
    "line",
    [
        "https://media.s3.eu-central-1.amazonaws.com/a.mp4?X-Amz-Signature=00",
        "https://s3.console.aws.amazon.com.evil.example/s3/object/media?prefix=a.mp4",
        "https://evil.example/s3/object/media?prefix=a.mp4",
        "https://s3.console.aws.amazon.com/ec2/home",
        "https://user:pass@media.s3.amazonaws.com/a.mp4",
        "s3://media/a%20b.mp4",
        "https://[::1/x",
    ],
)
def test_any_other_address_stays_as_it_is(line: str) -> None:
    assert plain_address(line) == line
