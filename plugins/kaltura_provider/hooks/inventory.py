"""Read an S3 Inventory once, and let all runs of a machine look things up in it.

The runs of a backfill need the same inventory, which can list millions of objects. The first run reads it into a small
database in the folder for temporary files. The others wait for that, and ask the database.
"""

from __future__ import annotations

import csv
import datetime as dt
import fcntl
import gzip
import hashlib
import io
import json
import os
import re
import sqlite3
import tempfile
import time
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from kaltura_provider.api.redaction import printable
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kaltura_provider.hooks.listing import S3Object

__all__ = ["Inventory", "find_manifest", "open_inventory"]

_MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 16 * 1024 * 1024
_MOST_FILES = 100_000
_KEPT = 7 * 86_400
_ROWS = 10_000
_SHOWN = 80
_DATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\dZ/")
_COLUMNS = {
    "bucket": "bucket",
    "key": "key",
    "size": "size",
    "lastmodifieddate": "modified",
    "etag": "etag",
    "storageclass": "storage_class",
    "islatest": "latest",
    "isdeletemarker": "marker",
}
_Row = tuple[str, int, str, float, str]


@dataclass(frozen=True)
class Inventory:
    """An inventory that has been read.

    :param uri: the address of its manifest.
    :param bucket: the bucket whose objects it lists.
    :param created: when S3 began to list them.
    :param path: the database.
    :param dated: whether it lists when the objects were last modified.
    """

    uri: str
    bucket: str
    created: dt.datetime
    path: Path
    dated: bool = True

    def objects(self, prefix: str, window: tuple[dt.datetime, dt.datetime] | None = None) -> Iterator[S3Object]:
        """Yield the objects below a prefix of the bucket, in the order of their keys.

        :param window: only those that were modified from its start until before its end.
        """
        from kaltura_provider.hooks.listing import S3Object

        query = "SELECT key, size, etag, modified, storage_class FROM object WHERE key >= ? AND key < ?"
        values: list[Any] = [prefix, prefix + "\U0010ffff"]
        if window is not None:
            query += " AND modified >= ? AND modified < ?"
            values += [moment.timestamp() for moment in window]
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as database:
            for key, size, etag, modified, storage_class in database.execute(f"{query} ORDER BY key", values):
                moment = dt.datetime.fromtimestamp(modified, dt.UTC) if modified else None
                yield S3Object(self.bucket, key, size, etag, moment, storage_class)


def find_manifest(client: Any, uri: str) -> str:
    """Return the address of the newest manifest of an inventory.

    :param uri: the address of a ``manifest.json``, or ``s3://bucket/prefix/source-bucket/configuration/``, below which
        S3 puts a folder for each inventory.
    :raises SourceError: there is none, or the bucket cannot be listed.
    """
    from kaltura_provider.upload.sources.errors import SourceNotFound
    from kaltura_provider.upload.sources.s3_errors import source_errors

    if uri.endswith(f"/{_MANIFEST}"):
        return uri
    bucket, prefix = bucket_and_key(uri)
    prefix = prefix.rstrip("/") + "/"
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    with source_errors(uri):
        found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", ())]
        for folder in sorted((one for one in found if _DATED.fullmatch(one[len(prefix) :])), reverse=True):
            # An inventory that is being written has no manifest yet.
            if client.list_objects_v2(Bucket=bucket, Prefix=folder + _MANIFEST, MaxKeys=1).get("KeyCount"):
                return f"s3://{bucket}/{folder}{_MANIFEST}"
    raise SourceNotFound(
        uri, "there is no inventory below it; give the folder that holds folders like 2024-03-01T01-00Z"
    )


