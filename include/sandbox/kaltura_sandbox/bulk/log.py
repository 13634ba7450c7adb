"""The results of the rows of a bulk upload, as ``serveLog`` returns them: CSV, or XML for an XML file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from kaltura_sandbox.bulk import types
from kaltura_sandbox.bulk.rows import DELETE, UPDATE
from kaltura_sandbox.entries.types import DELETED, IMPORT, NO_CONTENT, PRECONVERT

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["ERROR", "IN_PROGRESS", "OK", "log_of", "status_of"]

ERROR, OK, IN_PROGRESS = 1, 2, 3
_UNFINISHED = (IMPORT, PRECONVERT, NO_CONTENT)
_NOT_READY = "Log file is not ready"
# Element of the log -> property of the entry, in the log's order.
_SHOWN = {
    "referenceID": "referenceId", "createdAt": "createdAt", "updatedAt": "updatedAt", "title": "name", "type": "type",
    "userId": "userId", "name": "name", "status": "status", "description": "description", "partnerData": "partnerData",
    "accessControlId": "accessControlId", "conversionProfileId": "conversionProfileId",
}  # fmt: skip


def status_of(account: Account, result: Record) -> tuple[int, Any]:
    """Return a row's result status and its entry's status."""
    if not result["entry"]:
        return ERROR, ""
    entry = account.tables.entries.get(result["entry"]) or {"status": DELETED}
    empty = entry["status"] == NO_CONTENT and result.get("action") == UPDATE  # no content was to come
    if entry["status"] in _UNFINISHED and not empty:
        return IN_PROGRESS, entry["status"]
    failed = isinstance(entry["status"], str) or entry["status"] < 0
    return (ERROR if failed else OK), entry["status"]


def log_of(account: Account, bulk: Record) -> tuple[str, str]:
    """Return the log and its content type."""
    if bulk.get("bulkUploadType") == types.XML:
        return _xml(account, bulk), "text/xml; charset=UTF-8"
    return _csv(account, bulk), "text/plain; charset=UTF-8"


def _csv(account: Account, bulk: Record) -> str:
    """Each row as it was written, then its result, entry, the entry's status and the error."""
    if not bulk.get("_results"):
        return _NOT_READY
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    for result in bulk["_results"]:
        status, entry_status = status_of(account, result)
        writer.writerow([*result["raw"], status, result["entry"], entry_status, result["error"]])
    return target.getvalue()


def _xml(account: Account, bulk: Record) -> str:
    """Return an item for each row: the error, the action, and the entry as syndication shows it; no status."""
    root = ET.Element("mrss", version="2.0")
    if not bulk.get("_results"):
        ET.SubElement(root, "error").text = f"{_NOT_READY}: {bulk.get('error') or ''}"
    else:
        channel = ET.SubElement(root, "channel")
        for result in bulk["_results"]:
            _item(ET.SubElement(channel, "item"), result, account.tables.entries.get(result["entry"] or ""))
    return '<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(root, encoding="unicode")


def _item(item: ET.Element, result: Record, entry: Record | None) -> None:
    ET.SubElement(ET.SubElement(item, "result"), "errorDescription").text = result["error"]
    ET.SubElement(item, "action").text = {UPDATE: "update", DELETE: "delete"}.get(result.get("action", ""), "add")
    if entry is None:
        return
    ET.SubElement(item, "entryId").text = entry["id"]
    shown = {"status": "status"} if entry["status"] == DELETED else _SHOWN
    for element, name in shown.items():
        if entry.get(name) not in (None, ""):
            ET.SubElement(item, element).text = str(entry[name])
