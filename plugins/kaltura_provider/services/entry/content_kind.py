"""The kind of entry that a file becomes, by its first bytes. Used if its name does not give the kind."""

from __future__ import annotations

import re

from kaltura_provider.services.entry.kind import Kind

__all__ = ["HEAD_LENGTH", "kind_of_content"]

HEAD_LENGTH = 4096
"""How many bytes from the start of a file are enough."""

_MARKS: tuple[tuple[re.Pattern[bytes], Kind], ...] = tuple(
    (re.compile(mark, re.DOTALL), kind)
    for mark, kind in (
        (rb"....ftyp(M4A|M4B|M4P)", Kind.AUDIO),
        (rb"....ftyp(heic|heix|mif1|avif)", Kind.IMAGE),
        (rb"....(ftyp|moov|mdat|wide)", Kind.VIDEO),
        (rb"\x1aE\xdf\xa3|FLV\x01|\x30\x26\xb2\x75\x8e\x66\xcf\x11|\x00\x00\x01[\xba\xb3]", Kind.VIDEO),
        (rb"RIFF....AVI |\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", Kind.VIDEO),
        (rb"\x47.{187}\x47.{187}\x47", Kind.VIDEO),
        (rb"RIFF....WAVE|FORM....AIF[FC]|fLaC|ID3|#!AMR|\xff[\xf1\xf9\xfa\xfb\xf2\xf3]", Kind.AUDIO),
        (rb"OggS.{24,60}theora", Kind.VIDEO),
        (rb"OggS", Kind.AUDIO),
        (rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|BM....\x00\x00\x00\x00", Kind.IMAGE),
        (rb"II\*\x00|MM\x00\*|RIFF....WEBP", Kind.IMAGE),
        (rb"%PDF-|[CFZ]WS[\x01-\x40]|\{\\rtf|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.DOCUMENT),
        (rb"PK\x03\x04.{26}(\[Content_Types\]|_rels/|docProps/|mimetypeapplication/vnd\.oasis)", Kind.DOCUMENT),
        (rb"PK\x03\x04|\x1f\x8b\x08", Kind.DATA),
    )
)


def kind_of_content(head: bytes) -> Kind | None:
    """Return the kind of a file by its first bytes: by the signature of its format, or data if it is text.

    :param head: the first :data:`HEAD_LENGTH` bytes, or all there are.
    :return: ``None`` if the bytes do not give the kind.
    """
    for mark, kind in _MARKS:
        if mark.match(head):
            return kind
    return Kind.DATA if head and _is_text(head) else None


def _is_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    try:
        # The last character may be incomplete.
        text = head.decode() if len(head) < HEAD_LENGTH else head[:-4].decode(errors="strict")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 8 and error.start > 0
    return sum(not (c.isprintable() or c in "\r\n\t\f\ufeff") for c in text) == 0