def open_inventory(client: Any, uri: str, folder: Path | None = None) -> Inventory:
    """Return an inventory, and read it if no other run of this machine has done so.

    :param client: a boto3 client for S3.
    :param uri: the address of its ``manifest.json``.
    :param folder: where databases are kept; by default a folder of this user in that for temporary files.
    :raises SourceError: a file of it cannot be read, or is damaged.
    :raises ValueError: it is not an inventory in a format that can be read; says what is wrong.
    """
    content, etag = _get(client, uri, _MOST_MANIFEST_BYTES)
    manifest = _manifest(content, uri)
    folder = folder or _own_folder()
    _clean(folder)
    path = folder / f"{hashlib.sha256(f'{uri} {etag}'.encode()).hexdigest()[:32]}.sqlite"
    with _alone(path.with_suffix(".lock")):
        if path.exists():
            path.touch()  # it is in use
        else:
            _build(client, manifest, uri, path)
    return Inventory(uri, manifest["sourceBucket"], _created(manifest), path, _lists(manifest, "lastmodifieddate"))


def _own_folder() -> Path:
    """Return the folder for databases, which belongs to this user alone.

    :raises ValueError: somebody else has made it.
    """
    folder = Path(tempfile.gettempdir()) / f"kaltura-inventory-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if state.st_uid != os.getuid() or state.st_mode & 0o077 or folder.is_symlink():
        raise ValueError(f"{folder} is not a folder of this user alone; remove it, or set TMPDIR to another place")
    return folder


def _clean(folder: Path) -> None:
    """Delete what no run has used for a week."""
    for path in folder.glob("*.*"):
        try:
            if path.stat().st_mtime < time.time() - _KEPT:
                path.unlink()
        except OSError:  # another run was faster
            continue


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other run reads the same inventory."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _get(client: Any, uri: str, limit: int) -> tuple[bytes, str]:
    from kaltura_provider.upload.sources.errors import SourceTooLarge
    from kaltura_provider.upload.sources.s3_errors import source_errors

    bucket, key = bucket_and_key(uri)
    with source_errors(uri):
        answer = client.get_object(Bucket=bucket, Key=key)
        if answer["ContentLength"] > limit:
            raise SourceTooLarge(uri, answer["ContentLength"], limit, "the limit")
        return answer["Body"].read(), str(answer.get("ETag", ""))


def _manifest(content: bytes, uri: str) -> dict[str, Any]:
    """Return a manifest, checked.

    :raises ValueError: it is not one, or names a format that cannot be read.
    """
    try:
        found = json.loads(content)
        fields = {name: found[name] for name in ("sourceBucket", "destinationBucket", "fileFormat", "files")}
        files = [(str(one["key"]), str(one.get("MD5checksum") or "")) for one in fields["files"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{uri} is not the manifest of an S3 Inventory") from None
    if len(files) > _MOST_FILES:
        raise ValueError(f"{uri} lists {len(files):,} files; at most {_MOST_FILES:,} are read")
    if fields["fileFormat"] not in ("CSV", "Parquet"):
        shown = printable(str(fields["fileFormat"]), _SHOWN)
        raise ValueError(f"the inventory {uri} has format {shown}; have S3 write it as CSV or Parquet")
    if not _lists(found, "size"):
        raise ValueError(f"the inventory {uri} does not list the field Size; add it to the inventory's configuration")
    if fields["fileFormat"] == "Parquet":
        _pyarrow()
    return {**found, "files": files}


def _lists(manifest: dict[str, Any], field: str) -> bool:
    """Tell whether the files of an inventory have a field; it is named in lower case, without spaces and ``_``."""
    return field in _plain_name(str(manifest.get("fileSchema") or field))


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise ValueError(
            "the inventory is in Parquet, and pyarrow is not installed, which reads it; install the extra: "
            "pip install 'airflow-provider-kaltura[parquet]', or have S3 write CSV"
        ) from None
    return pyarrow.parquet


def _created(manifest: dict[str, Any]) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(int(manifest["creationTimestamp"]) / 1000, dt.UTC)
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        return dt.datetime.fromtimestamp(0, dt.UTC)


def _build(client: Any, manifest: dict[str, Any], uri: str, path: Path) -> None:
    """Read all files of an inventory into a database, which appears at its path once it is complete."""
    bucket = str(manifest["destinationBucket"]).rpartition(":")[2]
    read = _csv_rows if manifest["fileFormat"] == "CSV" else _parquet_rows
    half = path.with_suffix(".half")
    half.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(half)) as database:
            database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            database.execute(
                "CREATE TABLE object "
                "(key TEXT PRIMARY KEY, size INTEGER, etag TEXT, modified REAL, storage_class TEXT) WITHOUT ROWID"
            )
            for key, md5 in manifest["files"]:
                place = f"s3://{bucket}/{key}"
                with _downloaded(client, place, md5) as file:
                    _insert(database, read(file, manifest, place))
            database.commit()
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _insert(database: sqlite3.Connection, rows: Iterable[_Row]) -> None:
    batch: list[_Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) >= _ROWS:
            database.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?)", batch)
            batch.clear()
    database.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?)", batch)


