"""Files over HTTP: ranges, validators, download names."""

from __future__ import annotations

import mimetypes
import re
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import quote

from kaltura_sandbox.server.message import Response

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_sandbox.server.message import Request

__all__ = ["content_type", "serve_file"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
_TYPES = {
    "m3u8": "application/x-mpegurl",
    "ts": "video/mp2t",
    "mpd": "application/dash+xml",
    "m4s": "video/iso.segment",
    "mkv": "video/x-matroska",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
}


def content_type(extension: str) -> str:
    """Return the media type of a file extension."""
    extension = extension.lower()
    return _TYPES.get(extension) or mimetypes.guess_type(f"x.{extension}")[0] or "application/octet-stream"


def serve_file(request: Request, path: Path, *, extension: str = "", download_as: str = "") -> Response:
    """Answer with a file, or the range of it that was asked for.

    206 and 416 for ranges, 304 when the client has this very file, ``Content-Disposition`` for ``download_as``.
    """
    stat = path.stat()
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    headers = {
        "Content-Type": content_type(extension or path.suffix[1:]),
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": formatdate(stat.st_mtime, usegmt=True),
        "Access-Control-Allow-Origin": "*",
    }
    if download_as:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(download_as)}"
    if request.headers.get("if-none-match") == etag:
        return Response(304, headers)
    wanted = _RANGE.match(request.headers.get("range", ""))
    if wanted is None or request.headers.get("if-range", etag) != etag:
        return Response(200, headers, file=path)
    first, last = _span(wanted[1], wanted[2], stat.st_size)
    if first > last:
        return Response(416, headers | {"Content-Range": f"bytes */{stat.st_size}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{stat.st_size}"
    return Response(206, headers, file=path, span=(first, last - first + 1))


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """First and last byte of a range; first > last if the range is empty."""
    if first:
        return int(first), min(int(last), size - 1) if last else size - 1
    if not last or int(last) == 0:
        return 1, 0
    return max(size - int(last), 0), size - 1
