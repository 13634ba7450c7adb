"""The command line against the sandbox and a real S3 server, and the example of each type of source planned by it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from kaltura_provider.cli import entries
from kaltura_provider.cli.main import parser
from kaltura_provider.cli.running import ExitCode, outcome
from kaltura_provider.feeds.files.field_docs import example

DAY = "{{ data_interval_start | ds }}"
LOGGED = re.compile(r"\d{4}-\d\d-\d\dT\S+ \[")


class Ran(NamedTuple):
    code: ExitCode
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(json.loads(self.out))


@pytest.fixture
def kaltura(deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    monkeypatch.setenv("KALTURA_FEEDS_FOLDER", str(deployment.folder / "feeds"))

    def run(*words: str) -> Ran:
        capsys.readouterr()
        args = parser().parse_args(words)
        code = outcome(args.func.__closure__[0].cell_contents, args)
        out, err = capsys.readouterr()
        # The script moves logs to standard error; in a test, they stay where pytest has put them.
        return Ran(code, "".join(line for line in out.splitlines(keepends=True) if not LOGGED.match(line)), err)

    return run


def feed(deployment, **fields: object) -> Any:
    source = {"uri": f"s3://media/{deployment.folder.name}/{DAY}/", "include": "*.mp4"}
    return deployment.feed(**{"name": "news", "start_date": "2024-03-01", "retries": 0, "source": source, **fields})


def test_plan_then_run_then_report(deployment, clips, kaltura) -> None:
    dag = feed(deployment, receipts=str(deployment.folder / "receipts"))
    deployment.put("2024-03-01/one.mp4", clips["clip-1.mp4"])
    deployment.put("2024-03-01/[bold]two.mp4", clips["clip-2.mp4"])
    deployment.put("2024-03-01/notes.txt", b"text")
    words = ("news", "--from", "2024-03-01", "--to", "2024-03-02")

    planned = kaltura("plan", *words, "-o", "json")
    assert (planned.code, deployment.held()) == (ExitCode.DONE, {})
    assert sorted((row["name"], row["decision"], row["bytes"]) for row in planned.rows) == [
        ("", "ignored", None),
        ("[bold]two", "new", len(clips["clip-2.mp4"])),
        ("one", "new", len(clips["clip-1.mp4"])),
    ]
    size = len(clips["clip-1.mp4"]) + len(clips["clip-2.mp4"])
    assert f"2 windows: 2 new, 1 ignored. To bring in: 2 items, {size:,} bytes. Nothing was moved." in planned.err
    by_window = kaltura("plan", *words, "--by-window", "-o", "json").rows
    assert [(row["window"][:10], row["to_bring"], row["bytes"]) for row in by_window] == [
        ("2024-03-01", 2, size),
        ("2024-03-02", 0, 0),
    ]
    table = kaltura("plan", "news", "--date", "2024-03-01").out
    assert "[bold]two" in table
    assert "window" not in table

    assert deployment.run(dag, datetime(2024, 3, 2, tzinfo=UTC)).state == "success"
    again = kaltura("plan", *words, "-o", "json").rows
    assert sorted(row["decision"] for row in again) == ["already there", "already there", "ignored"]

    reported = kaltura("report", *words, "-o", "csv")
    assert reported.code == ExitCode.DONE
    rows = list(csv.DictReader(io.StringIO(reported.out)))
    assert [(row["window"][:10], row["ingested"], row["failed"]) for row in rows] == [
        ("2024-03-01", "2", "0"),
        ("2024-03-02", "0", "0"),
        ("total", "2", "0"),
    ]
    assert rows[-1]["bytes"] == str(size)


def test_a_window_that_cannot_be_planned_is_named(deployment, kaltura) -> None:
    feed(deployment, source={"uri": f"s3://nowhere-at-all/{DAY}/"})
    ran = kaltura("plan", "news", "--date", "2024-03-01", "-o", "json")
    assert (ran.code, ran.rows) == (ExitCode.PROBLEMS, [])
    assert "2024-03-01T00:00:00+00:00: " in ran.err
    assert "nowhere-at-all" in ran.err


def test_a_window_that_cannot_be_read_is_no_good_report(deployment, kaltura) -> None:
    feed(deployment, source={"uri": f"s3://nowhere-at-all/{DAY}/"})
    ran = kaltura("report", "news", "--from", "2024-03-01", "-o", "json")
    assert (ran.code, len(ran.rows)) == (ExitCode.PROBLEMS, 2)
    assert "2024-03-01T00:00:00+00:00: s3://nowhere-at-all/2024-03-01/: the bucket does not exist" in ran.err
    feed(deployment, receipts="s3://nowhere-at-all/receipts")
    ran = kaltura("report", "news", "--from", "2024-03-01", "-o", "json")
    assert (ran.code, ran.out) == (ExitCode.PROBLEMS, "")
    assert ran.err == "s3://nowhere-at-all/receipts/news/runs/2024-03-01/: the bucket does not exist\n"


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("plan", "news", "--date", "9999-12-31"), ExitCode.USAGE, "--date '9999-12-31' is not between 1970 and 2999"),
        (("plan", "news", "--from", "2024-03-02", "--to", "2024-03-01"), ExitCode.USAGE, "swap the dates"),
        (("report", "news", "--from", "1970-01-01", "--to", "2024-03-01"), ExitCode.USAGE, "more than 5,000 windows"),
        (("status", "0_nowhere1", "--wait", "nan"), ExitCode.USAGE, "--wait nan is not a number of minutes"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_dates_and_times_that_make_no_sense_are_mistakes_of_the_command_line(
    deployment, kaltura, words: tuple[str, ...], code: ExitCode, why: str
) -> None:
    feed(deployment)
    ran = kaltura(*words)
    assert (ran.code, ran.out) == (code, "")
    assert why in ran.err


def test_an_expression_that_cannot_be_computed_is_named(deployment, kaltura) -> None:
    feed(deployment, source={"uri": "s3://media/{{ 1 // 0 }}/"}, receipts="/{{ {}['a'] }}")
    ran = kaltura("plan", "news", "--date", "2024-03-01")
    assert ran.code == ExitCode.PROBLEMS
    assert "template 's3://media/{{ 1 // 0 }}/' cannot be rendered (ZeroDivisionError: integer division" in ran.err
    ran = kaltura("report", "news", "--from", "2024-03-01")
    assert (ran.code, ran.out) == (ExitCode.CONFIGURATION, "")
    assert "receipts \"/{{ {}['a'] }}\" cannot be rendered ('dict object' has no attribute 'a'): correct it" in ran.err


def test_a_date_without_an_interval_is_named(deployment, kaltura) -> None:
    feed(deployment, schedule="@weekly")
    ran = kaltura("plan", "news", "--date", "2024-03-01")
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert "no interval of feed 'news' begins on 2024-03-01; its schedule is '@weekly' in UTC" in ran.err


def test_ingest_brings_files_objects_and_folders_in_once(deployment, clips, kaltura, monkeypatch) -> None:
    monkeypatch.delenv("KALTURA_ALLOWED_PATHS")
    (deployment.folder / "film.mp4").write_bytes(clips["clip-3.mp4"])
    monkeypatch.chdir(deployment.folder)
    deployment.put("in/one.mp4", clips["clip-1.mp4"])
    uri = deployment.put("in/two.mp4", clips["clip-2.mp4"])
    folder = uri.rpartition("/")[0] + "/"
    words = ("ingest", "film.mp4", folder, f"{folder}gone.mp4", "--recursive", "--tags", "film,demo", "-o", "json")

    first = kaltura(*words)
    assert first.code == ExitCode.PROBLEMS
    assert [(row["state"], row["new"]) for row in first.rows] == [("done", True)] * 3 + [("failed", False)]
    assert "the object does not exist" in first.rows[-1]["error"]
    assert "3 of 4 in Kaltura" in first.err
    expected = {"film.mp4": "clip-3.mp4", "one.mp4": "clip-1.mp4", "two.mp4": "clip-2.mp4"}
    held = {name: sha256(clips[clip]).hexdigest() for name, clip in expected.items()}
    assert deployment.held() == held
    for line in first.err.splitlines():
        assert "\x1b" not in line

    again = kaltura(*words[:-4], "-o", "json")
    assert [(row["state"], row["new"]) for row in again.rows] == [("done", False)] * 3 + [("failed", False)]
    assert deployment.held() == held

    ids = [row["entry_id"] for row in first.rows[:3]]
    monkeypatch.setattr(entries, "_LOOK_EVERY", 0.2)
    shown = kaltura("status", *ids, "--wait", "1", "-o", "json")
    assert (shown.code, [row["status"] for row in shown.rows]) == (ExitCode.DONE, ["ready"] * 3), shown.err
    assert [row["name"] for row in shown.rows] == list(expected)
    assert shown.rows[0]["playback_url"].startswith(deployment.sandbox.url)
    flavors = kaltura("flavors", ids[0], "-o", "json")
    assert flavors.code == ExitCode.DONE
    assert flavors.rows[0]["is_original"] is True
    assert ids[0] in kaltura("flavors", ids[0]).out
    missing = kaltura("status", ids[0], "0_nowhere1", "-o", "json")
    assert (missing.code, missing.rows[1]["status"]) == (ExitCode.PROBLEMS, "not found")
    assert "entry 0_nowhere1 does not exist" in missing.err
    assert kaltura("flavors", "0_nowhere1").code == ExitCode.PROBLEMS


def test_a_plan_says_that_receipts_cannot_be_written(deployment, kaltura) -> None:
    feed(deployment, receipts="/etc/receipts")
    ran = kaltura("plan", "news", "--from", "2024-03-01", "--to", "2024-03-02")
    assert ran.err.count("Runs would fail here: receipts '/etc/receipts' cannot be used: ") == 1


def test_a_file_name_that_is_not_utf_8_is_named(deployment, kaltura) -> None:
    ran = kaltura("ingest", os.fsdecode(b"/tmp/caf\xe9.mp4"))
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert ran.err == "/tmp/caf\\udce9.mp4 is not UTF-8, and names in Kaltura are; rename the file\n"


def test_a_wait_that_ends_before_the_conversion_is_a_problem(deployment, kaltura, monkeypatch) -> None:
    from kaltura_provider.services.entry import stored

    monkeypatch.setattr(stored, "stored_entries", lambda *_, **__: {"0_ab12cd34": {"id": "0_ab12cd34", "status": 1}})
    assert kaltura("status", "0_ab12cd34").code == ExitCode.DONE
    waited = kaltura("status", "0_ab12cd34", "--wait", "0.0001", "-o", "json")
    assert (waited.code, waited.rows[0]["status"]) == (ExitCode.PROBLEMS, "preconvert")
    assert "Kaltura has not finished entry 0_ab12cd34 within 0.0001 minutes" in waited.err


def test_housekeeping_lists_and_deletes_what_was_left_behind(deployment, kaltura) -> None:
    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.ingest.identity import token_file_name

    client = KalturaHook().get_conn()
    name = token_file_name("0" * 32, "0" * 32, "clip.mp4")
    token = client.call("uploadToken", "add", {"uploadToken": {"fileName": name, "fileSize": 5}})["id"]
    assert kaltura("housekeeping", "-o", "json").rows == []
    deployment.sandbox.control.advance_clock(3 * 3600)
    found = kaltura("housekeeping", "--older-than", "2", "-o", "json")
    assert [(row["kind"], row["id"], row["deleted"]) for row in found.rows] == [("token", token, False)]
    deleted = kaltura("housekeeping", "--older-than", "2", "--delete", "-o", "json")
    assert (deleted.code, deleted.rows[0]["deleted"]) == (ExitCode.DONE, True)
    assert kaltura("housekeeping", "--older-than", "2").out == "Nothing was left behind.\n"


def by_check(ran: Ran) -> dict[str, dict[str, str]]:
    return {row["check"]: row for row in ran.rows}


def test_doctor_finds_nothing_wrong(deployment, kaltura) -> None:
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    feed(deployment, pool="default_pool")
    with create_session() as session:
        Pool.create_or_update_pool("kaltura", slots=8, description="", include_deferred=False, session=session)
    ran = kaltura("doctor", "-o", "json")
    assert ran.code == ExitCode.DONE, ran.out
    seen = by_check(ran)
    assert seen["bucket media by aws_default"]["result"] == "ok"
    assert seen["pool kaltura"]["found"] == "8 slots"
    assert seen["clock against kaltura_default"]["result"] == "ok"
    assert "ADMIN session" in seen["connection kaltura_default"]["found"]
    # No scheduler runs here.
    assert seen["scheduler"]["result"] == "warning"
    assert deployment.sandbox.admin_secret not in ran.out


def test_doctor_says_what_to_fix(deployment, kaltura, tmp_path) -> None:
    feed(deployment, source={"uri": "s3://nowhere-at-all/"}, connections={"kaltura": "other"})
    (deployment.folder / "feeds" / "bad.yaml").write_text("name: bad\n")
    deployment.connect(password="f" * 32)
    ran = kaltura("doctor", "-o", "json")
    assert ran.code == ExitCode.PROBLEMS
    seen = by_check(ran)
    failed = {name for name, row in seen.items() if row["result"] == "failed"}
    assert {"connection kaltura_default", "connection other", "bucket nowhere-at-all by aws_default"} <= failed
    assert "The secret does not belong to partner" in seen["connection kaltura_default"]["found"]
    assert "'other' is not the id of a connection" in seen["connection other"]["found"]
    assert any(row["check"] == "feeds" and "bad.yaml:1: " in row["found"] for row in ran.rows)
    assert all(row["fix"] for row in ran.rows if row["result"] != "ok")
    assert "f" * 32 not in ran.out + ran.err


@pytest.mark.parametrize(
    ("fields", "code", "why"),
    [
        ({"password": "f" * 32}, ExitCode.CONFIGURATION, "The secret does not belong to partner"),
        ({"login": "x"}, ExitCode.CONFIGURATION, "login (partner id)"),
        ({"host": "http://127.0.0.1:9"}, ExitCode.UNAVAILABLE, "refused the connection"),
    ],
    ids=["secret", "partner", "host"],
)
def test_what_the_connection_lacks_has_its_exit_code(
    deployment, kaltura, monkeypatch, fields: dict[str, str], code: ExitCode, why: str
) -> None:
    from kaltura_provider.api import retry

    monkeypatch.setattr(retry.RetrySettings, "delay", lambda *_, **__: None)
    deployment.connect(**fields)
    ran = kaltura("status", "0_nowhere1")
    assert (ran.code, ran.out) == (code, "")
    assert why in ran.err
    assert len(ran.err.splitlines()) == 1


def test_the_script_writes_only_results_to_standard_output(deployment, clips) -> None:
    feed(deployment)
    deployment.put("2024-03-01/one.mp4", clips["clip-1.mp4"])
    script = Path(sys.executable).with_name("kaltura")
    words = ["plan", "news", "--date", "2024-03-01", "-o", "json", "--verbose"]
    done = subprocess.run([script, *words], capture_output=True, text=True, timeout=120, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert [row["decision"] for row in json.loads(done.stdout)] == ["new"]
    assert "1 window: 1 new" in done.stderr


ROW = "url,title\nhttps://example.com/one.mp4,One\n"
RSS = """<rss version="2.0"><channel><title>t</title><item><title>One</title><guid>1</guid>
<enclosure url="https://example.com/one.mp4" type="video/mp4" length="1"/></item></channel></rss>"""
INVENTORY = {
    "sourceBucket": "media", "destinationBucket": "arn:aws:s3:::media", "creationTimestamp": "1709427600000",
    "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size, LastModifiedDate",
    "files": [{"key": "FOLDER/list/1.csv.gz"}],
}  # fmt: skip
# What the example of a type reads in its first window, and how many items it then brings in. FOLDER is the test's own.
HELD: dict[str, tuple[dict[str, str], int]] = {
    "s3_prefix": ({"s3://media/studio/2024-03-01/a.mp4": "", "s3://media/studio/2024-03-01/a-draft.mp4": ""}, 1),
    "s3_new": ({"s3://media/inbox/a.mp4": ""}, 1),
    "urls": ({"https://example.com/news/2024-03-01.mp4": "", "s3://media/studio/2024-03-01.mp4": ""}, 2),
    "manifest": ({"s3://media/lists/2024-03-03.csv.gz": ROW}, 1),
    "rss": ({"https://example.com/podcast/feed.xml": RSS, "https://example.com/one.mp4": ""}, 1),
    "sqs": ({"s3://media/inbox/a.mp4": ""}, 0),
    "s3_inventory": (
        {
            "s3://archive/2024/a.mp4": "",
            "s3://list/1.csv.gz": '"media","FOLDER/archive/2024/a.mp4","5","2024-03-01T10:00:00.000Z"\n',
            "s3://inventories/archive/daily/2024-03-03T01-00Z/manifest.json": json.dumps(INVENTORY),
        },
        1,
    ),
}


@pytest.mark.parametrize("kind", HELD)
def test_the_example_of_a_type_of_source_is_planned(deployment, site, clips, kaltura, monkeypatch, kind: str) -> None:
    held, expected = HELD[kind]
    own = f"s3://media/{deployment.folder.name}/"
    for address, text in held.items():
        text = text.replace("https://example.com", site.url).replace("FOLDER", deployment.folder.name)
        content = text.encode() or clips["clip-1.mp4"]
        content = gzip.compress(content) if address.endswith(".gz") else content
        if address.startswith("s3://"):
            deployment.put(address.removeprefix("s3://"), content)
        else:
            site.files[address.removeprefix("https://example.com")] = content
    monkeypatch.setenv("AIRFLOW_CONN_EXAMPLE_SITE", json.dumps({"conn_type": "http", "host": site.url}))
    text = example(kind).replace("s3://", own).replace("https://example.com", site.url)
    (deployment.folder / "feeds").mkdir(exist_ok=True)
    (deployment.folder / "feeds" / "example.yaml").write_text(text)
    said = yaml.safe_load(text)
    start = {"@hourly": "2024-03-01T00:00", "@weekly": "2024-03-03"}.get(said.get("schedule"), "2024-03-01")
    # Such a feed is planned by when its objects were modified.
    hours = [f"{datetime.now(UTC) - timedelta(hours=back):%Y-%m-%dT%H:00}" for back in (1, 0)]
    dates = ("--from", hours[0], "--to", hours[1]) if kind == "s3_new" else ("--date", start)
    ran = kaltura("plan", said["name"], *dates, "-o", "json")
    assert ran.code == ExitCode.DONE, ran.err
    assert sum(row["decision"] == "new" for row in ran.rows) == expected, (ran.rows, ran.err)