@contextmanager
def _downloaded(client: Any, uri: str, md5: str) -> Iterator[Any]:
    """Give a file of an inventory, whole and checked.

    :raises SourceError: it cannot be read, or is not the file that the manifest means.
    """
    from kaltura_provider.upload.sources.errors import SourceMismatch
    from kaltura_provider.upload.sources.s3_errors import source_errors

    bucket, key = bucket_and_key(uri)
    digest = hashlib.md5(usedforsecurity=False)
    with tempfile.TemporaryFile() as file:
        with source_errors(uri):
            for part in client.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1024 * 1024):
                digest.update(part)
                file.write(part)
        if md5 and digest.hexdigest() != md5.lower():
            raise SourceMismatch(uri, f"md5:{md5.lower()}", f"md5:{digest.hexdigest()}")
        file.seek(0)
        yield file


def _csv_rows(file: Any, manifest: dict[str, Any], place: str) -> Iterator[_Row]:
    """Yield the rows of a CSV file, whose keys S3 encodes as URLs."""
    names = [_plain_name(name) for name in str(manifest.get("fileSchema") or "").split(",")]
    number = 0  # of the row
    try:
        with gzip.open(file) as plain, io.TextIOWrapper(plain, encoding="utf-8", newline="") as text:
            for cells in csv.reader(text):
                number += 1
                row = _row(dict(zip(names, cells, strict=False)), manifest, encoded=True)
                if row is not None:
                    yield row
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise ValueError(f"the inventory file {place} cannot be read: row {number:,}: {error}") from None


def _parquet_rows(file: Any, manifest: dict[str, Any], place: str) -> Iterator[_Row]:
    """Yield the rows of a Parquet file, whose keys are as they are."""
    try:
        content = _pyarrow().ParquetFile(file)
        names = {name: _plain_name(name) for name in content.schema_arrow.names if _plain_name(name) in _COLUMNS}
        for batch in content.iter_batches(_ROWS, columns=list(names)):
            for values in batch.to_pylist():
                row = _row({names[name]: value for name, value in values.items()}, manifest, encoded=False)
                if row is not None:
                    yield row
    except (OSError, ValueError, KeyError) as error:  # pyarrow's errors are among these
        raise ValueError(f"the inventory file {place} cannot be read: {error}") from None


def _plain_name(name: str) -> str:
    return re.sub(r"[\s_]", "", name).lower()


def _row(cells: dict[str, Any], manifest: dict[str, Any], *, encoded: bool) -> _Row | None:
    """Return what is kept of an object; ``None`` for a version that is not the latest, and for a delete marker.

    :raises ValueError: it has no key, or a cell is not what it should be.
    """
    values = {_COLUMNS[name]: value for name, value in cells.items() if name in _COLUMNS}
    if _is(values.get("latest"), False) or _is(values.get("marker"), True):
        return None
    key = values.get("key")
    if not key or values.get("bucket") not in (None, manifest["sourceBucket"]):
        raise ValueError(f"a row names bucket {printable(str(values.get('bucket')), _SHOWN)!r} and key {key!r}")
    return (
        unquote_plus(str(key)) if encoded else str(key),
        int(values.get("size") or 0),
        str(values.get("etag") or "").strip('"'),
        _timestamp(values.get("modified")),
        str(values.get("storage_class") or "STANDARD"),
    )


def _is(value: Any, wanted: bool) -> bool:
    return value is wanted or str(value).lower() == str(wanted).lower()


def _timestamp(value: Any) -> float:
    if not value:
        return 0.0
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
