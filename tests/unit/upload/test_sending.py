"""Transfers without a network: sizes no disk has to hold, and answers no real server gives on demand."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Generator
from types import SimpleNamespace
from typing import Any

import pytest

from kaltura_provider.api.errors import KalturaTransportError, TransportFault, api_error
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.upload.checksum import combine, crc32c, to_base64
from kaltura_provider.upload.errors import (
    ChecksumMismatch,
    ChunkRefused,
    FinalRefused,
    GoneReason,
    SizeMismatch,
    TokenBusy,
    TokenGone,
    UploadCancelled,
)
from kaltura_provider.upload.pace import Pace
from kaltura_provider.upload.settings import Patience, UploadSettings
from kaltura_provider.upload.sources.errors import SourceNotFound
from kaltura_provider.upload.uploader import Uploader

MIB, GIB = 1 << 20, 1 << 30
FIVE = UploadSettings(chunk_size=5 * MIB)
FOUND = UploadSettings()
QUICK = Patience(
    retry=RetrySettings(attempts=4, base=0.001, cap=0.002),
    final_poll=0.05,
    single_poll=0.05,
    poll=0.01,
    busy_after=0.01,
)


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
        self.attached_to: str | None = None

    def call(self, service: str, action: str, params: dict[str, Any]) -> dict[str, Any]:
        assert (service, action) == ("uploadToken", "get")
        if self.deleted:
            raise api_error("UPLOAD_TOKEN_NOT_FOUND")
        with self.lock:
            return self.view()

    def view(self) -> dict[str, Any]:
        front = self.front()[0]
        bytes_there = {"uploadedFileSize": str(front)} if self.pieces else {}
        return {"id": "t", "status": self.status, "updatedAt": 1, "attachedObjectId": self.attached_to, **bytes_there}

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


def send(
    server: Server, source: Any, settings: UploadSettings = FIVE, patience: Patience = QUICK, **options: Any
) -> Any:
    uploader = Uploader(server, settings=settings, patience=patience)  # type: ignore[arg-type]
    return uploader.send(source, "0_t", **{"attached": True, **options})


@pytest.mark.parametrize("size", [2 * GIB - 1, 2 * GIB, 4 * GIB + 3, 5 * GIB + 1])
def test_sizes_beyond_two_and_four_gibibytes_are_exact(size: int) -> None:
    server, source = Server(), Generated(size)
    settings = UploadSettings(chunk_size=64 * MIB)
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
    send(server, Generated(20 * MIB), UploadSettings(chunk_size=1 * MIB))
    assert server.front()[0] == 20 * MIB


@pytest.mark.parametrize(
    ("limit", "size", "settings"),
    [
        (2 * MIB, 20 * GIB, UploadSettings(chunk_size=MIB)),
        (30 * MIB, 600 * GIB, FOUND),
    ],
)
def test_proxy_that_takes_no_chunk_large_enough_for_the_source_is_an_error_at_once(
    limit: int, size: int, settings: UploadSettings
) -> None:
    refused: list[int] = []

    def hook(_: dict[str, Any], length: int) -> None:
        if length > limit:
            refused.append(length)
            assert len(refused) < 100, "the same is sent again and again"
            refuse_above(limit)(_, length)

    with pytest.raises(ChunkRefused, match=r"HTTP 413.*needs chunks of at least \d+ bytes.*9,000"):
        send(Server(hook), Generated(size), settings)
    assert len(refused) <= 8


def test_refusals_for_size_are_not_taken_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[int] = []

    def hook(_: dict[str, Any], length: int) -> None:
        if length > MIB:
            refused.append(length)
            assert len(refused) < 500, "refusals are not counted"
            refuse_above(MIB)(_, length)

    monkeypatch.setattr(Pace, "failed", lambda *_, **__: None)  # however the sizes are chosen
    with pytest.raises(ChunkRefused):
        send(Server(hook), Generated(1 * GIB), FOUND)


@pytest.mark.parametrize(
    ("size", "limit", "settings"),
    [
        (8 * MIB, 6 * MIB, FOUND),
        (9 * MIB, 6 * MIB, UploadSettings(parallelism=1)),
    ],
)
def test_one_request_that_is_too_large_for_a_proxy_goes_on_in_chunks(
    size: int, limit: int, settings: UploadSettings
) -> None:
    server, source = Server(refuse_above(limit)), Generated(size)
    result = send(server, source, settings, attached=False)
    assert server.front()[0] == size
    assert result.crc32c == to_base64(server.front()[1])
    assert result.chunks > 1


def test_one_request_of_which_no_part_is_taken_either_is_an_error() -> None:
    with pytest.raises(ChunkRefused, match="413"):
        send(Server(refuse_above(1 * MIB)), Generated(3 * MIB), FOUND, attached=False)


def test_token_that_says_it_is_attached_never_gets_one_request() -> None:
    server = Server()
    server.attached_to = "1_flavor"
    assert send(server, Generated(2 * MIB), attached=False).chunks == 3
    assert server.calls[0] == (0, 8192)


@pytest.mark.parametrize(("size", "opener"), [(1, 1), (1 * MIB, 1 * MIB), (1 * MIB + 1, 8192)])
def test_a_small_source_is_sent_by_the_opener_and_finished_by_an_empty_chunk(size: int, opener: int) -> None:
    server = Server()
    send(server, Generated(size), attached=True)
    assert server.calls[0] == (0, opener)
    assert server.calls[-1] == (size, 0)
    assert len(server.calls) == (2 if opener == size else 3)


class Forgetful(Server):
    """Says that it has no file of a token, and shows bytes of it all the same; ``heals``: an opener makes one."""

    def __init__(self, *, when: Callable[[dict[str, Any]], bool], heals: bool) -> None:
        super().__init__(self.refuse)
        self.when, self.heals = when, heals
        self.lost = False
        self.openers = self.refusals = 0

    def refuse(self, params: dict[str, Any], _: int) -> None:
        if not params["resume"]:
            self.openers += 1
            self.lost = self.lost and not self.heals
        elif self.lost or (self.openers == 1 and self.when(params)):
            self.lost = True
            self.refusals += 1
            assert self.refusals < 100, "the same is sent again and again"
            raise api_error("UPLOAD_TOKEN_CANNOT_RESUME")


@pytest.mark.parametrize(
    "when", [lambda params: params["resumeAt"] > 30 * MIB, lambda params: params["finalChunk"]], ids=["chunk", "final"]
)
def test_file_that_is_lost_although_the_token_shows_bytes_is_sent_again(when: Callable[[dict[str, Any]], bool]) -> None:
    server = Forgetful(when=when, heals=True)
    result = send(server, Generated(64 * MIB), own=True)
    assert server.openers == 2
    assert server.front()[0] == 64 * MIB
    assert result.crc32c == to_base64(server.front()[1])


def test_file_that_is_lost_again_and_again_is_an_error_a_new_token_cures() -> None:
    server = Forgetful(when=lambda params: params["resumeAt"] > 30 * MIB, heals=False)
    with pytest.raises(TokenGone, match="UPLOAD_TOKEN_CANNOT_RESUME") as caught:
        send(server, Generated(64 * MIB), own=True)
    assert caught.value.reason is GoneReason.LOST
    assert not caught.value.permanent
    assert server.openers <= 4


def test_file_that_another_process_is_filling_is_not_thrown_away() -> None:
    class Moving(Forgetful):
        def view(self) -> dict[str, Any]:
            stamp["updatedAt"] += self.lost
            return super().view() | stamp

    stamp = {"updatedAt": 1}
    server = Moving(when=lambda params: params["resumeAt"] > 30 * MIB, heals=True)
    with pytest.raises(TokenBusy):
        send(server, Generated(64 * MIB), patience=dataclasses.replace(QUICK, busy_after=5.0, busy_wait=0.05))
    assert server.openers == 1


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
    server = Server(hook)
    assert send(server, Generated(20 * MIB), UploadSettings(reread=True)).crc32c == checksum(20 * MIB)


def checksum(size: int) -> str:
    return to_base64(crc32c(Generated(1).block * (size // MIB)))


def test_reread_knows_the_checksum_whatever_the_server_had_put_aside() -> None:
    """A process died with chunks put aside on the server, which are counted only when the next one sends."""
    size, front, ahead = 40 * MIB, 5 * MIB, 20 * MIB
    for settings in (FIVE, dataclasses.replace(FIVE, reread=True), dataclasses.replace(FIVE, sha256=True)):
        server = Server()
        server.pieces, server.status = {0: (front, 0), front + 8192: (ahead - 8192, 0)}, 1
        result = send(server, Generated(size), settings)
        assert result.bytes_sent == size - front - ahead + 8192
        assert (result.sha256 is not None) == settings.sha256
        if settings is FIVE:
            assert result.crc32c is None
            assert "Set reread=True" in str(result.crc32c_note)
        else:
            assert result.crc32c == checksum(size)


@pytest.mark.parametrize("what", ["reread", "sha256"])
def test_checksums_are_known_also_if_there_is_nothing_to_send(what: str) -> None:
    server, source = Server(), Generated(20 * MIB)
    send(server, source)
    settings = UploadSettings(**{what: True})  # type: ignore[arg-type]
    result = send(server, source, settings)
    assert (result.bytes_sent, result.crc32c) == (0, checksum(20 * MIB))
    whole = hashlib.sha256(source.block * 20).hexdigest()
    assert result.sha256 == (whole if what == "sha256" else None)
    source.crc32c = 12345
    with pytest.raises(ChecksumMismatch):
        send(server, source, settings)


def test_note_names_the_checksums_that_were_not_compared() -> None:
    source = Generated(1 * MIB)
    assert "it has" not in str(send(Server(), source).crc32c_note)
    source.checksums = "CRC64NVME FULL_OBJECT"  # type: ignore[attr-defined]
    assert "it has CRC64NVME FULL_OBJECT, which is not compared" in str(send(Server(), source).crc32c_note)


def test_reading_for_the_checksum_reports_and_can_be_stopped(caplog: pytest.LogCaptureFixture) -> None:
    class Counted(Generated):
        windows = 0

        def read(self, offset: int, length: int, window: int = MIB) -> Generator[bytes, None, None]:
            for data in super().read(offset, length, window):
                if length == self.size:
                    self.windows += 1
                    if self.windows == 30:
                        uploader.cancel()
                yield data

    source = Counted(40 * MIB)
    settings = UploadSettings(sha256=True)
    uploader = Uploader(Server(), settings=settings)  # type: ignore[arg-type]
    with caplog.at_level("INFO", "kaltura_provider.upload"), pytest.raises(UploadCancelled):
        uploader.send(source, "0_t", attached=True)
    assert source.windows == 30
    lines = [record.getMessage() for record in caplog.records if "for the checksums" in record.getMessage()]
    assert 3 <= len(lines) <= 5
    assert lines[-1].startswith("big.mp4: ")
    assert "of 41943040 bytes" in lines[-1]


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


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_token_deleted_after_a_single_shot_that_was_cut_is_no_refused_type(share: float) -> None:
    """Another process may have deleted it, and no later run would try a refused item again."""

    class Cutting(Server):
        def send_file(self, service: str, action: str, params: dict[str, Any], file: Any, *, timeout: Any) -> Any:
            taken = 0
            for window in file.body():
                taken += len(window)
                if taken > share * file.length:
                    break
            self.deleted = True
            raise KalturaTransportError("cut", fault=TransportFault.CUT)

    with pytest.raises(TokenGone) as caught:
        send(Cutting(), Generated(1 * MIB), attached=False)
    assert caught.value.reason is GoneReason.FAILED


def test_token_deleted_before_a_final_chunk_that_was_cut_is_no_refused_type() -> None:
    """The final chunk is empty, so it is always complete, whether the server got it or not."""

    class Cutting(Server):
        def send_file(self, service: str, action: str, params: dict[str, Any], file: Any, *, timeout: Any) -> Any:
            if not params["finalChunk"]:
                return super().send_file(service, action, params, file, timeout=timeout)
            self.deleted = True
            raise KalturaTransportError("cut", fault=TransportFault.CUT)

    with pytest.raises(TokenGone) as caught:
        send(Cutting(), Generated(1 * MIB), attached=True)
    assert caught.value.reason is GoneReason.FAILED


def send_or_stop(server: Server, source: Generated) -> Any:
    """Send, but not for ever: if the upload hangs, it ends as cancelled."""
    uploader = Uploader(server, settings=FIVE, patience=QUICK)  # type: ignore[arg-type]
    timer = threading.Timer(5.0, uploader.cancel)
    timer.start()
    try:
        return uploader.send(source, "0_t", attached=True)
    finally:
        timer.cancel()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("answer", [None, [], RuntimeError("a bug")])
def test_question_that_fails_in_a_sending_thread_does_not_hang_the_upload(answer: Any) -> None:
    class Odd(Server):
        asked = 0

        def call(self, service: str, action: str, params: dict[str, Any]) -> Any:
            found = super().call(service, action, params)
            self.asked += action == "get"
            if self.asked != 2 or action != "get":
                return found
            if isinstance(answer, Exception):
                raise answer
            return answer

    cut = threading.Event()

    def hook(params: dict[str, Any], _: int) -> None:
        if params["resumeAt"] > 10 * MIB and not cut.is_set():
            cut.set()
            raise KalturaTransportError("cut", fault=TransportFault.CUT)

    server = Odd(hook)
    send_or_stop(server, Generated(40 * MIB))
    assert server.front()[0] == 40 * MIB


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_whatever_ends_a_sending_thread_comes_out() -> None:
    class Broken(Generated):
        def read(self, offset: int, length: int, window: int = MIB) -> Generator[bytes, None, None]:
            if offset > 10 * MIB:
                raise SystemExit("no more")
            yield from super().read(offset, length, window)

    with pytest.raises(SystemExit, match="no more"):
        send_or_stop(Server(), Broken(40 * MIB))


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


def refusing(server: Server, when: Callable[[dict[str, Any]], bool], error: Exception) -> list[dict[str, Any]]:
    """Let a server refuse some requests; return these as they come."""
    refused: list[dict[str, Any]] = []

    def hook(params: dict[str, Any], _: int) -> None:
        if when(params):
            refused.append(params)
            raise error

    server.hook = hook
    return refused


def busy(retry_after: float | None) -> KalturaTransportError:
    return KalturaTransportError("busy", fault=TransportFault.STATUS, status=503, retry_after=retry_after)


@pytest.mark.parametrize("when", [lambda params: params["finalChunk"], lambda params: params["resumeAt"] > 10 * MIB])
def test_wait_beyond_all_patience_ends_the_upload_at_once(when: Callable[[dict[str, Any]], bool]) -> None:
    """A task that fails frees its worker; one that sleeps for a day, or asks again at once, helps nobody."""
    for seconds in (86_400.0, float("inf")):
        server = Server()
        refused = refusing(server, when, busy(seconds))
        began = time.monotonic()
        with pytest.raises(KalturaTransportError, match="busy"):
            send(server, Generated(11 * MIB), UploadSettings(parallelism=1, chunk_size=5 * MIB))
        assert (len(refused), time.monotonic() - began < 2) == (1, True)


@pytest.mark.parametrize(("final", "pauses"), [(True, 1), (False, 1)])
def test_wait_that_the_server_asks_for_is_kept(final: bool, pauses: int) -> None:
    server = Server()
    calls: list[float] = []

    def hook(params: dict[str, Any], _: int) -> None:
        if params["finalChunk"] == final and params["resumeAt"] >= 10 * MIB:
            calls.append(time.monotonic())
            if len(calls) <= pauses:
                raise busy(0.3)

    server.hook = hook
    send(server, Generated(11 * MIB), UploadSettings(parallelism=1, chunk_size=5 * MIB))
    assert calls[1] - calls[0] >= 0.3


def test_final_chunk_is_not_repeated_when_there_is_one_attempt() -> None:
    server = Server()
    refused = refusing(server, lambda params: params["finalChunk"], busy(None))
    with pytest.raises(KalturaTransportError, match="busy"):
        send(server, Generated(20 * MIB), patience=dataclasses.replace(QUICK, retry=RetrySettings(attempts=1)))
    assert len(refused) == 1


def test_lost_file_is_not_begun_again_when_there_is_one_attempt() -> None:
    server = Forgetful(when=lambda params: params["resumeAt"] > 30 * MIB, heals=True)
    with pytest.raises(TokenGone) as caught:
        send(
            server, Generated(64 * MIB), patience=dataclasses.replace(QUICK, retry=RetrySettings(attempts=1)), own=True
        )
    assert caught.value.reason is GoneReason.LOST
    assert server.openers == 1


class Deaf(Server):
    """Fails the first request after reading a share of its bytes."""

    def __init__(self, share: float, error: Exception) -> None:
        super().__init__()
        self.share, self.error, self.asked = share, error, 0

    def call(self, service: str, action: str, params: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        return super().call(service, action, params)

    def send_file(self, service: str, action: str, params: dict[str, Any], file: Any, *, timeout: Any) -> Any:
        if self.error and not self.calls:
            taken = 0
            for window in file.body():
                taken += len(window)
                if taken > self.share * file.length:
                    break
            self.calls.append((-1, taken))
            raise self.error
        return super().send_file(service, action, params, file, timeout=timeout)


CUT = KalturaTransportError("cut", fault=TransportFault.CUT)
GATEWAY = KalturaTransportError("HTTP 502", fault=TransportFault.STATUS, status=502)


@pytest.mark.parametrize(
    ("share", "error", "watched"),
    [
        (0.5, CUT, False),
        (0.5, GATEWAY, False),
        (1.0, api_error("INTERNAL_SERVERL_ERROR"), False),
        (1.0, CUT, True),
        (1.0, GATEWAY, True),
    ],
)
def test_single_shot_is_watched_only_while_the_server_may_work_on_it(
    share: float, error: Exception, watched: bool
) -> None:
    server = Deaf(share, error)
    patience = dataclasses.replace(QUICK, final_poll=60.0, single_poll=0.5, poll=0.05)
    began = time.monotonic()
    send(server, Generated(4 * MIB), FOUND, patience, attached=False)
    assert (time.monotonic() - began > 0.5) is watched
    assert (server.asked > 5) is watched
    assert server.front()[0] == 4 * MIB


@pytest.mark.parametrize("trip", [0.0, 0.02, 0.06])
@pytest.mark.parametrize("size", [101_000_000, 160 * MIB, 1 * GIB])
def test_large_sources_go_in_chunks_of_the_sizes_that_kaltura_advises(size: int, trip: float) -> None:
    server = Server(lambda *_: time.sleep(trip))
    send(server, Generated(size), FOUND)
    chunks = sorted((offset, length) for offset, length in server.calls if length not in (0, 8192))
    assert all(length <= 50_000_000 for _, length in chunks)
    # Chunks near the end are smaller on a long path, so that all finish together. A busy machine looks like one.
    end = size - 8 * 10_000_000
    assert all(length >= 10_000_000 for offset, length in chunks if offset + length < end)
    assert all(length >= 5 * MIB for _, length in chunks[:-1])
