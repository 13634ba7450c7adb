"""A feed of an S3 Inventory: each window takes what was modified in it, from one reading."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.integration.dags.file_server import digest


def test_windows_share_one_reading(deployment, clips, tmp_path, monkeypatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    dates = {"clip-1.mp4": "2024-03-01T10:00:00.000Z", "clip-2.mp4": "2024-03-02T23:59:59.000Z"}
    lines = []
    for name, date in dates.items():
        key = deployment.put(f"archive/{name}", clips[name]).removeprefix("s3://media/")
        etag = hashlib.md5(clips[name]).hexdigest()
        lines.append(f'"media","{key}","{len(clips[name])}","{date}","{etag}"\n')
    content = gzip.compress("".join(lines).encode())
    data = deployment.put("inventory/data/1.csv.gz", content).removeprefix("s3://media/")
    manifest = {
        "sourceBucket": "media", "destinationBucket": "arn:aws:s3:::media", "creationTimestamp": "1709427600000",
        "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size, LastModifiedDate, ETag",
        "files": [{"key": data, "MD5checksum": hashlib.md5(content).hexdigest()}],
    }  # fmt: skip
    uri = deployment.put("inventory/2024-03-03T01-00Z/manifest.json", json.dumps(manifest).encode())
    source = {
        "type": "s3_inventory", "modified": "in_interval", "uri": f"s3://media/{tmp_path.name}/archive/",
        "inventory": uri.removesuffix("2024-03-03T01-00Z/manifest.json"),
    }  # fmt: skip
    dag = deployment.feed(name="archive", start_date="2024-03-01", retries=0, source=source)
    expected = {}
    for day, name in ((2, "clip-1.mp4"), (3, "clip-2.mp4")):
        ran = deployment.run(dag, datetime(2024, 3, day, tzinfo=UTC))
        assert ran.state == "success", ran.states
        assert (ran.summary["new"], ran.summary["found"]) == (1, 0)
        expected[Path(name).stem] = digest(clips[name])
        assert deployment.held() == expected
        assert len(list((tmp_path / "tmp").glob("kaltura-inventory-*/*.sqlite"))) == 1
    # Size and ETag are in the inventory, so a run whose objects are in Kaltura has no tasks for them.
    again = deployment.run(dag, datetime(2024, 3, 3, tzinfo=UTC))
    assert again.states == {"discover[-1]": "success", "summary[-1]": "success"} | {
        name: state for name, state in again.states.items() if state == "skipped"
    }
    assert (again.summary["new"], again.summary["found"]) == (0, 1)
