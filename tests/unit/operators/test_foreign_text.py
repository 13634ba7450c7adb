"""Text of others is text: never a formula of a spreadsheet, never a line of a log, in no error more than one line."""

from __future__ import annotations

import csv
import io
import json
import pickle
from typing import TYPE_CHECKING

import pytest

from kaltura_provider.api.errors import KalturaConfigurationError, KalturaError, api_error
from kaltura_provider.feeds.sources.listing import examples
from kaltura_provider.hooks.batch import presentable
from kaltura_provider.hooks.output import write_rows
from kaltura_provider.hooks.sources import shown_address
from kaltura_provider.ingest.item import ItemError
from kaltura_provider.upload.errors import UploadError
from kaltura_provider.upload.sources.errors import SourceChanged, SourceRefused

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "a\n2026-01-01 INFO all is well\r\x1b[2J\x1b]0;title\x07\x9b31m\u202e4pm.\u2028b"


@pytest.mark.parametrize(
    "shown",
    [
        shown_address(f"s3://bucket/{EVIL}"),
        shown_address(f"https://h/{EVIL}?x={EVIL}"),
        shown_address(f"/srv/{EVIL}"),
        presentable(f"s3://b/{EVIL} is gone", f"s3://b/{EVIL}"),
        examples([EVIL, EVIL]),
        str(KalturaError(EVIL)),
        str(KalturaConfigurationError("name", EVIL, "is wrong", "write another")),
        str(api_error("SOME_CODE", EVIL, {"NAME": EVIL})),
        str(SourceRefused(f"s3://b/{EVIL}", f"of {EVIL}")),
        str(SourceChanged(f"s3://b/{EVIL}", EVIL, EVIL)),
        str(UploadError(EVIL, "1_a")),
        ItemError("source", EVIL).message,
    ],
)
def test_what_a_log_or_an_error_shows_is_one_printable_line(shown: str) -> None:
    assert shown.isprintable()
    assert "\\x1b" in shown or "\ufffd" in shown


def test_errors_survive_pickling_as_they_are() -> None:
    error = SourceChanged(f"s3://b/{EVIL}", EVIL, "x")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, rows: list[dict[str, object]]) -> str:
    monkeypatch.setenv("KALTURA_ALLOWED_PATHS", str(tmp_path))
    path = tmp_path / name
    write_rows(rows, str(path), aws_conn_id="aws_default")
    return path.read_bytes().decode()


def test_a_table_holds_no_formulas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formulas = ['=cmd|"/c calc"!A1', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1", "=", "-"]
    plain = ["plain", "-5", "+4.5", "1-2", "a=b", " =x", ""]
    rows = [{"name": text, "=name": "x"} for text in (*formulas, *plain)]
    text = written(tmp_path, monkeypatch, "rows.csv", rows)
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    assert header == ["name", "'=name"]
    assert [line[0] for line in lines] == [f"'{formula}" for formula in formulas] + plain


def test_numbers_stay_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(tmp_path, monkeypatch, "rows.csv", [{"a": -5, "b": -1.5, "c": None}]).splitlines()[1] == "-5,-1.5,"


def test_json_keeps_every_text_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = written(tmp_path, monkeypatch, "rows.jsonl", [{"name": "=1+1"}])
    assert json.loads(text) == {"name": "=1+1"}
