"""Manifests of every format: good rows are taken, and each bad one is named with its line."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.feeds.planning.planner import Planner
from kaltura_provider.feeds.sources import Found, Search, rendered_source
from kaltura_provider.feeds.sources import manifest_rows as module
from kaltura_provider.feeds.sources.manifest import BAD_ROW
from kaltura_provider.feeds.sources.manifest_rows import read_rows

SEARCH = Search(day=date(2024, 3, 1), timezone="Europe/Berlin")
GUIDE = """\
*action,title,description,tags,url,mediaType
1,Video Title,Description,"tag1,tag2",https://example.com/video.mp4,1
1,Another Video,Another desc,"tag3",https://example.com/video2.mp4,1
"""


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KALTURA_ALLOWED_PATHS", str(tmp_path))

    def read(content: str | bytes, name: str = "list.csv", **fields: object) -> Found:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return rendered_source({"type": "manifest", "uri": str(path), **fields}).find(SEARCH)

    return read


def test_the_guides_csv(found) -> None:
    items = found(GUIDE).items
    assert [item.uri for item in items] == ["https://example.com/video.mp4", "https://example.com/video2.mp4"]
    assert items[0].metadata == {
        "name": "Video Title",
        "description": "Description",
        "tags": ["tag1", "tag2"],
        "media_type": "video",
    }


def test_a_plan_shows_which_entries_change_and_what_is_not_used(found) -> None:
    content = (
        "*action,title,url,entryId,referenceId,colour\n"
        "1,New,https://example.com/a.mp4,,,red\n"
        "2,Other name,,0_abcdefgh,,\n"
        "3,,,,ref-1,\n"
        "3,,https://example.com/gone.mp4?token=geheim,,,\n"
    )
    plan = Planner(metadata=lambda item: dict(item.metadata)).plan(found(content, allow=["update", "delete"]))
    rows = [(row["decision"], row["uri"], row["name"], row["reason"]) for row in plan.rows()]
    assert rows == [
        ("new", "https://example.com/a.mp4", "New", ""),
        ("to update", "entry 0_abcdefgh", "Other name", "line 3"),
        ("to delete", "reference ref-1", "", "line 4"),
        ("to delete", "https://example.com/gone.mp4", "", "line 5"),
    ]
    assert len(plan.wanted) == 1
    assert plan.warnings == ("Column 'colour' (line 2) is unknown and ignored.",)


def test_kalturas_own_bulk_csv(found) -> None:
    header = (
        "*title,description,tags,url,contentType,conversionProfileId,accessControlProfileId,category,"
        "scheduleStartDate,scheduleEndDate,thumbnailUrl,partnerData,ownerId,referenceId"
    )
    row = 'A,B,"a,b",s3://media/a.mp4,Video,7,8,"News>Sport,Arts",2024-07-01T12:00:00,2024-12-01T12:00:00,,p,me,ref-1'
    said = found(f"{header}\n# a comment\n\n{row}\n")
    assert said.items[0].metadata == {
        "name": "A",
        "description": "B",
        "tags": ["a", "b"],
        "media_type": "video",
        "conversion_profile_id": 7,
        "access_control_id": 8,
        "categories": ["News>Sport", "Arts"],
        "start_date": 1719828000,  # noon in Berlin
        "end_date": 1733050800,
        "partner_data": "p",
        "user_id": "me",
        "reference_id": "ref-1",
    }
    assert said.warnings == ["Column 'thumbnailUrl' (line 4) is unknown and ignored."]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '[\n{"url": "https://a/1.mp4", "title": "One"},\n"https://a/2.mp4"\n]'),
        ("a.jsonl", '{"url": "https://a/1.mp4", "name": "One"}\n\n"https://a/2.mp4"\n'),
        ("a.csv", "\ufeffname;url\r\nOne;https://a/1.mp4\r\n;https://a/2.mp4\r\n"),
        ("a.tsv", "url\tname\nhttps://a/1.mp4\tOne\nhttps://a/2.mp4\n"),
    ],
)
def test_every_format_says_the_same(found, name: str, content: str) -> None:
    for said in (found(content, name), found(gzip.compress(content.encode(), mtime=0), f"{name}.gz")):
        assert [(item.uri, item.metadata) for item in said.items] == [
            ("https://a/1.mp4", {"name": "One"}),
            ("https://a/2.mp4", {}),
        ]
        assert said.left_out == {}


def test_bad_rows_are_named_by_line_and_the_good_ones_go_in(found) -> None:
    content = (
        "url,title,action,mediaType,referenceId,entryId\n"
        "https://a/1.mp4,Good,1,,,\n"
        ",No address,1,,,\n"
        "ftp://a/2.mp4,Bad scheme,1,,,\n"
        '"https://a/3.mp4","two\nlines",1,hologram,,\n'
        "https://a/4.mp4,Gone,delete,,,\n"
        "https://A/1.mp4,Again,1,,,\n"
        "file:///etc/passwd,Secret,,,,\n"
        "https://a/5.mp4,Short,1,,x,\n"
        "https://a/6.mp4,{{ params.x }},1,,,\n"
        "https://a/7.mp4,Named,1,,,0_abc\n"
        "https://a/8.mp4,1,2,3,4,5,6,7\n"
        "https://a/9.mp4,Good too,,,,\n"
    )
    said = found(content)
    assert [item.uri for item in said.items] == ["https://a/1.mp4", "https://a/9.mp4"]
    problems = {int(text.split()[1].rstrip(":")): text for text in said.left_out[BAD_ROW]}
    expected = {
        3: "url is missing",
        4: "is not an address",
        6: "media_type 'hologram' is unknown",
        7: "action delete is not allowed",
        8: "repeats the address of line 2",
        9: "allowed folders",
        10: "reference_id 'x' is too short",
        11: "is not a placeholder",
        12: "entry_id cannot be set by action add",
        13: "has 8 cells for 6 columns",
    }
    assert problems.keys() == expected.keys()
    for line, words in expected.items():
        assert words in problems[line]


def test_rows_change_and_delete_where_the_feed_allows_it(found) -> None:
    content = (
        "action,url,entryId,referenceId,title,mediaType,conversionProfileId\n"
        "2,,0_abcd1234,new-reference,New name of {{ ds }},1,\n"
        "update,,,ref-1,Other name,,\n"
        "3,https://a/1.mp4,,,Whatever,,\n"
        "4,https://a/1.mp4,,,,,\n"
        "2,,,,Of nothing,,\n"
        "2,,0_abcd1234,,,,\n"
        "delete,,not an id,,,,\n"
    )
    said = found(content, allow=["update", "delete"])
    assert said.items == []
    assert said.changes == [
        {
            "line": 2,
            "action": "update",
            "entry_id": "0_abcd1234",
            "metadata": {"name": "New name of 2024-03-01", "reference_id": "new-reference"},
        },
        {"line": 3, "action": "update", "reference_id": "ref-1", "metadata": {"name": "Other name"}},
        {"line": 4, "action": "delete", "url": "https://a/1.mp4"},
    ]
    expected = ["line 5: action '4' is not 1", "line 6: url is missing", "line 7: changes", "line 8: entryId"]
    for text, words in zip(said.left_out[BAD_ROW], expected, strict=True):
        assert text.startswith(words)
    assert found(content, allow=["delete"]).changes == [said.changes[2]]


def test_bad_rows_of_json(found) -> None:
    content = '[\n{"url": "https://a/1.mp4"},\n7,\n{"url": {"a": 1}},\n{"url": "https://a/2.mp4", "tags": [1]}\n]'
    said = found(content, "a.json")
    assert [item.uri for item in said.items] == ["https://a/1.mp4"]
    assert [text.partition(":")[0] for text in said.left_out[BAD_ROW]] == ["line 3", "line 4", "line 5"]
    said = found('{"url": "https://a/1.mp4"}\n{"url": \n"https://a/2.mp4"\n', "a.jsonl")
    assert [item.uri for item in said.items] == ["https://a/1.mp4", "https://a/2.mp4"]
    assert said.left_out[BAD_ROW] == ['line 2: is not valid JSON: {"url":']


def test_a_row_that_says_nothing_that_is_known_is_named(found) -> None:
    said = found('[{"file": "s3://media/a.mp4"}, {}, ""]', "a.json")
    assert (said.items, said.left_out[BAD_ROW]) == ([], ["line 1: has no url"] * 3)
    said = found("url,colour\n,red\n,\n")
    assert said.left_out[BAD_ROW] == ["line 2: has no url"]


def test_a_quoted_cell_can_begin_like_a_comment(found) -> None:
    content = 'title,url\n# "no row,\n"#1 hit",https://a/1.mp4\n"two\n# lines",https://a/2.mp4\n#,https://a/3.mp4\n'
    assert [item.metadata["name"] for item in found(content).items] == ["#1 hit", "two\n# lines"]


def test_texts_take_placeholders_and_nothing_else(found) -> None:
    rows = [
        {"url": "https://a/clip.mp4", "name": "{{ asset.stem }} of {{ ds }}", "tags": ["{{ asset.name }}"]},
        {"url": "https://a/other.mp4", "name": "{% raw %} {{ 7 * 7 }}"},
    ]
    items = found(json.dumps(rows), "a.json").items
    assert items[0].metadata == {"name": "clip of 2024-03-01", "tags": ["clip.mp4"]}
    assert items[1].metadata == {"name": "{% raw %} {{ 7 * 7 }}"}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"title,description\nA,B\n", "line 1: is not a header with a url column"),
        ("a.csv", b"url,title,name\n", "line 1: has more than one column for name"),
        ("a.csv", b'url\n"https://a/1.mp4\n', "is not valid CSV"),
        ("a.csv", b"url\nhttps://a/\xff.mp4\n", "line 2: is not UTF-8"),
        ("a.csv.gz", gzip.compress(b"url\n" * 1000, mtime=0)[:-9], "is not a complete gzip file"),
        ("a.json", b'{"url": "https://a/1.mp4"}', "line 1: is not a JSON list"),
        ("a.json", b'[\n{"url": "https://a/1.mp4"}\n{"url": 1}]', "line 3: is not valid JSON"),
        ("a.json", b'[\n{"url": "https://a/1.mp4"},\n{"url"', "line 3: is not valid JSON"),
        ("a.json", b'["https://a/1.mp4"]\n["https://a/2.mp4"]', "line 2: is not valid JSON: something follows"),
        ("a.json", b"[\n" + b"[" * 100_000, "line 2: is not valid JSON: nested too deeply"),
        ("a.txt", b"url\n", "its name does not give its format"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_line(found, name: str, content: bytes, expected: str) -> None:
    with pytest.raises(ValueError, match="The manifest") as caught:
        found(content, name)
    assert expected in str(caught.value)


def test_a_format_can_be_said(found) -> None:
    assert len(found("url\nhttps://a/1.mp4\n", "list.txt", format="csv").items) == 1


def test_bounds(found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    with pytest.raises(ValueError, match="has more than 2 rows"):
        found("url\nhttps://a/1.mp4\nhttps://a/2.mp4\nhttps://a/3.mp4\n")
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match="more than 100 bytes after decompression"):
        found(gzip.compress(b"url\n" * 100, mtime=0), "a.csv.gz")
    with pytest.raises(Exception, match="has 400 bytes"):
        found("url\n" * 100)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode), st.sampled_from(["csv", "json", "jsonl"]))
def test_any_bytes_are_rows_or_an_error_in_words(content: bytes, kind: str) -> None:
    problem = ""
    try:
        read_rows(content, kind)
    except ValueError as error:
        problem = str(error)
    assert problem.startswith(("line ", "is not a complete gzip", "has more than")) or not problem


def test_a_long_json_list_is_read_in_one_go() -> None:
    rows = read_rows(json.dumps([{"url": f"https://a/{n}.mp4"} for n in range(50_000)], indent=0).encode(), "json")
    assert len(rows.rows) == 50_000
    assert rows.rows[-1].line == 2 + 3 * 49_999
