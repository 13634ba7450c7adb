"""The uploader against a server that really puts chunks together: what arrives is compared byte by byte."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kaltura_provider.api.errors import KalturaTransientError, KalturaTransportError
from kaltura_provider.api.multipart import FilePart
from kaltura_provider.api.observer import Observer
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.services.upload_token import UploadToken
from kaltura_provider.upload.checksum import crc32c, to_base64
from kaltura_provider.upload.errors import (
    ChecksumMismatch,
    GoneReason,
    SizeMismatch,
    TokenBusy,
    TokenGone,
    UploadCancelled,
)
from kaltura_provider.upload.progress import Progress
from kaltura_provider.upload.sources.errors import SourceChanged
from kaltura_provider.upload.sources.file import FileSource, open_file
from kaltura_sandbox import Sandbox
from tests.until import until

if TYPE_CHECKING:
    Account = Any

MIB = 1 << 20
Clip = Callable[[int], tuple[Path, str]]


@pytest.mark.parametrize("attached", [False, True])
@pytest.mark.parametrize("size", [1, 8191, 8192, 8193, 10 * MIB, 10 * MIB + 1, 23 * MIB + 5])
def test_every_byte_arrives(account: Account, clip: Clip, quick: Any, size: int, attached: bool) -> None:
    path, sha = clip(size)
    token = account.token(size, attached=attached)
    result = quick(account.client, chunk_size=None).send(open_file(path), token, attached=attached)
    assert account.content(token, attached=attached) == {"sha256": sha, "size": size}
    assert result.size == result.bytes_sent == size
    assert result.crc32c == to_base64(crc32c(path.read_bytes()))
    assert result.token_status == (3 if attached else 2)
    expected = 1 if not attached and size <= 10 * MIB else result.chunks
    assert len(account.uploads()) == expected == result.chunks


def test_attached_token_never_goes_in_a_single_request(account: Account, clip: Clip, quick: Any) -> None:
    path, _ = clip(1)
    token = account.token(1, attached=True)
    assert quick(account.client).send(open_file(path), token, attached=True).chunks == 2


def test_token_that_the_caller_has_just_added_is_not_read_first(account: Account, clip: Clip, quick: Any) -> None:
    size = 64 * MIB + 1
    path, sha = clip(size)
    added = UploadToken.of(account.get(account.token(size)))
    before = len(account.control.log(5000))
    quick(account.client, chunk_size=None).send(open_file(path), added.id, attached=False, state=added)
    calls = [call["call"].lower() for call in account.control.log(5000)[before:]]
    assert set(calls) == {"uploadtoken.upload"}
    assert account.content(added.id, attached=False) == {"sha256": sha, "size": size}


FAULTS: list[dict[str, Any]] = [
    {"kind": "reply_lost"},
    {"kind": "reset_before"},
    {"kind": "reset_during", "bytes": 5000},
    {"kind": "html_error", "status": 502},
    {"kind": "unavailable", "retry_after": 0},
    {"kind": "action_blocked"},
    {"kind": "expire_ks"},
    {"kind": "error", "code": "INTERNAL_SERVERL_ERROR"},
    {"kind": "error", "code": "UPLOAD_PARTIAL_ERROR"},
]


@pytest.mark.parametrize("after", [0, 3, 14])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.get("code", fault["kind"]))
def test_interruptions_change_nothing(
    account: Account, clip: Clip, quick: Any, fault: dict[str, Any], after: int
) -> None:
    """At the opener, among the chunks and at the end (the final chunk is the 14th call)."""
    path, sha = clip(12 * MIB + 77)
    token = account.token(path.stat().st_size, attached=True)
    account.control.fault(service="uploadToken", action="upload", times=2, after=after, **fault)
    quick(account.client).send(open_file(path), token, attached=True)
    assert account.content(token, attached=True) == {"sha256": sha, "size": path.stat().st_size}
    calls = len(account.uploads())
    assert calls >= 14
    # An expired session is refused to all chunks in flight, and each is sent again with the new one.
    assert calls <= 14 + (4 if fault["kind"] != "expire_ks" else 32)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.get("code", fault["kind"]))
def test_single_shot_survives_interruptions(account: Account, clip: Clip, quick: Any, fault: dict[str, Any]) -> None:
    path, sha = clip(3 * MIB)
    token = account.token(3 * MIB)
    account.control.fault(service="uploadToken", action="upload", times=1, **fault)
    quick(account.client, chunk_size=None).send(open_file(path), token, attached=False)
    assert account.content(token, attached=False) == {"sha256": sha, "size": 3 * MIB}
    assert len(account.uploads()) <= 2


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset_during", "bytes": 5000},
        {"kind": "html_error", "status": 502},
        {"kind": "error", "code": "INTERNAL_SERVERL_ERROR"},
    ],
    ids=lambda fault: fault["kind"],
)
def test_single_shot_that_cannot_have_arrived_is_repeated_soon(
    account: Account, clip: Clip, quick: Any, fault: dict[str, Any]
) -> None:
    path, sha = clip(9 * MIB)
    token = account.token(9 * MIB)
    account.control.fault(service="uploadToken", action="upload", times=1, **fault)
    began = time.monotonic()
    quick(account.client, chunk_size=None, final_poll=30.0, single_poll=0.5).send(
        open_file(path), token, attached=False
    )
    assert time.monotonic() - began < 5
    assert len(account.uploads()) <= 2
    assert account.content(token, attached=False)["sha256"] == sha


def test_chunk_size_that_an_author_sets_is_kept_also_for_small_files(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(6 * MIB)
    token = account.token(6 * MIB)
    quick(account.client, chunk_size=2 * MIB).send(open_file(path), token, attached=False)
    assert len(account.uploads()) == 5  # 8 KiB that create the file, 2 + 2 + nearly 2 MiB, and the empty final chunk
    assert account.content(token, attached=False)["sha256"] == sha
    small, _ = clip(2 * MIB)
    quick(account.client, chunk_size=2 * MIB).send(open_file(small), account.token(2 * MIB), attached=False)
    assert len(account.uploads()) == 6


def test_storm_of_faults(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(40 * MIB)
    token = account.token(40 * MIB, attached=True)
    for fault in FAULTS:
        # Only an upload is answered with UPLOAD_PARTIAL_ERROR; a client does not repeat a read for it.
        action = "upload" if fault.get("code") == "UPLOAD_PARTIAL_ERROR" else "*"
        account.control.fault(service="uploadToken", action=action, times=None, probability=0.03, **fault)
    retry = RetrySettings(attempts=20, base=0.02, cap=0.1)
    quick(account.client, retry=retry, final_attempts=20, final_poll=0.3).send(open_file(path), token, attached=True)
    account.control.clear_faults()
    assert account.content(token, attached=True) == {"sha256": sha, "size": 40 * MIB}


def test_final_chunk_whose_answer_was_lost_is_asked_for_not_repeated(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(3 * MIB)
    token = account.token(3 * MIB, attached=True)
    account.control.fault("reply_lost", service="uploadToken", action="upload", after=4, times=1)
    result = quick(account.client).send(open_file(path), token, attached=True)
    assert result.token_status == 3
    assert len(account.uploads()) == 5  # opener, three chunks, one final
    assert account.content(token, attached=True)["sha256"] == sha


def test_file_truncated_by_a_late_opener_is_repaired(account: Account, clip: Clip, quick: Any) -> None:
    """An opener of a dead process arrives late and cuts the file; the final chunk then cannot match."""
    path, sha = clip(6 * MIB)
    token = account.token(6 * MIB, attached=True)
    head = path.read_bytes()[:8192]

    def disturb() -> None:
        params = {"uploadTokenId": token, "resume": False, "finalChunk": False, "resumeAt": 0}
        account.new_client().send_file("uploadToken", "upload", params, FilePart("a.mp4", 8192, lambda: [head]))

    source = Disturbed(open_file(path), 5 * MIB, disturb)
    result = quick(account.client, parallelism=1).send(source, token, attached=True)
    assert account.content(token, attached=True) == {"sha256": sha, "size": 6 * MIB}
    assert result.bytes_sent > 6 * MIB
    assert result.crc32c == to_base64(crc32c(path.read_bytes()))


class Disturbed:
    """A source during whose reading, once, something else happens."""

    def __init__(self, source: FileSource, at: int, what: Callable[[], object]) -> None:
        self._source, self._at, self._what = source, at, what
        self.name, self.uri, self.size, self.validator = source.name, source.uri, source.size, source.validator
        self.crc32c: int | None = None
        self.rewind: int | None = None

    def read(self, offset: int, length: int, window: int = 65536) -> Generator[bytes, None, None]:
        for data in self._source.read(offset, length, window):
            offset += len(data)
            if offset >= self._at and self._what:
                what, self._what = self._what, None  # type: ignore[assignment]
                what()
            yield data

    def close(self) -> None:
        self._source.close()


@pytest.mark.parametrize("attached", [False, True])
def test_blocked_file_type_is_explained(clip: Clip, quick: Any, attached: bool, request: Any) -> None:
    account_class = type(request.getfixturevalue("account"))
    path, _ = clip(2 * MIB)
    with Sandbox(run_jobs=False, restrict_file_types=True) as strict:
        account = account_class(strict)
        token = account.token(2 * MIB, attached=attached)
        with pytest.raises(TokenGone, match="does not allow this type") as caught:
            quick(account.client).send(open_file(path), token, attached=attached)
        assert caught.value.reason is GoneReason.REFUSED
        assert caught.value.permanent
        # If that answer is lost, the token is simply not there any more, and a new one shows the reason.
        token = account.token(2 * MIB, attached=attached)
        account.control.fault("reply_lost", service="uploadToken", action="upload", after=3, times=1)
        with pytest.raises(TokenGone) as caught:
            quick(account.client).send(open_file(path), token, attached=attached)
        assert caught.value.reason is GoneReason.FAILED
        account.client.close()


def test_token_deleted_in_the_middle(account: Account, clip: Clip, quick: Any) -> None:
    path, _ = clip(8 * MIB)
    token = account.token(8 * MIB, attached=True)
    source = Disturbed(
        open_file(path), 4 * MIB, lambda: account.client.call("uploadToken", "delete", {"uploadTokenId": token})
    )
    with pytest.raises(TokenGone) as caught:
        quick(account.client).send(source, token, attached=True)
    assert caught.value.reason is GoneReason.DELETED
    assert not caught.value.permanent


def test_token_that_rested_for_more_than_a_week(account: Account, clip: Clip, quick: Any) -> None:
    path, _ = clip(8 * MIB)
    token = account.token(8 * MIB, attached=True)
    _send_part(account, token, path, 2 * MIB)
    account.control.set_token(token, updatedAt=int(time.time()) - 8 * 86400)
    with pytest.raises(TokenGone) as caught:
        quick(account.client).send(open_file(path), token, attached=True)
    assert caught.value.reason is GoneReason.EXPIRED


def _send_part(account: Account, token: str, path: Path, length: int) -> None:
    data = path.read_bytes()[:length]
    params = {"uploadTokenId": token, "resume": False, "finalChunk": False, "resumeAt": 0}
    account.client.send_file("uploadToken", "upload", params, FilePart("a.mp4", length, lambda: [data]))


def test_resumes_where_an_earlier_process_stopped(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(9 * MIB)
    token = account.token(9 * MIB, attached=True)
    _send_part(account, token, path, 5 * MIB)
    result = quick(account.client).send(open_file(path), token, attached=True, own=True)
    assert account.content(token, attached=True)["sha256"] == sha
    assert result.resumed_from == 5 * MIB
    assert result.bytes_sent == 4 * MIB
    assert result.crc32c is None
    assert "unknown: the first 5242880 bytes were sent earlier" in str(result.crc32c_note)


def test_reread_knows_the_checksum_after_a_resume(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(9 * MIB)
    for settings in ({"reread": True}, {"sha256": True}):
        token = account.token(9 * MIB, attached=True)
        _send_part(account, token, path, 5 * MIB)
        result = quick(account.client, **settings).send(open_file(path), token, attached=True, own=True)
        assert result.crc32c == to_base64(crc32c(path.read_bytes()))
        assert result.sha256 == (sha if "sha256" in settings else None)


def test_sha256_on_request(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(2 * MIB)
    for attached in (False, True):
        token = account.token(2 * MIB, attached=attached)
        assert quick(account.client, sha256=True).send(open_file(path), token, attached=attached).sha256 == sha


def test_full_token_is_left_alone(account: Account, clip: Clip, quick: Any) -> None:
    path, _ = clip(2 * MIB)
    token = account.token(2 * MIB)
    uploader = quick(account.client, chunk_size=None)
    uploader.send(open_file(path), token, attached=False)
    result = uploader.send(open_file(path), token, attached=False)
    assert result.bytes_sent == 0
    assert len(account.uploads()) == 1
    other, _ = clip(3 * MIB)
    with pytest.raises(SizeMismatch) as caught:
        uploader.send(open_file(other), token, attached=False)
    assert (caught.value.expected, caught.value.found) == (3 * MIB, 2 * MIB)


def test_token_with_more_bytes_than_the_source(account: Account, clip: Clip, quick: Any) -> None:
    path, _ = clip(3 * MIB)
    token = account.token(1 * MIB)
    _send_part(account, token, path, 2 * MIB)
    small, _ = clip(1 * MIB)
    with pytest.raises(SizeMismatch):
        quick(account.client).send(open_file(small), token, attached=False, own=True)


def test_two_uploaders_do_not_fill_one_token_together(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(6 * MIB)
    token = account.token(6 * MIB, attached=True)
    first = quick(account.new_client(), bandwidth=1.2 * MIB)
    thread = threading.Thread(target=lambda: first.send(open_file(path), token, attached=True))
    thread.start()
    until(lambda: account.get(token).get("uploadedFileSize"), "the first bytes")
    with pytest.raises(TokenBusy):
        quick(account.client, busy_after=1.5, busy_wait=1.0).send(open_file(path), token, attached=True)
    # Given the patience, the second one waits for the first and has nothing left to do.
    result = quick(account.client, busy_after=3.0, busy_wait=30.0).send(open_file(path), token, attached=True)
    thread.join()
    assert result.bytes_sent == 0
    assert account.content(token, attached=True)["sha256"] == sha


def test_silent_token_of_another_process_is_taken_up(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(4 * MIB)
    token = account.token(4 * MIB, attached=True)
    _send_part(account, token, path, 2 * MIB)
    began = time.monotonic()
    quick(account.client).send(open_file(path), token, attached=True)
    assert time.monotonic() - began >= 0.6
    assert account.content(token, attached=True)["sha256"] == sha


@pytest.mark.parametrize("attached", [False, True])
def test_damaged_source_never_becomes_a_finished_token(
    account: Account, clip: Clip, quick: Any, attached: bool
) -> None:
    path, _ = clip(3 * MIB)
    token = account.token(3 * MIB, attached=attached)
    source = open_file(path)
    source.crc32c = 12345
    with pytest.raises(ChecksumMismatch, match="damaged"):
        quick(account.client, chunk_size=None).send(source, token, attached=attached)
    assert account.get(token)["status"] == (1 if attached else 0)


def test_changed_file_is_noticed(account: Account, clip: Clip, quick: Any) -> None:
    path, _ = clip(3 * MIB)
    token = account.token(3 * MIB, attached=True)
    source = open_file(path)
    with path.open("r+b") as file:
        file.write(b"other")
    with pytest.raises(SourceChanged) as caught:
        quick(account.client).send(source, token, attached=True)
    assert caught.value.expected != caught.value.found
    assert account.get(token)["status"] == 0


def test_cancel(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(6 * MIB)
    token = account.token(6 * MIB, attached=True)
    uploader = quick(account.client, bandwidth=1.0 * MIB)
    threading.Timer(0.7, uploader.cancel).start()
    with pytest.raises(UploadCancelled):
        uploader.send(open_file(path), token, attached=True)
    quick(account.client).send(open_file(path), token, attached=True, own=True)
    assert account.content(token, attached=True)["sha256"] == sha


def test_failure_that_lasts_comes_out_as_it_is(account: Account, clip: Clip, quick: Any) -> None:
    path, _ = clip(2 * MIB)
    token = account.token(2 * MIB, attached=True)
    uploader = quick(account.client, retry=RetrySettings(attempts=3, base=0.01))
    account.control.fault("html_error", service="uploadToken", action="upload", times=None)
    with pytest.raises(KalturaTransportError) as caught:
        uploader.send(open_file(path), token, attached=True)
    assert caught.value.status == 502
    assert len(account.uploads()) <= 3
    account.control.clear_faults()
    account.control.fault("action_blocked", service="uploadToken", action="upload", times=None)
    with pytest.raises(KalturaTransientError):
        uploader.send(open_file(path), token, attached=True)


def test_bandwidth_limit(account: Account, clip: Clip, quick: Any) -> None:
    path, _ = clip(4 * MIB)
    token = account.token(4 * MIB, attached=True)
    result = quick(account.client, bandwidth=4 * MIB).send(open_file(path), token, attached=True)
    assert 0.8 <= result.seconds <= 2.0


def test_progress_is_told_and_logged(
    account: Account, clip: Clip, quick: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Watcher(Observer):
        def __init__(self) -> None:
            self.seen: list[Progress] = []

        def on_chunk(self, progress: Any) -> None:
            self.seen.append(progress)

    path, _ = clip(5 * MIB)
    token = account.token(5 * MIB, attached=True)
    watcher = Watcher()
    with caplog.at_level(logging.INFO, "kaltura_provider.upload"):
        quick(account.client, watcher, bandwidth=1.5 * MIB).send(open_file(path), token, attached=True)
    sent = [progress.sent for progress in watcher.seen]
    assert sent == sorted(sent)
    assert sent[-1] == 5 * MIB
    assert 3 <= len(sent) <= 7
    middle = watcher.seen[len(sent) // 2]
    assert 0.5 * MIB < middle.rate < 3 * MIB
    assert middle.remaining is not None
    lines = [
        record.getMessage()
        for record in caplog.records
        if " % )" in record.getMessage() or "MB/s" in record.getMessage()
    ]
    assert 2 <= len(lines) <= 22
    assert any("in flight" in line and "left" in line for line in lines)


def test_extension_the_server_stores_is_the_tokens(account: Account, clip: Clip, quick: Any) -> None:
    path, sha = clip(12 * MIB)
    token = account.token(12 * MIB, name="kai1-abc.mov", attached=True)
    quick(account.client).send(open_file(path), token, attached=True)
    entry = account.control.entry(account.entry_of(token))
    assert entry["content"]["sha256"] == sha
    assert entry["flavors"][0]["fileExt"] == "mov"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha
