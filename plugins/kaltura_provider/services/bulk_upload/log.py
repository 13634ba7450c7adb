"""The results of a bulk upload's rows, read from Kaltura's log: CSV or XML, like the job's file."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from kaltura_provider.api.enums import EntryStatus, named_status, parse_status
from kaltura_provider.api.redaction import redact
from kaltura_provider.api.values import reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["NO_LINE", "LogLine", "read_log", "results_by_row"]

NO_LINE = "Kaltura's log has no line for this row"
"""The error of a row that the log does not have: it was dropped, or not read yet."""

_RESULTS = {"1": "failed", "2": "ok", "3": "in_progress"}
_NOT_YET = "Log file is not ready"
# As the server itself counts the rows: one that is neither good nor bad is still being processed.
_GOOD = (EntryStatus.READY, EntryStatus.DELETED, EntryStatus.PENDING, EntryStatus.NO_CONTENT)
_ON_ITS_WAY = (EntryStatus.IMPORT, EntryStatus.PRECONVERT)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One row's line: ``result`` is ``ok``, ``failed`` or ``in_progress``; ``url`` is empty in XML logs."""

    result: str
    entry_id: str = ""
    entry_status: str = ""
    error: str = ""
    url: str = ""


def read_log(log: bytes) -> list[LogLine] | None:
    """Return the lines of a log, in the order of the rows; ``None`` while Kaltura has none.

    :raises KalturaTransportError: it is not a log.
    """
    text = log.decode("utf-8-sig", "replace").strip()
    if text.startswith(_NOT_YET):
        return None
    with reading("the log of a bulk upload"):
        if text.startswith("<"):
            return _read_xml(text)
        return [_csv_line(cells) for cells in csv.reader(io.StringIO(text)) if _is_result(cells)]


def _is_result(cells: Sequence[str]) -> bool:
    return len(cells) >= 4 and cells[-4].strip() in _RESULTS


def _csv_line(cells: Sequence[str]) -> LogLine:
    result, entry_id, status, error = cells[-4:]
    url = next((cell for cell in cells[:-4] if re.match(r"[a-z]+://", cell)), "")
    return LogLine(_RESULTS[result.strip()], entry_id, status, error, url)


def _read_xml(text: str) -> list[LogLine] | None:
    root = ET.fromstring(text)  # noqa: S314 - the account's own server, asked over its own connection
    if _NOT_YET in (root.findtext("error") or ""):
        return None
    return [_xml_line(item) for item in root.iterfind("channel/item")]


def _xml_line(item: ET.Element) -> LogLine:
    """Return the line of an XML item, which names the entry and its status but not the result."""
    error = item.findtext("result/errorDescription") or ""
    entry_id, status = item.findtext("entryId") or "", item.findtext("status") or ""
    known = parse_status(EntryStatus, status) if status else None
    if not error and entry_id and known in _GOOD:
        result = "ok"
    elif not error and entry_id and known in _ON_ITS_WAY:
        result = "in_progress"
    else:
        result = "failed"
    return LogLine(result, entry_id, status, error)


def results_by_row(lines: Sequence[LogLine], rows: Sequence[Mapping[str, Any] | str] = ()) -> list[dict[str, Any]]:
    """Return the result of each row.

    Each has ``row`` (from 1), ``url``, ``result``, ``error``, ``entry_id``, the entry's ``status``, ``status_number``.

    :param rows: the rows of the job, in their order; a row without a line has failed. Without them each line is one.
    """
    if not rows:
        return [_result(number, line, line.url) for number, line in enumerate(lines, 1)]
    waiting = deque(lines)
    complete = len(rows) == len(lines)
    results = []
    for number, row in enumerate(rows, 1):
        url = row if isinstance(row, str) else str(row.get("url") or "")
        fits = waiting and (complete or not waiting[0].url or _file_name(waiting[0].url) == _file_name(url))
        results.append(_result(number, waiting.popleft() if fits else None, url))
    return results


def _file_name(url: str) -> str:
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1]


def _result(number: int, line: LogLine | None, url: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"row": number, "url": redact(url) or None}
    if line is None:
        shown |= {"result": "failed", "error": NO_LINE}
        return {name: value for name, value in shown.items() if value is not None}
    shown |= {
        "result": line.result,
        "entry_id": line.entry_id or None,
        **named_status(EntryStatus, line.entry_status or None),
        "error": redact(line.error) or None,
    }
    return {name: value for name, value in shown.items() if value is not None}
