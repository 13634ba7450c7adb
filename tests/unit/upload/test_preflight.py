"""What can be seen of a file before it is sent."""

from __future__ import annotations

import pytest

from kaltura_provider.services.entry.kind import kind_of
from kaltura_provider.upload.preflight import problems_of


def box(name: bytes, length: int = 16) -> bytes:
    return length.to_bytes(4, "big") + name + bytes(length - 8)


def large_box(name: bytes, length: int) -> bytes:
    return b"\0\0\0\1" + name + length.to_bytes(8, "big") + bytes(length - 16)


WHOLE = box(b"ftyp", 24) + large_box(b"mdat", 5000) + box(b"moov", 200)


def problems(name: str, content: bytes, **given: object) -> str:
    reads = []

    def read(offset: int, length: int) -> bytes:
        reads.append(length)
        return content[offset : offset + length]

    found = problems_of(name, kind_of(name), len(content), read, **given)  # type: ignore[arg-type]
    assert sum(reads) < 10_000
    return "; ".join(found)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("whole.mp4", WHOLE),
        ("fast-start.mov", box(b"ftyp", 24) + box(b"moov", 200) + (0).to_bytes(4, "big") + b"mdat" + bytes(9000)),
        ("other.mp4", b"\x1aE\xdf\xa3" + bytes(100)),
        ("odd.rm", bytes(100)),
        ("notes.pdf", b"anything"),
    ],
)
def test_what_can_become_media_has_no_problem(name: str, content: bytes) -> None:
    assert problems(name, content) == ""


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("cut.mp4", WHOLE[:-300], "its mdat box ends at byte 5,024, and the file has 4,924 bytes"),
        ("open.mp4", WHOLE[:-200], "it has no moov box"),
        ("loop.mp4", box(b"ftyp", 24) + b"\0\0\0\4free" + bytes(99), "its structure cannot be read at byte 24"),
        ("page.mp4", b"<html>Log in</html>", "its first bytes are those of text or an archive, not of video"),
        ("picture.mov", b"\x89PNG\r\n\x1a\n" + bytes(50), "its first bytes are those of an image"),
        ("noise.mkv", bytes(range(1, 255)), "its first bytes are not those of mkv"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and " " not in value else "",
)
def test_what_cannot_become_media_says_why(name: str, content: bytes, problem: str) -> None:
    assert problem in problems(name, content)


def test_only_allowed_extensions_pass() -> None:
    assert problems("a.mp4", WHOLE, allowed=["MP4"]) == ""
    assert problems("a.mp4", WHOLE, allowed=["mov"]) == "its extension is not one of mov"
