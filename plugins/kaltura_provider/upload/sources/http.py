"""An HTTP(S) resource as a source: ranges pinned with ``If-Range``, or one stream through a bounded spool."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import unquote

from kaltura_provider.upload.sources.address import parse
from kaltura_provider.upload.sources.base import WINDOW, steady
from kaltura_provider.upload.sources.errors import (
    SourceChanged,
    SourceEmpty,
    SourceError,
    SourceNotMedia,
    SourceUnavailable,
    SourceUnsized,
)
from kaltura_provider.upload.sources.http_fetch import Fetcher, windows
from kaltura_provider.upload.sources.policy import UrlPolicy
from kaltura_provider.upload.sources.sniff import SNIFF_LENGTH, check_media
from kaltura_provider.upload.sources.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from requests import Response

__all__ = ["SPOOL", "HttpSource", "SpooledHttpSource", "open_http"]

SPOOL = 64 * 1024 * 1024
"""Bytes of disk a source without ranges takes."""

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)
_FILE_NAME = re.compile(r'filename="?([^";]+)"?', re.ASCII | re.IGNORECASE)


class _Resource:
    """What both kinds of URL sources have in common."""

    crc32c: int | None = None

    def __init__(self, fetcher: Fetcher, first: Response, size: int) -> None:
        self._fetcher = fetcher
        self.uri = fetcher.uri
        self.size = size
        self.name = _name(first, fetcher.url)
        self.validator = _validator(first)

    def _check_same(self, answer: Response, size: int | None) -> None:
        found = _validator(answer)
        if found != self.validator or size not in (None, self.size):
            raise SourceChanged(self.uri, _described(self.validator, self.size), _described(found, size))

    def close(self) -> None:
        """Close all connections."""
        self._fetcher.close()


class HttpSource(_Resource):
    """A resource whose server gives ranges of it."""

    rewind: int | None = None

    def read(self, offset: int, length: int, window: int = WINDOW) -> Generator[bytes, None, None]:
        """Yield ``length`` bytes from ``offset`` on, over a connection of its own; goes on if that breaks.

        :raises SourceChanged: the resource was replaced since it was opened.
        """
        return steady(lambda start, left: self._get(start, left, window), offset, length, uri=self.uri)

    def _get(self, offset: int, length: int, window: int) -> Generator[bytes, None, None]:
        headers = {"Range": f"bytes={offset}-{offset + length - 1}"}
        # Weak validators are not allowed here; they are compared below.
        if self.validator and not self.validator.startswith("W/"):
            headers["If-Range"] = self.validator
        answer = self._fetcher.get(headers)
        found = _range(answer)
        try:
            self._check_same(answer, _total(answer))
            if found is None or found[:2] != (offset, offset + length - 1):
                raise SourceUnavailable(self.uri, "its server answered with another range than asked for")
        except SourceError:
            answer.close()
            raise
        yield from windows(answer, window, self.uri)


class SpooledHttpSource(_Resource):
    """A resource whose server gives only the whole of it, from the first byte on."""

    def __init__(self, fetcher: Fetcher, first: Response, size: int, capacity: int) -> None:
        super().__init__(fetcher, first, size)
        capacity = max(capacity, WINDOW)  # what comes at a time has to fit in
        self.rewind: int | None = capacity
        self._spool = Spool(self._stream, capacity, self.uri)

    def read(self, offset: int, length: int, window: int = WINDOW) -> Generator[bytes, None, None]:
        """Yield ``length`` bytes from ``offset`` on, out of one stream that all readers share.

        :raises SourceChanged: the resource was replaced since it was opened.
        """
        return steady(lambda start, left: self._spool.read(start, left, window), offset, length, uri=self.uri)

    def _stream(self) -> Generator[bytes, None, None]:
        answer = self._fetcher.get({})
        try:
            self._check_same(answer, _total(answer))
        except SourceError:
            answer.close()
            raise
        yield from windows(answer, WINDOW, self.uri)

    def close(self) -> None:
        """Close the stream and release the disk space."""
        self._spool.close()
        super().close()


def open_http(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    policy: UrlPolicy | None = None,
    spool: int = SPOOL,
    media: bool = True,
) -> HttpSource | SpooledHttpSource:
    """Open an HTTP(S) resource: one GET of its first bytes tells all there is to know.

    :param headers: such as ``Authorization``; they go to the URL's own host only.
    :param policy: which hosts may be read; by default those of the public internet.
    :param spool: bytes of disk for a server without ranges; a few more than eight chunks take.
    :param media: refuse web pages and manifests.
    :raises SourceError: it cannot be read; the class and message say why and what to do.
    """
    fetcher = Fetcher(url, headers or {}, policy or UrlPolicy())
    try:
        first = fetcher.get({"Range": f"bytes=0-{SNIFF_LENGTH - 1}"})
        try:
            size = _checked_size(first, fetcher.uri)
            with closing(windows(first, SNIFF_LENGTH, fetcher.uri)) as body:
                head = next(body, b"")
        finally:
            first.close()
        if not head:
            raise SourceUnavailable(fetcher.uri, f"its server promised {size} bytes and gave none")
        if media:
            check_media(fetcher.uri, head)
        if _range(first) is not None:
            return HttpSource(fetcher, first, size)
        return SpooledHttpSource(fetcher, first, size, spool)
    except BaseException:
        fetcher.close()
        raise


def _checked_size(answer: Response, uri: str) -> int:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise SourceNotMedia(uri, "its server compresses it, so that offsets mean nothing; ask for the plain file")
    size = _total(answer)
    if size is None:
        raise SourceUnsized(
            uri,
            "its server does not say how many bytes it has (no Content-Length), so that nobody could tell a whole "
            "file from a cut one. Let Kaltura import it (transfer: import), or put it into S3 first",
        )
    if size == 0:
        raise SourceEmpty(uri)
    return size


def _range(answer: Response) -> tuple[int, int, int] | None:
    if answer.status_code != 206:
        return None
    match = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _total(answer: Response) -> int | None:
    """Return the size of the whole resource, if the answer tells."""
    if answer.status_code == 200:
        length = answer.headers.get("Content-Length", "")
        return int(length) if length.isascii() and length.isdigit() else None
    text = answer.headers.get("Content-Range", "").rpartition("/")[2].strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _validator(answer: Response) -> str:
    return (answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "").strip()


def _described(validator: str, size: int | None) -> str:
    return f"{validator or 'without a validator'} with {'unknown' if size is None else size} bytes"


def _name(answer: Response, url: str) -> str:
    """Return the file name the server gives, else the last part of the URL's path."""
    match = _FILE_NAME.search(answer.headers.get("Content-Disposition", ""))
    name = match[1] if match else unquote(parse(url).path or "")
    return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].strip() or "download"
