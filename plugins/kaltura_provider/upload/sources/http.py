"""An HTTP(S) resource as a source: ranges pinned by ``If-Range``, or one stream through a bounded spool."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.upload.sources.base import WINDOW, exactly, steady
from kaltura_provider.upload.sources.errors import (
    SourceChanged,
    SourceEmpty,
    SourceTooLarge,
    SourceUnavailable,
    SourceUnsized,
)
from kaltura_provider.upload.sources.http_answer import (
    check_not_compressed,
    file_name,
    size_of,
    slice_of,
    validator_of,
)
from kaltura_provider.upload.sources.http_fetch import Fetcher, windows
from kaltura_provider.upload.sources.policy import UrlPolicy
from kaltura_provider.upload.sources.sniff import SNIFF_LENGTH, check_media
from kaltura_provider.upload.sources.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from requests import Response

__all__ = [
    "SPOOL",
    "HttpSource",
    "SpooledHttpSource",
    "Validators",
    "open_http",
    "read_http",
    "read_http_if_changed",
]

SPOOL = 64 * 1024 * 1024
"""Bytes of disk that a source without ranges uses."""


_LONGEST_VALIDATOR = 1000


class _Resource:
    """The common part of both kinds of URL sources."""

    crc32c: int | None = None

    def __init__(self, fetcher: Fetcher, first: Response, size: int) -> None:
        self._fetcher = fetcher
        self.uri = fetcher.uri
        self.size = size
        self.name = file_name(first, fetcher.url)
        self.validator = validator_of(first)

    def _check_same(self, answer: Response) -> None:
        check_not_compressed(answer.headers.get("Content-Encoding", ""), self.uri)
        found, size = validator_of(answer), size_of(answer)
        if found != self.validator or size not in (None, self.size):
            raise SourceChanged(self.uri, _described(self.validator, self.size), _described(found, size))

    def close(self) -> None:
        """Close all connections."""
        self._fetcher.close()


class HttpSource(_Resource):
    """A resource whose server supports ranges."""

    rewind: int | None = None

    def read(self, offset: int, length: int, window: int = WINDOW) -> Generator[bytes, None, None]:
        """Yield ``length`` bytes from ``offset`` on, over a connection of its own; resumes if that breaks.

        :raises SourceChanged: the resource has changed since it was opened.
        """
        return steady(lambda start, left: self._get(start, left, window), offset, length, uri=self.uri)

    def _get(self, offset: int, length: int, window: int) -> Generator[bytes, None, None]:
        """Yield at most ``length`` bytes from ``offset`` on. A server may send less than requested."""
        headers = {"Range": f"bytes={offset}-{offset + length - 1}"}
        # RFC 9110 does not allow weak validators here; they are compared below.
        if self.validator and not self.validator.startswith("W/"):
            headers["If-Range"] = self.validator
        with closing(self._fetcher.get(headers)) as answer:
            self._check_same(answer)
            found = slice_of(answer)
            if found is None or found.first != offset:
                sent = found or f"HTTP {answer.status_code} and no such range"
                asked = f"bytes {offset}-{offset + length - 1}"
                raise SourceUnavailable(self.uri, f"its server answered a request for {asked} with {sent}")
            yield from exactly(windows(answer, window, self.uri), min(length, found.length), self.uri)


class SpooledHttpSource(_Resource):
    """A resource whose server only sends all of it, from the first byte on."""

    def __init__(self, fetcher: Fetcher, first: Response, size: int, capacity: int) -> None:
        super().__init__(fetcher, first, size)
        capacity = max(capacity, WINDOW)  # one window has to fit in
        self.rewind: int | None = capacity
        self._spool = Spool(self._stream, capacity, self.uri)

    def read(self, offset: int, length: int, window: int = WINDOW) -> Generator[bytes, None, None]:
        """Yield ``length`` bytes from ``offset`` on, out of one stream that all readers share.

        :raises SourceChanged: the resource has changed since it was opened.
        """
        return steady(lambda start, left: self._spool.read(start, left, window), offset, length, uri=self.uri)

    def _stream(self) -> Generator[bytes, None, None]:
        with closing(self._fetcher.get({})) as answer:
            self._check_same(answer)
            if (part := slice_of(answer)) is not None:
                raise SourceUnavailable(self.uri, f"its server answered a request for all of it with {part}")
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
    """Open an HTTP(S) resource with one GET of its first bytes.

    :param headers: headers such as ``Authorization``. They are sent to the URL's own scheme, host and port only.
    :param policy: which hosts may be read; by default those of the public internet.
    :param spool: bytes of disk to use if the server does not support ranges.
    :param media: refuse web pages and manifests.
    :raises SourceError: the resource cannot be read; the message says why and what to do.
    """
    fetcher = Fetcher(url, headers or {}, policy or UrlPolicy())
    try:
        first = fetcher.get({"Range": f"bytes=0-{SNIFF_LENGTH - 1}"})
        try:
            size = _checked_size(first, fetcher.uri)
            part = slice_of(first)
            if part is not None and part.first:
                raise SourceUnavailable(fetcher.uri, f"its server answered a request for its first bytes with {part}")
            with closing(windows(first, SNIFF_LENGTH, fetcher.uri)) as body:
                head = next(body, b"")
        finally:
            first.close()
        if not head:
            raise SourceUnavailable(fetcher.uri, f"its server announced {size} bytes and sent none")
        if media:
            check_media(fetcher.uri, head)
        if part is not None:
            return HttpSource(fetcher, first, size)
        return SpooledHttpSource(fetcher, first, size, spool)
    except BaseException:
        fetcher.close()
        raise


def read_http(
    url: str, limit: int, *, headers: Mapping[str, str] | None = None, policy: UrlPolicy | None = None
) -> bytes:
    """Return all that one GET of an HTTP(S) resource answers, whether or not its server says beforehand how much it is.

    :param limit: how many bytes it may have. :param headers, policy: as of :func:`open_http`.
    :raises SourceError: it cannot be read, or has more bytes.
    """
    content, _ = read_http_if_changed(url, limit, Validators(), headers=headers, policy=policy)
    return content or b""


@dataclass(frozen=True, slots=True)
class Validators:
    """The ``ETag`` and ``Last-Modified`` headers of an answer, which identify its content."""

    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, answer: Response) -> Validators:
        """Read them from an answer."""
        return cls(*(answer.headers.get(name, "")[:_LONGEST_VALIDATOR] for name in ("ETag", "Last-Modified")))

    @property
    def conditions(self) -> dict[str, str]:
        """The headers of a conditional request."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


