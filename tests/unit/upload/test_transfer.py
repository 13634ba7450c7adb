"""Transfers without a network: sizes no disk has to hold, and answers no real server gives on demand."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Generator
from types import SimpleNamespace
from typing import Any

import pytest

from kaltura_provider.api import KalturaTransportError, RetryPolicy, TransportFault, api_error
from kaltura_provider.upload import (
    ChunkRefused,
    FinalRefused,
    GoneReason,
    SizeMismatch,
    SourceNotFound,
    TokenGone,
    Uploader,
    UploadSettings,
    combine,
    crc32c,
    to_base64,
)

MIB, GIB = 1 << 20, 1 << 30
QUICK = UploadSettings(
    chunk_size=5 * MIB,
    retry=RetryPolicy(attempts=4, base=0.001, cap=0.002),
    final_poll=0.05,
    poll=0.01,
    busy_after=0.01,
)

FOUND = dataclasses.replace(QUICK, chunk_size=None)


class Generated:
    """A source of any size: one MiB again and again, a few odd bytes at its end."""

    name, uri, validator, rewind = "big.mp4", "memory:big.mp4", "v1", None

    def __init__(self, size: int) -> None:
        self.size = size
        self.crc32c: int | None = None
        self.block = bytes(range(256)) * 4096

    def read(self, offset: int, length: int, window: int = MIB) -> Generator[bytes, None, None]:
        end = offset + length
        while offset < end:
            start = offset % MIB
            data = self.block[start : min(MIB, start + window, start + end - offset)]
            offset += len(data)
            yield data

    def close(self) -> None:
        pass


class Server:
    """Takes chunks as Kaltura does and keeps their offsets, lengths and checksums.

    ``hook`` is called before each upload with its parameters and length, and may raise.
    """

    def __init__(self, hook: Callable[[dict[str, Any], int], None] = lambda *_: None) -> None:
        self.hook = hook
        self.credentials = SimpleNamespace(renewable=True)
        self.lock = threading.Lock()
        self.pieces: dict[int, tuple[int, int]] = {}
        self.status = 0
        self.calls: list[tuple[int, int]] = []
        self.deleted = False
        self.trip = 0.0
        self.pings = 0

    def call(self, service: str, action: str, params: dict[str, Any]) -> dict[str, Any]:
        if service == "system":
            self.pings += 1
            return {}
        assert (service, action) == ("uploadToken", "get")
        time.sleep(self.trip)
        if self.deleted:
            raise api_error("UPLOAD_TOKEN_NOT_FOUND")
        with self.lock:
            return self.view()

    def view(self) -> dict[str, Any]:
        front = self.front()[0]
        return {"status": self.status, "updatedAt": 1, **({"uploadedFileSize": str(front)} if self.pieces else {})}

    def front(self) -> tuple[int, int]:
        """Return how far the pieces reach without a gap, and the checksum up to there."""
        size = crc = 0
        while size in self.pieces:
            length, piece = self.pieces[size]
            crc, size = combine(crc, piece, length), size + length
        return size, crc

    def send_file(self, service: str, action: str, params: dict[str, Any], file: Any, *, timeout: Any) -> Any:
        self.hook(params, file.length)
        crc = length = 0
        for window in file.body():
            crc, length = crc32c(window, crc), length + len(window)
        assert length == file.length
        with self.lock:
            offset = params["resumeAt"]
            self.calls.append((offset, length))
            if not params["resume"]:
                self.pieces.clear()
            if length:
                self.pieces[offset] = (length, crc)
            self.status = 1
            if params["finalChunk"]:
                if self.front()[0] != offset + length:
                    raise api_error("UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE")
                self.status = 2
            return self.view()


def send(server: Server, source: Any, settings: UploadSettings = QUICK, **options: Any) -> Any:
    uploader = Uploader(server, settings=settings)  # type: ignore[arg-type]
    return uploader.send(source, "0_t", **{"attached": True, **options})


@pytest.mark.parametrize("size", [2 * GIB - 1, 2 * GIB, 4 * GIB + 3, 5 * GIB + 1])
def test_sizes_beyond_two_and_four_gibibytes_are_exact(size: int) -> None:
    server, source = Server(), Generated(size)
    settings = UploadSettings(retry=QUICK.retry, window=MIB, chunk_size=64 * MIB)
    result = send(server, source, settings)
    whole = crc32c(source.block)
    expected = 0
    for _ in range(size // MIB):
        expected = combine(expected, whole, MIB)
    rest = source.block[: size % MIB]
    expected = combine(expected, crc32c(rest), len(rest)) if rest else expected
    assert server.front() == (size, expected)
    assert result.crc32c == to_base64(expected)
    assert result.size == result.bytes_sent == size


def test_resumes_beyond_four_gibibytes() -> None:
    size, front = 5 * GIB + 7, 4 * GIB + 5 * MIB + 1
    server = Server()
    server.pieces[0] = (front, 0)
    server.status = 1
    result = send(server, Generated(size))
    assert server.front()[0] == size
    assert (result.resumed_from, result.bytes_sent) == (front, size - front)


def refuse_above(limit: int) -> Callable[[dict[str, Any], int], None]:
    def hook(_: dict[str, Any], length: int) -> None:
        if length > limit:
            raise KalturaTransportError("too large", fault=TransportFault.STATUS, status=413)

    return hook


def test_requests_too_large_for_a_proxy_are_cut_smaller() -> None:
    server = Server(refuse_above(6 * MIB))
    result = send(server, Generated(100 * MIB), FOUND)
    assert server.front()[0] == 100 * MIB
    assert max(length for _, length in server.calls) <= 6 * MIB
    assert result.bytes_sent == 100 * MIB


def test_proxy_that_takes_no_chunk_at_all_is_an_error_at_once() -> None:
    with pytest.raises(ChunkRefused, match=r"5242880 bytes \(HTTP 413\).*set chunk_size") as caught:
        send(Server(refuse_above(1 * MIB)), Generated(100 * MIB), FOUND)
    assert caught.value.permanent
    server = Server(refuse_above(1 * MIB))
    send(server, Generated(20 * MIB), UploadSettings(retry=QUICK.retry, chunk_size=1 * MIB))
    assert server.front()[0] == 20 * MIB


def test_token_without_a_file_on_the_server_is_begun_again() -> None:
    """``UPLOAD_TOKEN_CANNOT_RESUME``: the server lost what it had; the upload starts over by itself."""
    lost = threading.Event()

    def hook(params: dict[str, Any], _: int) -> None:
        if params["resumeAt"] > 30 * MIB and not lost.is_set():
            lost.set()
            server.pieces.clear()
        if lost.is_set() and params["resume"] and 0 not in server.pieces:
            raise api_error("UPLOAD_TOKEN_CANNOT_RESUME")

    server = Server(hook)
    source = Generated(64 * MIB)
    result = send(server, source)
    assert server.front()[0] == 64 * MIB
    assert result.crc32c == to_base64(server.front()[1])


def test_final_that_never_matches_is_given_up() -> None:
    def hook(params: dict[str, Any], _: int) -> None:
        if params["finalChunk"]:
            raise api_error("UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE")

    with pytest.raises(FinalRefused):
        send(Server(hook), Generated(20 * MIB))


def test_final_that_another_process_sent_is_taken_for_ours() -> None:
    def hook(params: dict[str, Any], _: int) -> None:
        if params["finalChunk"]:
            server.status = 2
            raise api_error("UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD")

    server = Server(hook)
    assert send(server, Generated(20 * MIB)).token_status == 2


def test_chunk_for_a_token_that_another_process_finished() -> None:
    def hook(params: dict[str, Any], _: int) -> None:
        if params["resumeAt"] > 10 * MIB:
            server.pieces, server.status = {0: (20 * MIB, 0)}, 2
            raise api_error("UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD")

    server = Server(hook)
    result = send(server, Generated(20 * MIB))
    assert result.token_status == 2
    assert result.crc32c is None
    assert "another process" in str(result.crc32c_note)


def test_token_finished_too_early_by_another_process() -> None:
    def hook(params: dict[str, Any], _: int) -> None:
        if params["resumeAt"] > 10 * MIB:
            server.pieces, server.status = {0: (15 * MIB, 0)}, 2
            raise api_error("UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD")

    server = Server(hook)
    with pytest.raises(SizeMismatch) as caught:
        send(server, Generated(20 * MIB))
    assert (caught.value.expected, caught.value.found) == (20 * MIB, 15 * MIB)


def test_single_shot_the_server_could_not_store() -> None:
    def hook(_: dict[str, Any], __: int) -> None:
        server.deleted = True
        raise api_error("UPLOAD_ERROR")

    server = Server(hook)
    with pytest.raises(TokenGone) as caught:
        send(server, Generated(1 * MIB), attached=False)
    assert caught.value.reason is GoneReason.FAILED
    assert not caught.value.permanent


def test_source_that_vanishes_comes_out_as_it_is_and_stops_everything() -> None:
    class Vanishing(Generated):
        def read(self, offset: int, length: int, window: int = MIB) -> Generator[bytes, None, None]:
            for data in super().read(offset, length, window):
                if offset > 30 * MIB:
                    raise SourceNotFound(self.uri, "there is no such object")
                yield data

    before = threading.active_count()
    with pytest.raises(SourceNotFound):
        send(Server(), Vanishing(200 * MIB))
    assert threading.active_count() <= before


def test_connections_are_opened_ahead_where_that_takes_long() -> None:
    near, far, small = Server(), Server(), Server()
    far.trip = small.trip = 0.1
    for server, size in ((near, 100 * MIB), (far, 100 * MIB), (small, 1 * MIB)):
        send(server, Generated(size))
    assert (near.pings, far.pings, small.pings) == (0, 7, 0)
