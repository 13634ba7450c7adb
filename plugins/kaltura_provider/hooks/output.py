"""Write results that are too long for XCom to a file or an S3 object, row by row. XCom holds its address."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["MOST_IN_XCOM", "check_output", "collect", "write_rows"]

MOST_IN_XCOM = 1000
"""The maximum number of rows in XCom. A longer result needs an ``output_uri``."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?")
_FORMATS = (".jsonl", ".json", ".csv")


def check_output(output: str | None) -> None:
    """Check the address for the rows, before any are fetched.

    :raises KalturaConfigurationError: the address is not an ``s3://`` address or absolute path, is a path that this
        deployment does not allow, or does not end in the extension of a known format.
    """
    if output:
        _checked(output)


def _checked(output: str) -> Path | None:
    """Return the allowed path of a local file, or ``None`` for an object in S3; raises as :func:`check_output`."""
    from kaltura_provider.hooks.local_files import allowed_path
    from kaltura_provider.upload.sources.folders import is_local

    bucket, key = bucket_and_key(output) if output.startswith("s3://") else ("", "")
    if not is_local(output) and not (bucket and key.strip("/")):
        fix = "give s3://bucket/key, file:///path or an absolute path"
        raise KalturaConfigurationError("output_uri", output, "is not an address that can be written to", fix)
    if Path(output).suffix.lower() not in _FORMATS:
        raise KalturaConfigurationError(
            "output_uri", output, "does not have a known extension", f"end it with one of {', '.join(_FORMATS)}"
        )
    return allowed_path(output, "output_uri") if is_local(output) else None


def collect(
    rows: Iterable[Mapping[str, Any]], output: str | None, *, fields: Sequence[str] | None = None, aws_conn_id: str
) -> Any:
    """Return the rows as a list; with an ``output_uri``, write them there and return ``{"output_uri", "count"}``.

    :raises KalturaConfigurationError: there are too many rows for XCom, and no ``output_uri``.
    """
    if output:
        return {"output_uri": output, "count": write_rows(rows, output, fields=fields, aws_conn_id=aws_conn_id)}
    kept: list[dict[str, Any]] = []
    for row in rows:
        if len(kept) == MOST_IN_XCOM:
            raise KalturaConfigurationError(
                "result", f"of more than {MOST_IN_XCOM} rows", "is too long for XCom",
                "give output_uri (s3://bucket/key.jsonl or /path/file.csv), or a narrower filter",
            )  # fmt: skip
        kept.append(dict(row))
    return kept


def write_rows(
    rows: Iterable[Mapping[str, Any]], output: str, *, fields: Sequence[str] | None = None, aws_conn_id: str
) -> int:
    """Write rows as JSON lines, a JSON list or CSV, by the extension of ``output``. Return the number of rows.

    An earlier file stays until all rows are written. Memory use does not grow with the number of rows. In CSV, a text
    that a spreadsheet would read as a formula gets an apostrophe before it.

    :param fields: the columns of a CSV file. Default: all names that occur.
    """
    from kaltura_provider.hooks.destination import LocalFolder, S3Prefix
    from kaltura_provider.hooks.sources import s3_client

    path = _checked(output)
    if path is not None:
        staged = LocalFolder(path.parent).staged(path.name)
    else:
        bucket, key = bucket_and_key(output)
        staged = S3Prefix(s3_client(aws_conn_id), bucket).staged(key.lstrip("/"))
    with staged as file:
        return _write(rows, file, fields)


def _write(rows: Iterable[Mapping[str, Any]], path: Path, fields: Sequence[str] | None) -> int:
    lines = path.with_name("lines")
    columns: dict[str, None] = dict.fromkeys(fields or ())
    count = 0
    with lines.open("w", encoding="utf-8") as file:
        for row in rows:
            count += 1
            if not fields:
                columns.update(dict.fromkeys(row))
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    if path.suffix.lower() == ".jsonl":
        lines.replace(path)
    elif path.suffix.lower() == ".json":
        _write_list(lines, path)
    else:
        _write_table(lines, path, list(columns))
    return count


def _write_list(lines: Path, path: Path) -> None:
    with lines.open(encoding="utf-8") as source, path.open("w", encoding="utf-8") as file:
        file.write("[\n")
        for number, line in enumerate(source):
            file.write(",\n" * bool(number) + line.rstrip("\n"))
        file.write("\n]\n")


def _write_table(lines: Path, path: Path, columns: list[str]) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        with lines.open(encoding="utf-8") as source:
            for line in source:
                row = json.loads(line)
                yield {name: _cell(value) for name, value in row.items()}

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writerow({name: _cell(name) for name in columns})
        writer.writerows(rows())


def _cell(value: Any) -> Any:
    """Return a value for a table. File names and foreign text must not become formulas."""
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
