"""bulkUpload_bulk, the older bulkUpload, and media.bulkUploadAdd."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.call import FileReply
from kaltura_sandbox.api.listing import PAGER, list_reply, page, split
from kaltura_sandbox.api.registry import Service, param
from kaltura_sandbox.api.types import FILE, INT, STRING, ObjectValue, Upload
from kaltura_sandbox.bulk import types, work
from kaltura_sandbox.bulk.log import log_of
from kaltura_sandbox.bulk.types import BULK_FILTER, CSV_DATA, ENTRY_DATA, JOB_DATA
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.server.message import Response
from kaltura_sandbox.services.media import media
from kaltura_sandbox.uploads.sniff import is_allowed

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import Record

__all__ = ["bulk", "bulk_upload"]

bulk = Service("bulkUpload_bulk")
bulk_upload = Service("bulkUpload")

_FINAL = (types.FINISHED, types.FAILED, types.ABORTED, types.FINISHED_PARTIALLY)
_UNSAFE = (b"<!entity", b"<!doctype")


def _start(call: Call, file: Any, kind: str | None, profile: int | None) -> Record:
    """Store the file and queue the job; the reply still says DONT_PROCESS, as the real server's does."""
    if not isinstance(file, Upload):
        raise KalturaError("UPLOAD_ERROR")
    path = Path(file.path)
    if any(word in path.read_bytes().lower() for word in _UNSAFE):
        raise KalturaError("FILE_CONTENT_NOT_SECURE")
    if call.account.config.restrict_file_types and not is_allowed(path):
        raise KalturaError("INVALID_FILE_TYPE", file.name)
    number = call.account.database.next_number("job")
    kept = call.account.files.keep(path, f"bulk-{number}", "1", Path(file.name).suffix[1:])
    record: dict[str, Any] = {
        "id": number,
        "uploadedOn": call.account.clock.now(),
        "status": types.DONT_PROCESS,
        "bulkUploadType": kind,
        "_path": str(kept),
        "_profile": profile if profile not in (None, -1) else None,
        "_partner": call.partner_id,
        "_user": call.user_id,
        "_session_type": call.session.type if call.session else 0,
        "_privileges": call.session.privileges if call.session else "",
        "_base_url": call.base_url,
    }
    call.tables.bulk_uploads.put(record)
    call.account.jobs.add(work.JOB, bulk_id=number)
    return types.show(call, record)


def _add(call: Call, file: Any, data: ObjectValue | None, entry_data: ObjectValue | None) -> Record:
    kind = types.XML if data is not None and not data.type.is_a(CSV_DATA) else types.CSV
    return _start(call, file, kind, entry_data.get("conversionProfileId") if entry_data else None)


@media.action(
    "bulkUploadAdd",
    param("fileData", FILE),
    param("bulkUploadData", JOB_DATA, None),
    param("bulkUploadEntryData", ENTRY_DATA, None),
)
def add_from_media(call: Call, file: Any, data: ObjectValue | None, entry_data: ObjectValue | None) -> Record:
    """Make entries of the rows of a CSV or XML file."""
    return _add(call, file, data, entry_data)


@bulk.action(
    "addEntries",
    param("fileData", FILE),
    param("bulkUploadData", JOB_DATA, None),
    param("bulkUploadEntryData", ENTRY_DATA, None),
)
def add_entries(call: Call, file: Any, data: ObjectValue | None, entry_data: ObjectValue | None) -> Record:
    """Make entries of the rows of a CSV or XML file."""
    return _add(call, file, data, entry_data)


@bulk_upload.action(
    "add",
    param("conversionProfileId", INT),
    param("csvFileData", FILE),
    param("bulkUploadType", STRING, None),
    param("uploadedBy", STRING, None),
    param("fileName", STRING, None),
)
def add(call: Call, profile: int, file: Any, kind: str | None, _by: str | None, _name: str | None) -> Record:
    """Make entries of the rows of a CSV file."""
    return _start(call, file, kind, profile)


@bulk.action("get", param("id", INT))
@bulk_upload.action("get", param("id", INT))
def get(call: Call, number: int) -> Record:
    """One bulk upload."""
    return types.show(call, types.find(call, number))


def _list(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    values = wanted.values if wanted else {}
    found = [row for row in call.tables.bulk_uploads.find(order="id DESC") if _matches(row, values)]
    if str(values.get("orderBy", "")).startswith("+"):
        found.reverse()
    limit, offset = page(pager)
    shown = [types.show(call, row) for row in found[offset : offset + limit]]
    return list_reply("KalturaBulkUploadListResponse", len(found), shown)


@bulk.action("list", param("bulkUploadFilter", BULK_FILTER, None), param("pager", PAGER, None))
def list_filtered(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the account's bulk uploads that match, latest first."""
    return _list(call, wanted, pager)


@bulk_upload.action("list", param("pager", PAGER, None))
def list_all(call: Call, pager: ObjectValue | None) -> Record:
    """Return the account's bulk uploads, latest first."""
    return _list(call, None, pager)


def _matches(row: Record, values: Record) -> bool:
    on = row["uploadedOn"]
    checks = [
        values.get("statusEqual") in (None, row["status"]),
        not values.get("statusIn") or str(row["status"]) in split(values["statusIn"]),
        on >= (values.get("uploadedOnGreaterThanOrEqual") or on),
        on <= (values.get("uploadedOnLessThanOrEqual") or on),
        on == (values.get("uploadedOnEqual") or on),
    ]
    return all(checks)


@bulk.action("abort", param("id", INT))
@bulk_upload.action("abort", param("id", INT))
def abort(call: Call, number: int) -> Record:
    """Stop a bulk upload; entries that were made stay."""
    found = types.find(call, number)
    if found["status"] not in _FINAL:
        found = call.tables.bulk_uploads.change(number, status=types.ABORTED) or found
    return types.show(call, found)


@bulk.action("serve", param("id", INT), returns_file=True)
@bulk_upload.action("serve", param("id", INT), returns_file=True)
def serve(call: Call, number: int) -> FileReply:
    """Return the file that was sent."""
    path = Path(types.find(call, number)["_path"])
    return FileReply(Response(200, {"Content-Type": "text/plain; charset=UTF-8"}, file=path))


@bulk.action("serveLog", param("id", INT), returns_file=True)
@bulk_upload.action("serveLog", param("id", INT), returns_file=True)
def serve_log(call: Call, number: int) -> FileReply:
    """Return the result of each row."""
    text, content_type = log_of(call.account, types.find(call, number))
    return FileReply(Response(200, {"Content-Type": content_type}, text.encode()))
