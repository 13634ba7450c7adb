"""The package's errors, and what importing it costs."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from kaltura_provider.api.errors import KalturaTransportError
from kaltura_provider.upload.errors import (
    ChecksumMismatch,
    ChunkRefused,
    FinalRefused,
    GoneReason,
    SizeMismatch,
    TokenBusy,
    TokenGone,
    UploadCancelled,
    UploadError,
)
from kaltura_provider.upload.limits import check_size
from kaltura_provider.upload.progress import Progress, ProgressReporter
from kaltura_provider.upload.sender import part_name
from kaltura_provider.upload.settings import UploadSettings
from kaltura_provider.upload.sources.errors import (
    SourceArchived,
    SourceChanged,
    SourceEmpty,
    SourceError,
    SourceNotFound,
    SourceTooLarge,
    SourceUnavailable,
)
from kaltura_provider.upload.throttle import Throttle
from kaltura_provider.upload.token import read_answer


def test_settings_and_errors_cost_no_http_library() -> None:
    code = (
        "import sys; from kaltura_provider.upload.settings import UploadSettings;"
        "import kaltura_provider.upload.errors, kaltura_provider.upload.sources.errors;"
        "UploadSettings();"
        "print([name for name in ('requests', 'httpx', 'botocore', 'boto3', 'airflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ERRORS: list[Exception] = [
    UploadError("a", "0_t"),
    TokenGone("0_t", GoneReason.REFUSED),
    TokenBusy("b", "0_t"),
    SizeMismatch("0_t", 3, None),
    ChecksumMismatch("0_t", "AAAA", "BBBB"),
    ChunkRefused("0_t", 5),
    ChunkRefused("0_t", 5, 5),
    FinalRefused("c", "0_t"),
    UploadCancelled("d", "0_t"),
    SourceNotFound("s3://b/k", "e"),
    SourceChanged("s3://b/k", "old", "new"),
    SourceEmpty("s3://b/k"),
    SourceTooLarge("s3://b/k", 5, 4, "the limit"),
    SourceUnavailable("s3://b/k", "f"),
    SourceArchived("s3://b/k", "g"),
    SourceArchived("s3://b/k", "g", restoring=True),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_survive_the_way_between_processes(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_which_errors_another_attempt_can_cure() -> None:
    permanent = {type(error).__name__ for error in ERRORS if error.permanent}  # type: ignore[attr-defined]
    assert permanent == {
        "ChunkRefused",
        "TokenGone",  # with this reason; the others are cured by a new token
        "SourceNotFound",
        "SourceChanged",
        "SourceEmpty",
        "SourceTooLarge",
        "SourceArchived",
    }
    assert not TokenGone("0_t", GoneReason.EXPIRED).permanent
    assert issubclass(SourceUnavailable, SourceError)


class Sized:
    uri, name, validator, crc32c, rewind = "s3://b/k", "k", "", None, None

    def __init__(self, size: int) -> None:
        self.size = size


def test_sizes_that_cannot_be_uploaded_are_refused_before_a_token_is_made() -> None:
    check_size(Sized(5 << 40), UploadSettings())  # type: ignore[arg-type]
    with pytest.raises(SourceEmpty):
        check_size(Sized(0), UploadSettings())  # type: ignore[arg-type]
    with pytest.raises(SourceTooLarge, match=r"11 bytes, but the limit set by max_size is 10"):
        check_size(Sized(11), UploadSettings(max_size=10))  # type: ignore[arg-type]
    with pytest.raises(SourceTooLarge, match="9,000 chunks"):
        check_size(Sized(20 << 40), UploadSettings())  # type: ignore[arg-type]
    spooled = Sized(60 << 30)
    spooled.rewind = 64 << 20  # type: ignore[assignment]
    check_size(spooled, UploadSettings())  # type: ignore[arg-type]
    spooled.size = 200 << 30
    with pytest.raises(SourceTooLarge, match=r"67108864 bytes of disk.*S3 first.*import"):
        check_size(spooled, UploadSettings())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("token", "source", "part"),
    [
        ("kai1-a-b.mov", "clip.mp4", "content.mov"),
        ("", "Clip.MP4", "content.mp4"),
        ("noext", "noext", "content"),
        ('bad."x', "fine.webm", "content.webm"),
    ],
)
def test_part_name_carries_the_extension_and_nothing_else(token: str, source: str, part: str) -> None:
    assert part_name(token, source) == part


def test_an_answer_is_read_however_the_server_writes_numbers() -> None:
    values = {"id": "t", "status": 1, "uploadedFileSize": "1.5E+10", "updatedAt": "17", "fileName": "a.mp4"}
    token = read_answer(values)
    assert (token.uploaded, token.updated_at, token.filled) == (15_000_000_000, 17, False)
    assert read_answer({"id": "t", "status": 0}).uploaded is None
    assert read_answer({"id": "t", "status": 3, "uploadedFileSize": 7.0}).filled
    assert read_answer({"id": "t", "status": 0, "attachedObjectId": "1_a"}).attached
    with pytest.raises(KalturaTransportError, match="NoneType, not an upload token") as caught:
        read_answer(None)
    assert caught.value.ambiguous


def test_throttle_spreads_bytes_over_time() -> None:
    now, slept = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    throttle = Throttle(1000.0, clock=lambda: now[0], sleep=sleep)
    for _ in range(5):
        throttle.take(500)
    assert now[0] == pytest.approx(2.0)
    now[0] = 100.0
    throttle.take(500)
    assert now[0] == 100.0  # what was not used is not saved up, but nobody waits for nothing
    Throttle(None, sleep=sleep).take(10**12)
    assert now[0] == 100.0


def test_log_speaks_every_ten_seconds_and_at_each_five_percent(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Progress] = []
    reporter = ProgressReporter(told.append)

    def report(now: float, sent: int) -> None:
        assert reporter.due(now)
        rate = reporter.rate(now, sent)
        reporter.report(now, Progress("0_t", "clip.mp4", 1000, sent, sent, now, rate, 4, 10 << 20))

    with caplog.at_level("INFO", "kaltura_provider.upload"):
        for second in range(0, 40, 2):  # 2 bytes a second: 8 % in 40 s
            report(float(second), second * 2)
        slow = len(caplog.records)
        for step in range(20):  # then 5 % every two seconds
            report(40.0 + 2 * step, min(1000, 80 + 50 * step))
    assert slow == 4  # at 10, 20 and 30 s, and at 5 % (26 s), which begins the ten seconds anew
    assert len(caplog.records) - slow <= 20
    assert "clip.mp4: 980 of 1000 bytes (98 %), 0.0 MB/s, 1 s left, 4 x 10.0 MiB in flight" in caplog.text
    assert len(told) == 40
    assert not reporter.due(78.5)
