"""The ring on disk that a source without ranges goes through, on disks that fail."""

from __future__ import annotations

import errno
import os
import random
import tempfile
from collections.abc import Generator
from itertools import islice
from typing import Any

import pytest

from kaltura_provider.upload.sources.errors import SourceUnavailable
from kaltura_provider.upload.sources.spool import Spool

DATA = random.Random(3).randbytes(300_007)


def spool(capacity: int = 100_000, piece: int = 30_000) -> Spool:
    def begin() -> Generator[bytes, None, None]:
        for offset in range(0, len(DATA), piece):
            yield DATA[offset : offset + piece]

    return Spool(begin, capacity, "http://host.example/a.mp4")


def read(ring: Spool) -> bytes:
    # Never more windows than there can be: a ring that gives nothing would be read for ever.
    return b"".join(islice(ring.read(0, len(DATA), 7000), 100))


def test_short_writes_leave_no_holes(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, place: real(file, bytes(data)[:1001], place))
    ring = spool()
    assert read(ring) == DATA
    ring.close()


def no_space(*_: Any, **__: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("call", "failing"),
    [("pwrite", no_space), ("pwrite", lambda *_: 0), ("pread", lambda *_: b""), ("pread", no_space)],
)
def test_disk_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, call: str, failing: Any) -> None:
    ring = spool()
    monkeypatch.setattr(os, call, failing)
    with pytest.raises(SourceUnavailable, match=r"host\.example/a\.mp4.*Free space there") as caught:
        read(ring)
    assert tempfile.gettempdir() in str(caught.value)
    monkeypatch.undo()
    assert read(ring) == DATA
    ring.close()


def test_no_place_for_temporary_files_is_an_error_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", no_space)
    with pytest.raises(SourceUnavailable, match="TMPDIR"):
        spool()
