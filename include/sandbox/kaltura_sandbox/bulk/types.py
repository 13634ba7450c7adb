"""The bulk upload's record and the object types around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import BASE_FILTER
from kaltura_sandbox.api.types import (
    ANY,
    INT,
    STRING,
    TIME,
    Access,
    EnumType,
    ObjectType,
    StringEnumType,
    prop,
)  # fmt: skip
from kaltura_sandbox.errors import KalturaError, declare

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import Record

__all__ = [
    "ABORTED", "ALMOST_DONE", "BULK_FILTER", "CSV", "CSV_DATA", "DONT_PROCESS", "ENTRY_DATA", "FAILED", "FINISHED",
    "FINISHED_PARTIALLY", "JOB_DATA", "PROCESSING", "XML", "find", "show",
]  # fmt: skip

declare("BULK_UPLOAD_NOT_FOUND", 'Bulk upload id "@ID@" not found')
declare("INVALID_FILE_TYPE", "Invalid file type [@FILE_NAME@]")

PENDING, QUEUED, PROCESSING, FINISHED, FAILED, ABORTED, ALMOST_DONE = 0, 1, 2, 5, 6, 7, 8
FATAL, DONT_PROCESS, FINISHED_PARTIALLY = 10, 11, 12
CSV, XML = "bulkUploadCsv.CSV", "bulkUploadXml.XML"

_RO = Access.READ_ONLY
_STATUS = EnumType("KalturaBatchJobStatus", range(15))

BULK_UPLOAD = ObjectType(
    "KalturaBulkUpload",
    prop("id", INT, _RO),
    prop("uploadedBy", STRING, _RO),
    prop("uploadedByUserId", STRING, _RO),
    prop("uploadedOn", TIME, _RO),
    prop("numOfEntries", INT, _RO),
    prop("numOfObjects", INT, _RO),
    prop("status", _STATUS, _RO),
    prop("logFileUrl", STRING, _RO),
    prop("csvFileUrl", STRING, _RO),
    prop("bulkFileUrl", STRING, _RO),
    prop("bulkUploadType", StringEnumType("KalturaBulkUploadType", [CSV, XML]), _RO),
    prop("results", ANY, _RO),
    prop("error", STRING, _RO),
    prop("errorType", INT, _RO),
    prop("errorNumber", INT, _RO),
    prop("fileName", STRING, _RO),
    prop("description", STRING, _RO),
    prop("bulkUploadObjectType", INT, _RO),
)

BULK_FILTER = ObjectType(
    "KalturaBulkUploadFilter",
    prop("uploadedOnGreaterThanOrEqual", TIME),
    prop("uploadedOnLessThanOrEqual", TIME),
    prop("uploadedOnEqual", TIME),
    prop("statusIn"),
    prop("statusEqual", _STATUS),
    prop("bulkUploadObjectTypeEqual", INT),
    prop("bulkUploadObjectTypeIn"),
    base=BASE_FILTER,
)

JOB_DATA = ObjectType("KalturaBulkUploadJobData", prop("fileName"), abstract=True)
CSV_DATA = ObjectType("KalturaBulkUploadCsvJobData", prop("columns", ANY), base=JOB_DATA)
ObjectType("KalturaBulkUploadXmlJobData", base=JOB_DATA)

OBJECT_DATA = ObjectType("KalturaBulkUploadObjectData", abstract=True)
ENTRY_DATA = ObjectType("KalturaBulkUploadEntryData", prop("conversionProfileId", INT), base=OBJECT_DATA)


def find(call: Call, number: int) -> Record:
    """Return a bulk upload by its id.

    :raises KalturaError: ``BULK_UPLOAD_NOT_FOUND``.
    """
    bulk = call.tables.bulk_uploads.get(number)
    if bulk is None:
        raise KalturaError("BULK_UPLOAD_NOT_FOUND", number)
    return bulk


def show(call: Call, bulk: Record) -> Record:
    """Return a bulk upload as a reply shows it; its URLs carry the session that asked."""
    session = call.session.text if call.session else ""
    base = f"{call.base_url}/api_v3/service/bulkUpload/action"
    file_url = f"{base}/serve/id/{bulk['id']}/ks/{session}"
    urls = {
        "logFileUrl": f"{base}/serveLog/id/{bulk['id']}/ks/{session}",
        "csvFileUrl": file_url,
        "bulkFileUrl": file_url,
    }
    return BULK_UPLOAD.dump(bulk | urls)
