"""Read the parameters of an HTTP request into one map, in any encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.types import Upload
from kaltura_sandbox.server.multipart import boundary_of, read_parts
from kaltura_sandbox.wire.params import QUESTION_MARK, decode_json, merge, nest, parse_query, path_pairs

if TYPE_CHECKING:
    from kaltura_sandbox.server.message import Request
    from kaltura_sandbox.store.files import Files

__all__ = ["addressed", "collect"]

# PHP's post_max_size and upload_max_filesize: a larger body arrives empty, a larger file as an upload error.
_BODY_LIMIT, _FILE_LIMIT = 2024 << 20, 2000 << 20


def addressed(request: Request) -> tuple[str, str]:
    """Return the service and action that path and query name; known before the body is read."""
    pairs = dict(parse_query(request.query)) | dict(path_pairs(request.path)[1])
    return pairs.get("service", ""), pairs.get("action", "")


def collect(request: Request, files: Files) -> tuple[dict[str, Any], list[Upload]]:
    """All parameters, path pairs over query over files over body, and the spooled files to clean up."""
    params, uploads = _body(request, files)
    merge(params, nest(parse_query(request.query)))
    merge(params, nest(path_pairs(request.path)[1]))
    return params, uploads


def _body(request: Request, files: Files) -> tuple[dict[str, Any], list[Upload]]:
    content_type = request.headers.get("content-type", "")
    if (
        request.headers.get("content-length", "0").isdigit()
        and int(request.headers.get("content-length", 0)) > _BODY_LIMIT
    ):
        return {}, []
    if content_type.lower() == "application/json":
        return decode_json(request.read().decode("utf-8", QUESTION_MARK)), []
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data" and (boundary := boundary_of(content_type)):
        return _multipart(request, boundary, files)
    if kind == "application/x-www-form-urlencoded":
        return nest(parse_query(request.read().decode("latin-1"))), []
    return {}, []


def _multipart(request: Request, boundary: bytes, files: Files) -> tuple[dict[str, Any], list[Upload]]:
    fields: list[tuple[str, Any]] = []
    uploads: list[tuple[str, Upload]] = []
    for part in read_parts(request.body, boundary, files.temporary_path):
        if part.path is not None and part.filename is not None:
            name = part.filename if part.size <= _FILE_LIMIT and part.whole else ""
            uploads.append((part.name, Upload(name, str(part.path), part.size, part.content_type)))
        else:
            fields.append((part.name, part.value.decode("utf-8", QUESTION_MARK)))
    encoded = next((value for name, value in fields if name == "json"), None)
    params = nest(fields) if encoded is None else decode_json(encoded)
    # PHP turns `a[b]` of a file inside out, so only the plain and the colon form of its name work.
    merge(params, nest((name, upload) for name, upload in uploads if "[" not in name))
    return params, [upload for _, upload in uploads]
