"""The job of a bulk upload: create entries from rows, then wait until the last of them is done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.call import Call
from kaltura_sandbox.api.types import ObjectValue
from kaltura_sandbox.bulk import types
from kaltura_sandbox.bulk.log import IN_PROGRESS, OK, status_of
from kaltura_sandbox.bulk.rows import (
    ADD,
    DELETE,
    UPDATE,
    BulkFileError,
    Row,
    RowError,
    entry_values,
    parse_csv,
    parse_xml,
)
from kaltura_sandbox.entries import content, ingest, replacement, store
from kaltura_sandbox.entries.removal import remove_entry
from kaltura_sandbox.entries.resources import URL_RESOURCE
from kaltura_sandbox.entries.types import DELETED, MEDIA_ENTRY, NO_CONTENT
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.job_queue import Retry
from kaltura_sandbox.jobs.handlers import handler
from kaltura_sandbox.sidecars import thumbs

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["JOB", "MOST_ROWS", "process"]

JOB = "bulk_upload"

MOST_ROWS = 1000
_LOOK_AGAIN = 1.0
_IGNORED_ACTIONS = (UPDATE, DELETE)  # in CSV: its entry engine passes over them


@handler(JOB)
def process(account: Account, job: Record) -> None:
    """Make the entries on the first run, look at them on the later ones."""
    bulk = account.tables.bulk_uploads.get(job["bulk_id"])
    if bulk is None or bulk["status"] == types.ABORTED:
        return
    if not bulk.get("_read"):
        bulk = _make_entries(account, bulk)
    if bulk["status"] not in (types.PROCESSING, types.ALMOST_DONE):
        return
    _close(account, bulk)


def _make_entries(account: Account, bulk: Record) -> Record:
    """Create the entries row by row. After a restart, continue with the first row that was not done."""
    account.tables.bulk_uploads.change(bulk["id"], status=types.PROCESSING)
    data = Path(bulk["_path"]).read_bytes()
    try:
        rows = parse_xml(data, bulk["id"]) if bulk.get("bulkUploadType") == types.XML else parse_csv(data)
    except BulkFileError as error:
        return account.tables.bulk_uploads.change(bulk["id"], status=types.FAILED, error=str(error), _read=True) or bulk
    call = _call(account, bulk)
    results: list[Record] = list(bulk.get("_results", []))
    for number in range(bulk.get("_done", 0), len(rows)):
        with account.database.transaction():
            current = account.tables.bulk_uploads.get(bulk["id"]) or bulk
            if current["status"] == types.ABORTED:
                break
            result = _result(call, bulk, rows[number], number)
            results += [result] if result is not None else []
            account.tables.bulk_uploads.change(bulk["id"], _results=results, _done=number + 1)
        if result is not None and result["entry"] and rows[number].values.get("thumbnailUrl"):
            _add_thumbnail(call, result["entry"], rows[number].values["thumbnailUrl"])
    counts = {"numOfObjects": len(results), "numOfEntries": len(results), "bulkUploadObjectType": 1}
    return account.tables.bulk_uploads.change(bulk["id"], _read=True, **counts) or bulk


def _call(account: Account, bulk: Record) -> Call:
    """Return a call in the name of the user who sent the file."""
    text = account.sessions.start(bulk["_user"], bulk["_session_type"], 86400, bulk["_privileges"])
    return Call(
        account=account,
        service="media",
        action="add",
        session=account.sessions.open(text),
        partner_id=bulk["_partner"],
        base_url=bulk["_base_url"],
        client="127.0.0.1",
        path="",
        arrived=time.monotonic(),
    )


def _result(call: Call, bulk: Record, row: Row, number: int) -> Record | None:
    """Return the result of a row, or None for rows that are ignored."""
    result: dict[str, Any] = {"raw": row.raw, "entry": "", "error": row.error}
    xml = bulk.get("bulkUploadType") == types.XML
    if row.error or (row.action in _IGNORED_ACTIONS and not xml):
        return None if not row.error else result
    try:
        if number >= MOST_ROWS:
            raise RowError(f"more than {MOST_ROWS} rows")
        if row.action not in _ACTIONS:
            raise RowError(f"Invalid action '{row.action}'")
        result["entry"] = _ACTIONS[row.action](call, bulk, row)
        result["action"] = row.action
    except (RowError, KalturaError) as error:
        result["error"] = error.message if isinstance(error, KalturaError) else str(error)
    return result


def _add(call: Call, bulk: Record, row: Row) -> str:
    sent = entry_values(row)
    if bulk.get("_profile") and "conversionProfileId" not in sent:
        sent["conversionProfileId"] = bulk["_profile"]
    entry = ingest.add_entry(call, MEDIA_ENTRY.load(sent, "entry", call.now))
    resource = ObjectValue(URL_RESOURCE, {"url": row.values["url"], "forceAsyncDownload": True})
    content.start_import(call.account, entry, resource)
    return str(entry["id"])


def _update(call: Call, _: Record, row: Row) -> str:
    entry = _named(call, row)
    sent = entry_values(row, needs_url=False)
    del sent["mediaType"]
    ingest.update_entry(call, entry, MEDIA_ENTRY.load(sent, "entry", call.now))
    if row.values.get("url"):
        resource = ObjectValue(URL_RESOURCE, {"url": row.values["url"], "forceAsyncDownload": True})
        entry = store.find(call, entry["id"])
        if entry["status"] == NO_CONTENT:
            content.start_import(call.account, entry, resource)
        else:
            replacement.start(call, entry, resource, None)
    return str(entry["id"])


def _delete(call: Call, _: Record, row: Row) -> str:
    entry_id = str(_named(call, row)["id"])
    remove_entry(call.account, entry_id)
    return entry_id


def _named(call: Call, row: Row) -> Record:
    """Return the entry that a row names, by its id or its reference."""
    if row.values.get("entryId"):
        return store.find(call, row.values["entryId"])
    reference = row.values.get("referenceId", "")
    found = [entry for entry in call.tables.entries.find() if reference and entry.get("referenceId") == reference]
    alive = next((entry for entry in found if entry["status"] != DELETED), None)
    if alive is None:
        raise RowError("Missing entry id element")
    return alive


_ACTIONS = {ADD: _add, UPDATE: _update, DELETE: _delete}


def _add_thumbnail(call: Call, entry_id: str, url: str) -> None:
    """Fetch the thumbnail of a row; without it the entry is still good."""
    entry = call.tables.entries.get(entry_id)
    if entry is None:
        return
    asset = thumbs.shelf.add(call, entry, None, fileExt="jpg", width=0, height=0, tags=thumbs.DEFAULT_TAG)
    try:
        thumbs.shelf.fill_from_url(call, asset, url, [])
    except KalturaError:
        thumbs.shelf.delete(call, asset["id"])


def _close(account: Account, bulk: Record) -> None:
    states = [status_of(account, result)[0] for result in bulk.get("_results", [])]
    if IN_PROGRESS in states:
        account.tables.bulk_uploads.change(bulk["id"], status=types.ALMOST_DONE)
        raise Retry(_LOOK_AGAIN)
    good = states.count(OK)
    status = types.FINISHED if good == len(states) else types.FINISHED_PARTIALLY if good else types.FAILED
    account.tables.bulk_uploads.change(bulk["id"], status=status)
