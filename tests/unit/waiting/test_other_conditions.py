"""Moderation, upload tokens and bulk jobs over every status."""

from __future__ import annotations

import pytest

from kaltura_provider.waiting.conditions.bulk_job import BulkJobDone
from kaltura_provider.waiting.conditions.moderation import EntryModerated
from kaltura_provider.waiting.conditions.upload_token import TokenFull
from kaltura_provider.waiting.conditions.verdict import State
from kaltura_provider.waiting.snapshot import EntrySnapshot, JobSnapshot, TokenSnapshot


@pytest.mark.parametrize(
    ("status", "flagged", "expected"),
    [
        (1, "wait", State.WAITING),
        (2, "wait", State.READY),
        (3, "wait", State.FAILED),
        (4, "wait", State.FAILED),
        (5, "wait", State.WAITING),
        (5, "ready", State.READY),
        (5, "fail", State.FAILED),
        (6, "wait", State.READY),
        (None, "wait", State.WAITING),
    ],
)
def test_moderation(status: int | None, flagged: str, expected: State) -> None:
    snapshot = EntrySnapshot.of({"id": "0_a", "status": 1, "moderationStatus": status})
    assert EntryModerated(flagged=flagged).evaluate(snapshot, 0).state is expected  # type: ignore[arg-type]


def test_moderation_of_an_entry_that_failed_or_is_gone_fails() -> None:
    for fields in ({"status": -1}, {"status": 3}, {"status": "virusScan.Infected"}):
        snapshot = EntrySnapshot.of({"id": "0_a", "moderationStatus": 2, **fields})
        assert EntryModerated().evaluate(snapshot, 0).state is State.FAILED
    with pytest.raises(ValueError, match="perhaps"):
        EntryModerated(flagged="perhaps")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, State.WAITING),
        (1, State.WAITING),
        (2, State.READY),
        (3, State.READY),
        (4, State.FAILED),
        (5, State.FAILED),
        (6, State.FAILED),
        ("some.Plugin", State.WAITING),
    ],
)
def test_tokens(status: object, expected: State) -> None:
    snapshot = TokenSnapshot.of({"id": "0_t", "status": status})
    assert TokenFull().evaluate(snapshot, 0).state is expected


def test_token_says_how_much_is_there_and_a_missing_one_is_believed_after_the_grace() -> None:
    partial = TokenSnapshot.of({"id": "0_t", "status": 1, "uploadedFileSize": 1000.0, "fileSize": 4000})
    assert "1000 of 4000 bytes" in TokenFull().evaluate(partial, 0).reason
    assert "1000 of 4000 bytes" in TokenFull().hint(partial)
    gone = TokenSnapshot("0_t", None)
    assert TokenFull().evaluate(gone, 29).state is State.WAITING
    assert TokenFull().evaluate(gone, 30).state is State.FAILED


@pytest.mark.parametrize(
    ("status", "expected"),
    [(n, State.WAITING) for n in (0, 1, 2, 3, 4, 8, 9, 11, 13, 14, 99)]
    + [(5, State.READY)]
    + [(n, State.FAILED) for n in (6, 7, 10, 12)],
)
def test_jobs(status: int, expected: State) -> None:
    snapshot = JobSnapshot.parse({"id": 116, "status": status, "numOfEntries": 3, "error": "row 2"})
    verdict = BulkJobDone().evaluate(snapshot, 0)
    assert verdict.state is expected
    if expected is State.FAILED:
        assert "row 2" in verdict.reason


def test_partial_job_is_the_authors_choice_and_no_url_is_kept() -> None:
    answer = {"id": 116, "status": 12, "numOfEntries": 3, "logFileUrl": "http://k/ks/SECRET"}
    snapshot = JobSnapshot.parse(answer)
    verdict = BulkJobDone(allow_partial=True).evaluate(snapshot, 0)
    assert (verdict.state, verdict.result) == (State.READY, {"status": 12, "entries": 3, "objects": None})
    assert "SECRET" not in repr(snapshot)


def test_missing_job_is_believed_after_the_grace() -> None:
    assert BulkJobDone().evaluate(JobSnapshot("1", None), 1).state is State.WAITING
    assert BulkJobDone().evaluate(JobSnapshot("1", None), 30).state is State.FAILED
