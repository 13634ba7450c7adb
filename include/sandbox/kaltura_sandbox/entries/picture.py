"""The size of a picture, from its header where the format is a common one."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kaltura_sandbox.media import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["picture_size"]

_HEAD = 1 << 20
# JPEG segments that carry the frame's size: all "start of frame" markers.
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def picture_size(path: Path) -> tuple[int, int] | None:
    """Return width and height, or None if the file is not a picture."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
        return int(width), int(height)
    if head[:3] == b"GIF" and len(head) >= 10:
        width, height = struct.unpack("<HH", head[6:10])
        return int(width), int(height)
    if head[:3] == b"\xff\xd8\xff" and (found := _jpeg(head)) is not None:
        return found
    info = ffmpeg.probe(path)
    return (info.width, info.height) if info is not None and info.width else None


def _jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        marker, length = head[at + 1], int.from_bytes(head[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + length
    return None
