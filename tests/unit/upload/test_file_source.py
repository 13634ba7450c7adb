"""Local files as sources, and what every source promises."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from kaltura_provider.upload.sources.base import Source, steady
from kaltura_provider.upload.sources.errors import (
    SourceChanged,
    SourceEmpty,
    SourceNotFound,
    SourceRefused,
    SourceUnavailable,
)
from kaltura_provider.upload.sources.file import open_file


def test_reads_by_offset(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(range(256)) * 10)
    source = open_file(path)
    assert isinstance(source, Source)
    assert (source.name, source.size, source.uri) == ("clip.mp4", 2560, path.as_uri())
    assert b"".join(source.read(0, 2560, 7)) == path.read_bytes()
    assert list(source.read(250, 10, 4)) == [bytes([250, 251, 252, 253]), bytes([254, 255, 0, 1]), bytes([2, 3])]
    source.close()
    source.close()


def test_beyond_four_gibibytes(tmp_path: Path) -> None:
    path = tmp_path / "sparse.mp4"
    with path.open("wb") as file:
        file.seek((5 << 30) - 3)
        file.write(b"end")
    source = open_file(path)
    assert source.size == 5 << 30
    assert b"".join(source.read((5 << 30) - 5, 5)) == b"\0\0end"
    source.close()


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        open_file(tmp_path / "missing.mp4")
    with pytest.raises(SourceRefused):
        open_file(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceRefused):
        open_file(tmp_path / "pipe")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(SourceEmpty):
        open_file(tmp_path / "empty.mp4")


@pytest.mark.parametrize("change", [b"longer than before", b"other"])
def test_change_is_noticed(tmp_path: Path, change: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"first")
    source = open_file(path)
    path.write_bytes(change)
    os.utime(path, ns=(1, 1))
    with pytest.raises(SourceChanged):
        list(source.read(0, 5))
    source.close()


def test_disk_that_vanishes_is_an_error_of_the_source(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"first")
    source = open_file(path)
    reader = source.read(0, 5)
    next(reader)
    source.close()
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        next(reader)


def test_replaced_file_is_still_the_one_that_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"first")
    source = open_file(path)
    path.unlink()
    path.write_bytes(b"other")
    assert b"".join(source.read(0, 5)) == b"first"
    source.close()


def test_steady_reading_gives_up_only_without_progress() -> None:
    calls: list[int] = []
    slept: list[float] = []

    def read(offset: int, length: int) -> Generator[bytes, None, None]:
        calls.append(offset)
        if len(calls) % 3:
            raise SourceUnavailable("x:", "broken")
        yield b"abc"[:length]

    data = b"".join(steady(read, 0, 8, uri="x:", sleep=slept.append))
    assert data == b"abcabcab"
    assert calls == [0, 0, 0, 3, 3, 3, 6, 6, 6]
    assert slept[0] < slept[1]

    def dead(offset: int, length: int) -> Generator[bytes, None, None]:
        yield from ()

    with pytest.raises(SourceUnavailable, match="the answer was empty"):
        list(steady(dead, 0, 8, uri="x:", sleep=slept.append))


def test_the_same_file_elsewhere_has_the_same_validator(tmp_path):
    """A worker that mounts or copies the folder sees another inode, and the same content."""
    first = tmp_path / "a.mp4"
    first.write_bytes(b"film")
    other = tmp_path / "mounted.mp4"
    shutil.copy2(first, other)
    with contextlib.closing(open_file(first)) as one, contextlib.closing(open_file(other)) as two:
        assert one.validator == two.validator
        assert one.elder_validator != two.elder_validator
