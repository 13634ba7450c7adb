"""Fetching a URL as the real importer does: which requests it makes, and what it takes of the answers."""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FetchError", "clean_url", "download", "extension_of", "fetch"]

_WINDOW = 1 << 20
_LOOK_TIMEOUT, _READ_TIMEOUT = 30, 120
_SCHEMES = ("http", "https", "ftp")
_URL_SAFE = "/:?#@!$&'()*+,;=%~-._"


class FetchError(Exception):
    """A URL could not be fetched; ``partial`` when the connection broke after some bytes, ``final`` when that is it."""

    def __init__(self, message: str, *, partial: bool = False, final: bool = False) -> None:
        super().__init__(message)
        self.partial, self.final = partial, final


@dataclass(frozen=True, slots=True)
class _Look:
    """What the answer to a first request said, whatever its status."""

    status: int
    length: int | None
    content_type: str


def clean_url(url: str) -> str:
    """Return the URL the importer asks for: ``http://`` by default, every other ``//`` made ``/``, blanks escaped."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    rest = re.sub(r"/{2,}", "/", rest)
    return f"{scheme}://{quote(rest, safe=_URL_SAFE)}"


def extension_of(url: str) -> str:
    """Return the extension of a URL's path."""
    return os.path.splitext(urlsplit(url).path)[1][1:].lower()


def fetch(url: str, target: Path, headers: list[str], *, attempt: int = 1) -> int:
    """Fetch a URL into a file as an import job does; returns the length.

    A first attempt sends HEAD and takes the ``Content-Length`` of its answer for the file's, whatever the status: a
    source that refuses HEAD and is shorter than that answer's length does not get in. A later attempt that finds part
    of the file asks for its first byte (or by HEAD when ``attempt`` is not 1), gives up where that is refused, and
    goes on where the file ends.

    :param attempt: how often the job was tried since bytes last arrived.
    :raises FetchError: refused, broken off, or not all there.
    """
    if urlsplit(url).scheme not in _SCHEMES:
        raise FetchError(f"unsupported scheme in {_printable(url)}")
    have = target.stat().st_size if target.exists() else 0
    look = None
    if target.exists():
        look = _look(url, headers, ranged=attempt == 1)
        if look is None or look.status not in (200, 206):
            raise FetchError(f"cannot read {_printable(url)} again", final=True)
        if look.length is not None and have >= look.length:
            return have
        if look.length is None:
            have, look = 0, None
    if look is None:
        look = _look(url, headers, ranged=False)
    length = download(url, target, headers, have=have)
    if look is not None and look.length and length < look.length and look.content_type != "text/html":
        raise FetchError(f"{length} of {look.length} bytes of {_printable(url)}")
    return length


def download(url: str, target: Path, headers: list[str], *, have: int = 0) -> int:
    """Fetch a URL into a file by one GET, from byte ``have`` on; returns the length.

    :raises FetchError: refused or broken off; ``partial`` when what came is kept.
    """
    extra = {"Range": f"bytes={have}-"} if have else {}
    try:
        with _open(url, "GET", headers, extra, _READ_TIMEOUT) as reply:
            if have and reply.status != 206:
                raise FetchError(f"{_printable(url)} cannot be resumed")
            with target.open("ab" if have else "wb") as stream:
                _copy(reply, stream)
    except urllib.error.HTTPError as error:
        if not have:
            target.unlink(missing_ok=True)
        raise FetchError(f"HTTP {error.code} while fetching {_printable(url)}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        partial = target.exists() and target.stat().st_size > have
        raise FetchError(f"{type(error).__name__} while fetching {_printable(url)}", partial=partial) from error
    return target.stat().st_size


def _printable(url: str) -> str:
    return url.partition("?")[0]


def _look(url: str, headers: list[str], *, ranged: bool) -> _Look | None:
    """Ask for the first byte or by HEAD; None without an answer."""
    if ranged:
        try:
            with _open(url, "GET", headers, {"Range": "bytes=0-0"}, _LOOK_TIMEOUT) as reply:
                total = re.search(r"0-0/(\d+)$", reply.headers.get("Content-Range", ""))
                if total:
                    return _Look(reply.status, int(total[1]), reply.headers.get("Content-Type", ""))
        except (OSError, http.client.HTTPException, ValueError):
            pass
    try:
        with _open(url, "HEAD", headers, {}, _LOOK_TIMEOUT) as reply:
            return _looked(reply.status, reply.headers)
    except urllib.error.HTTPError as error:
        return _looked(error.code, error.headers)
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _looked(status: int, headers: Any) -> _Look:
    length = headers.get("Content-Length") or ""
    return _Look(status, int(length) if length.isdigit() else None, headers.get("Content-Type", ""))


class _SameMethod(urllib.request.HTTPRedirectHandler):
    """Follows a redirect with the method of the request; the standard library makes HEAD a GET."""

    def redirect_request(self, req: urllib.request.Request, *arguments: Any) -> urllib.request.Request | None:
        made = super().redirect_request(req, *arguments)
        if made is not None:
            made.method = req.get_method()
        return made


def _open(url: str, method: str, headers: list[str], extra: dict[str, str], timeout: float) -> http.client.HTTPResponse:
    sent = {"User-Agent": "kaltura-sandbox", **extra}
    request = urllib.request.Request(url, method=method, headers=sent)  # noqa: S310 - the caller checks the scheme
    for line in headers:
        name, _, value = line.partition(":")
        request.add_header(name.strip(), value.strip())
    # No proxy: what a sandbox imports is on loopback or reachable directly.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _SameMethod())
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
