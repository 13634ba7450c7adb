"""``feeds lint``, ``feeds schema``, ``feeds new``: in this process, with what they print and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from kaltura_provider.cli.main import parser
from kaltura_provider.cli.running import ExitCode, outcome
from kaltura_provider.feeds.files.field_docs import feed_fields, json_schema, source_fields
from kaltura_provider.feeds.files.load import load_feed
from kaltura_provider.feeds.sources import SOURCE_TYPES


class Ran(NamedTuple):
    code: ExitCode
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KALTURA_FEEDS_FOLDER", str(tmp_path))
    return tmp_path


@pytest.fixture
def kaltura(folder: Path, capsys: pytest.CaptureFixture[str]):
    def run(*words: str) -> Ran:
        args = parser().parse_args(words)
        code = outcome(args.func.__closure__[0].cell_contents, args)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("kind", SOURCE_TYPES)
def test_a_new_feed_is_valid_and_explains_its_fields(kaltura, folder: Path, kind: str) -> None:
    assert kaltura("feeds", "new", "fresh", "--type", kind).code == ExitCode.DONE
    assert kaltura("feeds", "lint") == (ExitCode.DONE, "", "1 feed file checked, 0 with problems\n")
    path = folder / "fresh.yaml"
    feed = load_feed(path)
    assert (feed.name, feed.source.type) == ("fresh", kind)
    text = path.read_text()
    for note in [note for note in feed_fields() if not note.advanced and note.name != "source"] + source_fields(kind):
        assert f"{note.name.rpartition('.')[2]}:" in text


def test_what_is_a_comment_in_a_new_feed_can_be_used(kaltura, folder: Path) -> None:
    text = kaltura("feeds", "new", "fresh", "--file", "-").out
    fields = [
        line.removeprefix("# ")
        for line in text.splitlines()
        if line.startswith(("# metadata:", "# connections:", "#   "))
    ]
    groups = yaml.safe_load("\n".join(fields))
    assert groups["metadata"]["name"] == "{{ asset.stem }}"
    path = folder / "all.yaml"
    path.write_text(text + yaml.safe_dump(groups))
    assert load_feed(path).name == "fresh"


def test_new_overwrites_nothing_and_names_what_is_wrong(kaltura, folder: Path) -> None:
    (folder / "old.yaml").write_text("mine")
    for words, why in (
        (("old",), "old.yaml exists; give another name"),
        (("Old!",), "name 'Old!' must be 1 to 61 of a-z"),
        (("x", "--type", "s3_prefx"), "type 's3_prefx' is not a type of source; did you mean 's3_prefix'?"),
        (("x", "--file", str(folder / "no" / "x.yaml")), "cannot be written: No such file or directory"),
    ):
        ran = kaltura("feeds", "new", *words)
        assert (ran.code, ran.out) == (ExitCode.USAGE, "")
        assert why in ran.err
    assert (folder / "old.yaml").read_text() == "mine"


def test_lint_shows_file_line_and_column(kaltura, folder: Path) -> None:
    path = folder / "bad.yaml"
    path.write_text("name: bad\nstart_date: 2024-03-01\nsource: {type: urls, urls: ['ftp://x/y']}\nshedule: x\n")
    ran = kaltura("feeds", "lint")
    assert ran.code == ExitCode.PROBLEMS
    assert ran.out.splitlines() == [
        f"{path}:3:29: source.urls.0: 'ftp://x/y' is not an address; write https://host/file or s3://bucket/key",
        f"{path}:4:1: shedule: is not a field; did you mean 'schedule'?",
    ]
    rows = json.loads(kaltura("feeds", "lint", "-o", "json", str(path)).out)
    assert rows[1] == {"file": str(path), "line": 4, "column": 1, "field": "shedule",
                       "problem": "is not a field; did you mean 'schedule'?"}  # fmt: skip


def test_lint_of_one_file_knows_the_names_of_the_others(kaltura, folder: Path, tmp_path_factory) -> None:
    for name in ("one", "two"):
        kaltura("feeds", "new", "news", "--file", str(folder / f"{name}.yaml"))
    ran = kaltura("feeds", "lint", str(folder / "one.yaml"))
    assert (ran.code, ran.err) == (ExitCode.PROBLEMS, "1 feed file checked, 1 with problems\n")
    assert ran.out.endswith(": name: 'news' is the name of the feed in two.yaml too; choose another\n")
    # A draft is not in the folder.
    draft = tmp_path_factory.mktemp("drafts") / "one.yaml"
    draft.write_text((folder / "one.yaml").read_text())
    assert kaltura("feeds", "lint", str(draft)).code == ExitCode.DONE


def test_lint_of_a_missing_file_and_folder(kaltura, folder: Path) -> None:
    ran = kaltura("feeds", "lint", str(folder / "no.yaml"))
    assert (ran.code, ran.out) == (ExitCode.PROBLEMS, f"{folder}/no.yaml:1:1: does not exist; correct the path\n")
    ran = kaltura("feeds", "lint", "--feeds-folder", str(folder / "no"))
    assert ran.code == ExitCode.USAGE
    assert f"feeds folder {folder}/no does not exist; give --feeds-folder" in ran.err


def test_schema_is_the_json_schema(kaltura) -> None:
    assert json.loads(kaltura("feeds", "schema").out) == json_schema()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("report", "news"), "--from is missing"),
        (("plan", "news", "--date", "2024-03-01", "--from", "2024-03-01"), "--date does not go with --from and --to"),
        (("plan", "news", "--date", "soon"), "--date 'soon' is not a date; write it like 2024-03-01"),
        (("plan", "nwes"), "feed 'nwes' is not in"),
        (("plan", "nwes"), "did you mean 'news'?"),
        (("plan", "./nowhere.yaml"), "feed file ./nowhere.yaml does not exist"),
        (("status", "no id"), "ENTRY 'no id' is not an entry id"),
        (("housekeeping", "--older-than", "0.5"), "--older-than 0.5 is too short"),
        (("ingest", "s3://media/folder/"), "s3://media/folder/ is a folder; give --recursive"),
        (("ingest", "ftp://example.com/a.mp4"), "is not an address; give s3://bucket/key"),
        (("ingest", "/no/such/film.mp4"), "/no/such/film.mp4 is not a file"),
        (
            ("ingest", "s3://media/a.mp4", "s3://media/b.mp4", "--name", "x"),
            "--name is for one source, and there are 2",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_command_line_is_named_before_anything_is_done(kaltura, words: tuple[str, ...], why: str) -> None:
    kaltura("feeds", "new", "news")
    ran = kaltura(*words)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert why in ran.err


def test_the_feed_of_a_command_is_named_with_its_mistakes(kaltura, folder: Path) -> None:
    (folder / "bad.yaml").write_text("name: bad\n")
    ran = kaltura("plan", "bad")
    assert (ran.code, ran.out) == (ExitCode.CONFIGURATION, "")
    missing = [f"{folder}/bad.yaml:1: {field}: is missing; add it" for field in ("start_date", "source")]
    assert ran.err.splitlines() == missing
