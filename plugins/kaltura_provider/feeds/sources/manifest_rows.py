"""Read the rows of a manifest from CSV, JSON or JSON Lines, with the line of each."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["MAX_BYTES", "MAX_ROWS", "Row", "Rows", "field_of", "is_plain", "read_rows", "unpacked"]

MAX_BYTES = 64 * 1024 * 1024
"""Maximum size of a manifest in bytes, before and after decompression."""

MAX_ROWS = 100_000
"""Maximum number of rows of a manifest."""

# Column names of each field, in lower case without *, _ and spaces: the names of feeds, of Kaltura's guide and of its
# bulk upload CSV.
_COLUMNS = {
    "action": ("action",),
    "url": ("url", "uri"),
    "entry_id": ("entryid",),
    "name": ("name", "title"),
    "description": ("description",),
    "tags": ("tags",),
    "categories": ("categories", "category"),
    "media_type": ("mediatype", "contenttype"),
    "reference_id": ("referenceid",),
    "user_id": ("userid", "ownerid"),
    "conversion_profile_id": ("conversionprofileid",),
    "access_control_id": ("accesscontrolid", "accesscontrolprofileid"),
    "start_date": ("startdate", "schedulestartdate"),
    "end_date": ("enddate", "scheduleenddate"),
    "partner_data": ("partnerdata",),
    "template_entry_id": ("templateentryid",),
}
_FIELDS = {name: field for field, names in _COLUMNS.items() for name in names}
_MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its line in the file (from 1), and its non-empty values by the names of feeds.

    XML can also give the ``checksum`` of the file and ``sidecars`` (:mod:`kaltura_provider.hooks.sidecars`).
    """

    line: int
    values: Mapping[str, Any]
    checksum: str = ""
    sidecars: Sequence[dict[str, Any]] = ()


@dataclass
class Rows:
    """The rows of a manifest, the unknown columns with the first line of each, the rows with errors, and warnings."""

    rows: list[Row] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, line: int, values: Any) -> None:
        """Add a row.

        :raises ValueError: the manifest has too many rows.
        """
        self._check_room()
        if isinstance(values, str):
            values = {"url": values}
        if not isinstance(values, dict):
            self.bad.append(f"line {line}: is not an address or an object with fields")
            return
        known: dict[str, Any] = {}
        for name, value in values.items():
            meant = field_of(name)
            if meant is None:
                self.unknown.setdefault(name, line)
            elif not is_plain(value):
                self.bad.append(f"line {line}: {name} is not a text, a number or a list of texts")
                return
            elif value not in (None, "", []):
                known[meant] = value.strip() if isinstance(value, str) else value
        if known:
            self.rows.append(Row(line, known))
        else:
            self.bad.append(f"line {line}: has no url")

    def add(self, row: Row) -> None:
        """Add a row that has been read already; raises as :meth:`take`."""
        self._check_room()
        self.rows.append(row)

    def reject(self, line: int, problem: str) -> None:
        """Add a row that cannot be used; raises as :meth:`take`."""
        self._check_room()
        self.bad.append(f"line {line}: {problem}")

    def _check_room(self) -> None:
        if len(self.rows) + len(self.bad) >= MAX_ROWS:
            raise ValueError(f"has more than {MAX_ROWS:,} rows; split it")


def field_of(name: str) -> str | None:
    """Return the field that a column is for; case, ``*``, ``_`` and spaces do not matter."""
    return _FIELDS.get(re.sub(r"[*_\s]", "", name).lower())


def is_plain(value: Any) -> bool:
    """Tell whether a value is a text, a number, a list of texts or nothing."""
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return value is None or (isinstance(value, (str, int)) and not isinstance(value, bool))


def read_rows(content: bytes, kind: str) -> Rows:
    """Read a manifest.

    :param content: the content of the file, which can be compressed with gzip.
    :param kind: ``csv``, ``json`` or ``jsonl``.
    :raises ValueError: the file cannot be parsed or is too large; the message names the line.
    """
    rows = Rows()
    text = _text(unpacked(content))
    {"csv": _read_csv, "json": _read_json, "jsonl": _read_json_lines}[kind](text, rows)
    return rows


def unpacked(content: bytes) -> bytes:
    """Return the content of a file that can be compressed with gzip.

    :raises ValueError: it is too large once it is decompressed, or is not a whole gzip file.
    """
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            plain = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"is not a complete gzip file: {error}") from None
    if len(plain) > MAX_BYTES:
        raise ValueError(f"has more than {MAX_BYTES:,} bytes after decompression; split it")
    return plain


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line}: is not UTF-8; save the file in this encoding") from None


def _read_csv(text: str, rows: Rows) -> None:
    # Kaltura's own files have comments that begin with #.
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=True)
    header: list[str] = []
    begins = 0
    try:
        for cells in reader:
            # A first cell in quotation marks can begin with # as well.
            is_comment, begins = lines[begins].startswith("#"), reader.line_num
            if not any(cell.strip() for cell in cells) or is_comment:
                continue
            if not header:
                header = _header(cells, reader.line_num)
            elif len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                rows.bad.append(f"line {reader.line_num}: has {len(cells)} cells for {len(header)} columns")
            else:
                rows.take(reader.line_num, dict(zip(header, cells, strict=False)))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: is not valid CSV: {error}") from None


def _delimiter(text: str) -> str:
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    first = next(lines, "")
    return max(",;\t", key=first.count)


def _header(cells: list[str], line: int) -> list[str]:
    header = [cell.strip() for cell in cells]
    fields = [field_of(name) for name in header]
    if "url" not in fields:
        raise ValueError(f"line {line}: is not a header with a url column")
    twice = sorted({str(name) for name in fields if name is not None and fields.count(name) > 1})
    if twice:
        raise ValueError(f"line {line}: has more than one column for {', '.join(twice)}")
    return header


def _read_json(text: str, rows: Rows) -> None:
    for line, value in _elements(text):
        rows.take(line, value)


def _elements(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the elements of a JSON list with their lines."""
    decoder = json.JSONDecoder()
    position, line, counted = _next(text, 0), 1, 0
    if text[position : position + 1] != "[":
        raise ValueError("line 1: is not a JSON list; write [{...}, {...}]")
    position = _next(text, position + 1)
    while text[position : position + 1] != "]":
        line += text.count("\n", counted, position)
        counted = position
        try:
            value, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {error.lineno}: is not valid JSON: {error.msg}") from None
        except (RecursionError, ValueError):
            raise ValueError(f"line {line}: is not valid JSON: nested too deeply, or a number is too long") from None
        yield line, value
        position = _next(text, end)
        if text[position : position + 1] == ",":
            position = _next(text, position + 1)
        elif text[position : position + 1] != "]":
            at = text.count("\n", 0, position) + 1
            raise ValueError(f"line {at}: is not valid JSON: expected a comma or the end of the list")
    if (position := _next(text, position + 1)) < len(text):
        at = text.count("\n", 0, position) + 1
        raise ValueError(f"line {at}: is not valid JSON: something follows the end of the list")


def _next(text: str, position: int) -> int:
    found = re.compile(r"\s*").match(text, position)
    return found.end() if found else position


def _read_json_lines(text: str, rows: Rows) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            rows.bad.append(f"line {number}: is not valid JSON: {printable(line.strip(), _MAX_SHOWN)}")
            continue
        rows.take(number, value)