def read_http_if_changed(
    url: str,
    limit: int,
    known: Validators,
    *,
    headers: Mapping[str, str] | None = None,
    policy: UrlPolicy | None = None,
) -> tuple[bytes | None, Validators]:
    """Return the content of an HTTP(S) resource, and the validators to ask with the next time.

    :param known: the validators of content that is known. If it has not changed, ``None`` is returned as content.
    :param limit, headers, policy: as of :func:`read_http`.
    :raises SourceError: as :func:`read_http`.
    """
    fetcher = Fetcher(url, headers or {}, policy or UrlPolicy())
    try:
        with closing(fetcher.get(known.conditions)) as answer:
            if answer.status_code == 304:
                return None, known
            check_not_compressed(answer.headers.get("Content-Encoding", ""), fetcher.uri)
            size, content = size_of(answer), bytearray()
            for window in windows(answer, WINDOW, fetcher.uri):
                content += window
                if len(content) > limit:
                    raise SourceTooLarge(fetcher.uri, size or len(content), limit, "the limit")
            if size is not None and len(content) != size:
                raise SourceUnavailable(fetcher.uri, f"its server announced {size} bytes and sent {len(content)}")
            return bytes(content), Validators.of(answer)
    finally:
        fetcher.close()


def _checked_size(answer: Response, uri: str) -> int:
    check_not_compressed(answer.headers.get("Content-Encoding", ""), uri)
    size = size_of(answer)
    if size is None:
        raise SourceUnsized(
            uri,
            "its server does not say how many bytes it has (no Content-Length), so a file that was cut off would look "
            "complete. Put it into S3 first, or have the server send its length",
        )
    if size == 0:
        raise SourceEmpty(uri)
    return size


def _described(validator: str, size: int | None) -> str:
    return f"{validator or 'without a validator'} with {'unknown' if size is None else size} bytes"
