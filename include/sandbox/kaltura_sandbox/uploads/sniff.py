"""The type of a file by its first bytes: the check of accounts that restrict file types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_allowed", "mime_type"]

_HEAD = 4096
_OTHER = "application/octet-stream"
_EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "video/mp4"),
    (4, b"moov", "video/quicktime"),
    (4, b"mdat", "video/quicktime"),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/x-wav"),
    (8, b"WEBP", "image/webp"),
    (0, b"FLV", "video/x-flv"),
    (0, b"OggS", "application/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf1", "audio/x-hx-aac-adts"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"%PDF", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/vnd.ms-office"),
    (0, b"MZ", "application/x-dosexec"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"wOFF", "font/woff"),
)
_REFUSED = frozenset({_OTHER, "application/x-dosexec", "application/x-executable"})


def mime_type(head: bytes) -> str:
    """Return the type the first bytes of a file suggest."""
    for offset, magic, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return "video/mp2t"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if any(byte < 9 or 13 < byte < 27 for byte in head):
        return _OTHER
    if not _is_utf8(head):
        return _OTHER
    if text.startswith(b"<?xml"):
        return "application/xml"
    return "application/json" if text[:1] in (b"{", b"[") else "text/plain"


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # the last character may be incomplete
    return True


def is_allowed(path: Path) -> bool:
    """Whether an account that restricts file types takes this file."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        return True
    return mime_type(head) not in _REFUSED and _EICAR not in head
