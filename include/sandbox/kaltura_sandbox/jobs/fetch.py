"""The import job: fetch a URL as the real importer does, with a first look, ranges, redirects and retries."""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.request
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, urlsplit

from kaltura_sandbox.entries import content, flow
from kaltura_sandbox.jobs.queue import Retry, handler
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.app import App

__all__ = ["FetchError", "clean_url", "extension_of", "fetch", "import_entry"]

_WINDOW = 1 << 20
_LOOK_TIMEOUT, _READ_TIMEOUT = 30, 120
_STUCK = 10 * 365 * 86400.0
_SCHEMES = ("http", "https", "ftp")


class FetchError(Exception):
    """A URL could not be fetched; ``partial`` when some bytes came and more may be had."""

    def __init__(self, message: str, *, partial: bool = False) -> None:
        super().__init__(message)
        self.partial = partial


def clean_url(url: str) -> str:
    """Return the URL the importer asks for: ``http://`` by default, every other ``//`` made ``/``, blanks escaped."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    rest = re.sub(r"/{2,}", "/", rest)
    return f"{scheme}://{quote(rest, safe=_URL_SAFE)}"


_URL_SAFE = "/:?#@!$&'()*+,;=%~-._"


def extension_of(url: str) -> str:
    """Return the extension of a URL's path."""
    return os.path.splitext(urlsplit(url).path)[1][1:].lower()


def fetch(url: str, target: Path, headers: list[str]) -> int:
    """Fetch a URL into a file, going on where an earlier attempt stopped; returns the length.

    :raises FetchError: refused, broken off, or not all there.
    """
    if urlsplit(url).scheme not in _SCHEMES:
        raise FetchError(f"unsupported scheme in {_printable(url)}")
    expected = _look(url, headers)
    have = target.stat().st_size if target.exists() else 0
    extra = {"Range": f"bytes={have}-"} if have else {}
    try:
        with _open(url, "GET", headers, extra, _READ_TIMEOUT) as reply:
            append = have > 0 and reply.status == 206
            is_html = (reply.headers.get("Content-Type") or "").startswith("text/html")
            with target.open("ab" if append else "wb") as stream:
                _copy(reply, stream)
    except (OSError, http.client.HTTPException, ValueError) as error:
        partial = target.exists() and target.stat().st_size > have
        raise FetchError(f"{type(error).__name__} while fetching {_printable(url)}", partial=partial) from error
    length = target.stat().st_size
    if expected is not None and length < expected and not is_html:
        raise FetchError(f"{length} of {expected} bytes of {_printable(url)}", partial=length > have)
    return length


def _printable(url: str) -> str:
    return url.partition("?")[0]


def _look(url: str, headers: list[str]) -> int | None:
    """Return the length a HEAD request promises; its status does not matter."""
    try:
        with _open(url, "HEAD", headers, {}, _LOOK_TIMEOUT) as reply:
            length = reply.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        length = error.headers.get("Content-Length")
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return int(length) if length and length.isdigit() else None


def _open(url: str, method: str, headers: list[str], extra: dict[str, str], timeout: float) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "kaltura-sandbox", **extra})  # noqa: S310
    for line in headers:
        name, _, value = line.partition(":")
        request.add_header(name.strip(), value.strip())
    # No proxy: what a sandbox imports is on loopback or reachable directly.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        reply: http.client.HTTPResponse = opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise
    return reply


def _copy(reply: http.client.HTTPResponse, stream: IO[bytes]) -> None:
    while window := reply.read(_WINDOW):
        stream.write(window)
    if reply.length:
        raise http.client.IncompleteRead(b"", reply.length)


@handler("import")
def import_entry(app: App, job: Record) -> None:
    """Fetch the URL of an entry's source and go on as with an upload."""
    entry = app.tables.entries.get(job["entryId"])
    if entry is None or entry["status"] == 3:
        return
    if app.faults.take(["stuck_import"]):
        raise Retry(_STUCK)
    url = clean_url(job["url"])
    target = app.files.temporary / f"import-{job['id']}"
    try:
        if app.faults.take(["import_failure"]):
            raise FetchError("fault")
        length = fetch(url, target, job.get("headers", []))
    except FetchError as error:
        _failed(app, job, error)
        return
    with app.database.transaction():
        current = app.tables.entries.get(job["entryId"])
        if current is None or current["status"] == 3:
            target.unlink(missing_ok=True)
            return
        file = File(target, extension_of(url) or "noex", length)
        content.give_file(app, current, file, count_size=False, source_type="5")


def _failed(app: App, job: Record, error: FetchError) -> None:
    if error.partial:
        job["attempts"] = 0
    elif job.get("synchronous") or job["attempts"] >= app.config.import_attempts:
        flow.import_failed(app, job["entryId"], str(error))
        return
    raise Retry(app.config.import_retry_delay)
