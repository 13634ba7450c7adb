"""The bytes of recorded files: a recording names size and SHA-1 only, so a stand-in of that size is built."""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from pathlib import PurePath

__all__ = ["file_content"]

_ABC = "a9993e364706816aba3e25717850c26c9cd0d89d"
_FTYP = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_SRT = b"1\n00:00:00,000 --> 00:00:02,000\nHello\n\n2\n00:00:02,000 --> 00:00:04,000\nWorld\n\n"
_CSV = b"*title,description,tags,url,contentType\nOne,first,a,http://example.com/one.mp4,video\n"
_XML = b"<mrss></mrss>"


def file_content(name: str, size: int, sha1: str, *, refused: bool = False) -> bytes:
    """Bytes of the wanted size whose head is what the name says, the same for the same SHA-1.

    :param refused: the real server refused the type, so it was bytes of no known type.
    """
    if sha1 == _ABC and size == 3:
        return b"abc"
    if refused:
        head = b"MZ\x90\x00" if name.endswith(".exe") else b""
        return (head + random.Random(sha1).randbytes(size))[:size]
    suffix = PurePath(name).suffix.lower()
    if suffix == ".png":
        return _png(size)
    if suffix in (".csv", ".xml", ".srt", ".vtt", ".txt", ".json"):
        head = {".csv": _CSV, ".xml": _XML, ".srt": _SRT, ".vtt": b"WEBVTT\n\n"}.get(suffix, b"text\n")
        return (head + b"\n" * size)[:size]
    head = _PDF if suffix == ".pdf" else _FTYP
    body = hashlib.sha256(sha1.encode()).digest() * (size // 32 + 1)
    return (head + body)[:size]


def _png(size: int) -> bytes:
    """Return a black 64x36 PNG, padded with a text chunk to the wanted size where it is large enough."""
    rows = (b"\x00" + b"\x00" * 64) * 36
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 36, 8, 0, 0, 0, 0))
    tail = _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    padding = size - len(head) - len(tail) - 12
    text = _chunk(b"tEXt", b"Comment\x00".ljust(padding, b"-")) if padding >= 8 else b""
    return head + text + tail


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
