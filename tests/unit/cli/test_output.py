from __future__ import annotations

import csv
import io
import json

import pytest
import yaml

from kaltura_provider.cli.output import write_rows

ROWS = [
    {"name": "[bold]a\x1b[2Jb\nc", "tags": ["x", "y"], "bytes": 1234567, "ready": True, "note": None},
    {"name": "Ü\tz", "tags": [], "bytes": 0, "ready": False, "note": None},
]
SECRET = "https://example.com/a.mp4?X-Amz-Signature=f00dcafe"


def written(capsys: pytest.CaptureFixture[str], output: str, rows: list[dict[str, object]] | None = None) -> str:
    write_rows(ROWS if rows is None else rows, output)
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_json_and_yaml_keep_values_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(written(capsys, "json")) == ROWS
    assert yaml.safe_load(written(capsys, "yaml")) == ROWS


def test_plain_has_a_line_a_row_and_tabs_between_values(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.split("\t") for line in written(capsys, "plain").splitlines()]
    assert lines[0] == ["name", "tags", "bytes", "ready", "note"]
    assert lines[1] == ["[bold]a\\x1b[2Jb c", "x, y", "1234567", "yes", ""]
    assert [len(line) for line in lines] == [5, 5, 5]


def test_csv_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(written(capsys, "csv"))))
    assert [row["bytes"] for row in rows] == ["1234567", "0"]


def test_a_table_has_no_markup_no_control_characters_and_no_empty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    text = written(capsys, "table")
    assert "[bold]a\\x1b[2Jb c" in text
    assert "1,234,567" in text
    assert "\x1b" not in text
    assert "note" not in text
    assert len(text.splitlines()) == 4


@pytest.mark.parametrize("output", ["table", "json", "yaml", "plain", "csv"])
def test_no_output_has_secrets(capsys: pytest.CaptureFixture[str], output: str) -> None:
    text = written(capsys, output, [{"uri": SECRET, "parts": [SECRET], "more": {"url": SECRET}}])
    assert "example.com" in text
    assert "f00dcafe" not in text


@pytest.mark.parametrize(("output", "expected"), [("table", "Nothing to show.\n"), ("json", "[]\n"), ("plain", "")])
def test_no_rows(capsys: pytest.CaptureFixture[str], output: str, expected: str) -> None:
    assert written(capsys, output, []) == expected
