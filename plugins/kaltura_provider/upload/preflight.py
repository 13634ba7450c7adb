"""Look at a source before anything is sent: is it whole, and is it what its name says? Reads a few KiB of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kaltura_provider.services.entry.content_kind import HEAD_LENGTH, kind_of_content
from kaltura_provider.services.entry.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

__all__ = ["Preflight", "problems_of"]

_MP4 = frozenset({"mp4", "m4v", "m4a", "mov", "qt", "3gp", "3g2", "f4v"})
# The signatures of these formats are known, so content without one is something else.
_SIGNED = _MP4 | frozenset({"mkv", "webm", "avi", "flv", "wmv", "wma", "asf", "wav", "flac", "ogg", "ogv", "mxf"})
_PLAYED = frozenset({Kind.VIDEO, Kind.AUDIO})
_NOT_PLAYED = {Kind.DATA: "text or an archive", Kind.DOCUMENT: "a document", Kind.IMAGE: "an image"}
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MAX_BOXES = 200
_HEADER = 16
_SMALLEST = 8


class Preflight(StrEnum):
    """What to do with a source that cannot become media."""

    OFF = "off"
    WARN = "warn"
    FAIL = "fail"


def problems_of(
    name: str, kind: Kind, size: int, read: Callable[[int, int], bytes], allowed: Collection[str] = ()
) -> list[str]:
    """Return why a source cannot become media, as far as that can be seen.

    :param kind: the kind of its entry.
    :param read: returns bytes by offset and length.
    :param allowed: the extensions that may be ingested; all, if there are none.
    """
    extension = PurePosixPath(name).suffix[1:].lower()
    if allowed and extension not in {one.lower().lstrip(".") for one in allowed}:
        return [f"its extension is not one of {', '.join(sorted(allowed))}"]
    if kind not in _PLAYED:
        return []
    head = read(0, min(size, HEAD_LENGTH))
    found = kind_of_content(head)
    if found in _NOT_PLAYED:
        return [f"its first bytes are those of {_NOT_PLAYED[found]}, not of {kind}"]
    if found is None and extension in _SIGNED:
        return [f"its first bytes are not those of {extension}, nor of any other format that is known"]
    # A file can be of this format with another extension; what matters is what it holds.
    return _mp4_problems(size, read, head) if extension in _MP4 and head[4:8] in _FIRST_BOXES else []


def _mp4_problems(size: int, read: Callable[[int, int], bytes], head: bytes) -> list[str]:
    """Walk over the outermost boxes up to ``moov``, without which nothing can be played."""
    for count, (name, start, end) in enumerate(_boxes(size, read, head)):
        if end - start < _SMALLEST or count >= _MAX_BOXES:
            return [f"its structure cannot be read at byte {start:,}"]
        if end > size:
            what = f"its {name} box ends at byte {end:,}, and the file has {size:,} bytes"
            return [f"{what}: the file is not whole"]
        if name == "moov":
            return []
    return ["it has no moov box, without which it cannot be played: its recording or transfer has not ended"]


def _boxes(size: int, read: Callable[[int, int], bytes], head: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end of each box."""
    start = 0
    while start + _SMALLEST <= size:
        inside = start + _HEADER <= len(head)
        header = head[start : start + _HEADER] if inside else read(start, min(_HEADER, size - start))
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        end = size if length == 0 else start + length
        yield header[4:8].decode("latin-1"), start, end
        start = end
