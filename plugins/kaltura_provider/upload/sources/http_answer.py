"""Read the headers of an HTTP answer: the size of the resource, the slice sent, its validator and its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import TYPE_CHECKING
from urllib.parse import unquote

from kaltura_provider.upload.sources.address import parse
from kaltura_provider.upload.sources.errors import SourceNotMedia

if TYPE_CHECKING:
    from requests import Response

__all__ = ["COMPRESSIONS", "Slice", "check_not_compressed", "file_name", "size_of", "slice_of", "validator_of"]

COMPRESSIONS = frozenset({"br", "bzip2", "compress", "dcb", "dcz", "deflate", "gzip", "lz4", "lzma", "sdch", "snappy"})
COMPRESSIONS |= {"x-bzip2", "x-compress", "x-gzip", "xz", "zstd", "aes128gcm", "exi", "pack200-gzip"}
"""Content codings after which the bytes are not those of the file.

Servers also write names there that code nothing, such as ``aws-chunked``, ``utf-8`` or ``none``: those bytes are plain.
"""

# Python converts no text of more than some thousand digits, and no file has more bytes than 19 digits can say.
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)
_SLICE = re.compile(r"bytes\s+(\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Slice:
    """The bytes ``first`` to ``last`` (inclusive) of ``total``, as ``Content-Range`` counts them."""

    first: int
    last: int
    total: int

    @classmethod
    def parse(cls, text: str) -> Slice | None:
        """Read a ``Content-Range``; ``None`` if it is missing, names no slice or contradicts itself."""
        match = _SLICE.fullmatch(text.strip())
        found = cls(int(match[1]), int(match[2]), int(match[3])) if match else None
        return found if found and found.first <= found.last < found.total else None

    @property
    def length(self) -> int:
        """The number of bytes in the slice."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return f"bytes {self.first}-{self.last}"


def slice_of(answer: Response) -> Slice | None:
    """Return the slice that an answer holds, ``None`` if it holds all of the resource or does not say.

    Some servers send a slice with status 200. Its length then distinguishes it from a whole resource.
    """
    found = Slice.parse(answer.headers.get("Content-Range", ""))
    if answer.status_code == 206 or found is None:
        return found
    length = _number(answer.headers.get("Content-Length", ""))
    whole = found.length == found.total or length not in (None, found.length)
    return None if answer.status_code != 200 or whole else found


def size_of(answer: Response) -> int | None:
    """Return the size of the whole resource in bytes, ``None`` if the answer does not say."""
    if answer.status_code == 200 and slice_of(answer) is None:
        return _number(answer.headers.get("Content-Length", ""))
    return _number(answer.headers.get("Content-Range", "").rpartition("/")[2])


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def validator_of(answer: Response) -> str:
    """Return the ETag, else the time of the last change, else ``""``."""
    return (answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "").strip()


def check_not_compressed(coding: str, uri: str) -> None:
    """Check a ``Content-Encoding``: offsets into compressed bytes are not offsets into the file.

    :raises SourceNotMedia: it names a compression.
    """
    found = {name.strip().lower() for name in coding.split(",")} & COMPRESSIONS
    if found:
        raise SourceNotMedia(
            uri,
            f"it comes compressed (Content-Encoding: {', '.join(sorted(found))}), so its bytes are not those of the "
            "media file. Store or serve the plain file, or remove the Content-Encoding if it is wrong",
        )


def file_name(answer: Response, url: str) -> str:
    """Return the file name in ``Content-Disposition`` (RFC 6266 and 8187), else the last part of the URL's path."""
    said = _disposition_name(answer.headers.get("Content-Disposition", ""))
    return _last_part(said) or _last_part(unquote(parse(url).path or "")) or "download"


def _disposition_name(header: str) -> str:
    message = Message()
    try:
        # Headers are read as Latin-1, but many servers send raw UTF-8.
        message["Content-Disposition"] = header.encode("latin-1").decode()
    except UnicodeError:
        message["Content-Disposition"] = header
    try:
        parameters = message.get_params(failobj=[], header="Content-Disposition")
    except (ValueError, LookupError, TypeError):  # the parser stumbles over some malformed parameters
        return ""
    values = [value for name, value in parameters if name.lower() == "filename"]
    # filename* is the better one where both are there; it is a tuple with its character set.
    extended = [value for value in values if isinstance(value, tuple)]
    return str(collapse_rfc2231_value((extended or values or [""])[0]))


def _last_part(path: str) -> str:
    name = path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return "".join(letter for letter in name if letter.isprintable()).strip(' "')
