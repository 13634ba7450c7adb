"""S3 Inventories in CSV and Parquet: read once, checked, and looked up by prefix and date."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pyarrow
import pyarrow.parquet
import pytest

from kaltura_provider.feeds.sources import Search, rendered_source
from kaltura_provider.hooks import inventory as module
from kaltura_provider.hooks.inventory import find_manifest, open_inventory
from kaltura_provider.upload.sources.errors import SourceMismatch, SourceNotFound
from tests.unit.feeds.s3_store import Store

FOLDER = "inv/archive/daily"
MANIFEST = f"s3://inventories/{FOLDER}/2024-03-02T01-00Z/manifest.json"
SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass"
ROWS = [
    ("2024/a +1.mp4", "true", "false", 10, "2024-03-01T10:00:00.000Z"),
    ("2024/b.mp4", "true", "false", 20, "2024-03-02T10:00:00.000Z"),
    ("2024/b.mp4", "false", "false", 19, "2024-03-01T10:00:00.000Z"),
    ("2024/gone.mp4", "true", "true", 0, "2024-03-01T10:00:00.000Z"),
    ("2025/c.mp4", "true", "false", 30, "2024-03-01T23:59:59.000Z"),
    ("2024\uffff.mp4", "true", "false", 5, "2024-03-01T00:00:00.000Z"),
]


def csv_file() -> bytes:
    lines = (
        f'"archive","{quote_plus(key, safe="/")}","v","{latest}","{marker}","{size}","{modified}","e{size}","COLD"\n'
        for key, latest, marker, size, modified in ROWS
    )
    return gzip.compress("".join(lines).encode())


def parquet_file() -> bytes:
    columns = ["bucket", "key", "is_latest", "is_delete_marker", "size", "last_modified_date", "e_tag", "storage_class"]
    rows = [
        (
            "archive",
            key,
            latest == "true",
            marker == "true",
            size,
            dt.datetime.fromisoformat(modified),
            f"e{size}",
            "GLACIER",
        )
        for key, latest, marker, size, modified in ROWS
    ]
    table = pyarrow.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue()


def store(content: bytes, kind: str = "CSV", **fields: Any) -> Store:
    made = Store()
    key = f"{FOLDER}/data/1.{kind}"
    made.objects[key] = content
    file = {"key": key, "size": len(content), "MD5checksum": hashlib.md5(content).hexdigest()}
    said = {
        "sourceBucket": "archive", "destinationBucket": "arn:aws:s3:::inventories", "fileFormat": kind,
        "creationTimestamp": "1709341200000", "fileSchema": SCHEMA, "files": [file],
    }  # fmt: skip
    made.objects[MANIFEST.removeprefix("s3://inventories/")] = json.dumps(said | fields).encode()
    return made


@pytest.mark.parametrize(
    ("content", "kind"), [(csv_file(), "CSV"), (parquet_file(), "Parquet")], ids=("csv", "parquet")
)
def test_one_reading_serves_all_windows(tmp_path: Path, content: bytes, kind: str) -> None:
    client = store(content, kind)
    first = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    day = dt.timedelta(days=1)
    found = [
        [item.key for item in open_inventory(client, MANIFEST, tmp_path).objects("2024/", (moment, moment + day))]
        for moment in (first, first + day, first + 2 * day)
    ]
    assert found == [["2024/a +1.mp4"], ["2024/b.mp4"], []]
    assert client.reads.count(f"{FOLDER}/data/1.{kind}") == 1
    inventory = open_inventory(client, MANIFEST, tmp_path)
    assert [(one.key, one.size, one.etag) for one in inventory.objects("")] == [
        ("2024/a +1.mp4", 10, "e10"),
        ("2024/b.mp4", 20, "e20"),
        ("2024\uffff.mp4", 5, "e5"),
        ("2025/c.mp4", 30, "e30"),
    ]
    assert inventory.created == dt.datetime(2024, 3, 2, 1, tzinfo=dt.UTC)
    client.objects[MANIFEST.removeprefix("s3://inventories/")] += b" "  # another inventory in its place
    open_inventory(client, MANIFEST, tmp_path)
    assert client.reads.count(f"{FOLDER}/data/1.{kind}") == 2


def test_the_newest_inventory_that_is_whole_is_read() -> None:
    client = store(csv_file())
    client.objects[f"{FOLDER}/2024-03-09T01-00Z/manifest.checksum"] = b""
    client.objects[f"{FOLDER}/2024-02-09T01-00Z/manifest.json"] = b""
    assert find_manifest(client, f"s3://inventories/{FOLDER}") == MANIFEST
    assert find_manifest(client, MANIFEST) == MANIFEST
    with pytest.raises(SourceNotFound, match="there is no inventory below it"):
        find_manifest(client, "s3://inventories/other/")


def test_fields_that_a_feed_needs_must_be_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = gzip.compress(b'"archive","2024/a.mp4","10"\n')
    client = store(line, fileSchema="Bucket, Key, Size")
    monkeypatch.setattr("kaltura_provider.hooks.sources.shared_s3_client", lambda _: client)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    said = {"type": "s3_inventory", "uri": "s3://archive/2024/", "inventory": MANIFEST}
    day = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    search = Search(window=(day, day + dt.timedelta(days=1)))
    assert len(rendered_source(said).find(search).items) == 1
    with pytest.raises(ValueError, match=r"in_interval needs dates, and the inventory .* does not list"):
        rendered_source({**said, "modified": "in_interval"}).find(search)
    client = store(line, fileSchema="Bucket, Key, LastModifiedDate")
    with pytest.raises(ValueError, match="does not list the field Size"):
        rendered_source(said).find(search)


BAD = gzip.compress(b'"archive","a"\n"other","b"\n')


@pytest.mark.parametrize(
    ("client", "problem"),
    [
        (store(csv_file(), fileFormat="ORC"), "has format ORC; have S3 write it as CSV or Parquet"),
        (store(csv_file(), files=1), "is not the manifest of an S3 Inventory"),
        (store(csv_file()[:-20]), "cannot be read: row"),
        (store(b"plain"), "cannot be read: row 0"),
        (store(BAD), "cannot be read: row 2: a row names bucket 'other'"),
        (store(b"plain", "Parquet"), "cannot be read"),
    ],
    ids=range(6),
)
def test_what_cannot_be_read_says_why_and_leaves_nothing(tmp_path: Path, client: Store, problem: str) -> None:
    with pytest.raises(ValueError, match=r"inventor|Inventory") as caught:
        open_inventory(client, MANIFEST, tmp_path)
    assert problem in str(caught.value)
    assert [path for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    client = store(csv_file())
    client.objects[f"{FOLDER}/data/1.CSV"] = gzip.compress(b"")
    with pytest.raises(SourceMismatch, match="its publisher says md5:"):
        open_inventory(client, MANIFEST, tmp_path)


def test_a_missing_pyarrow_is_named_with_the_extra_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(ValueError, match=r"pip install 'airflow-provider-kaltura\[parquet\]'"):
        open_inventory(store(parquet_file(), "Parquet"), MANIFEST, tmp_path)


def test_a_feed_takes_what_was_modified_in_its_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = store(csv_file())
    monkeypatch.setattr("kaltura_provider.hooks.sources.shared_s3_client", lambda _: client)
    monkeypatch.setattr(module, "_own_folder", lambda: tmp_path)
    window = (dt.datetime(2024, 3, 1, tzinfo=dt.UTC), dt.datetime(2024, 3, 2, tzinfo=dt.UTC))
    fields = {"type": "s3_inventory", "uri": "s3://archive/2024/", "inventory": f"s3://inventories/{FOLDER}/"}
    found = rendered_source(fields | {"modified": "in_interval"}).find(Search(window=window))
    assert [(item.uri, item.size, item.etag) for item in found.items] == [("s3://archive/2024/a +1.mp4", 10, "e10")]
    assert len(rendered_source(fields).find(Search(window=window)).items) == 2
    with pytest.raises(ValueError, match=r"lists bucket archive, and source.uri is in bucket other"):
        rendered_source(fields | {"uri": "s3://other/"}).find(Search())


def test_old_databases_are_removed(tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite"
    old.touch()
    os.utime(old, (0, 0))
    open_inventory(store(csv_file()), MANIFEST, tmp_path)
    assert not old.exists()
