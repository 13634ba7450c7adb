"""The sandbox answers as the recorded real server did."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conformance.known import DIFFERENT, SKIPPED
from conformance.player import play
from conformance.recording import load_recordings
from conformance.score import agreement, report
from conformance.server import sandbox_account

if TYPE_CHECKING:
    from conformance.player import Verdict

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "sandbox.md"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    with sandbox_account(tmp_path_factory.mktemp("state")) as account:
        return play(load_recordings(HERE / "recordings"), account, skipped=frozenset(SKIPPED))


def test_at_least_97_percent_agree(verdicts: list[Verdict]) -> None:
    assert agreement(verdicts) >= 0.97, report(verdicts, SKIPPED)


def test_only_known_steps_differ(verdicts: list[Verdict]) -> None:
    different = {verdict.step.name for verdict in verdicts if not verdict.agrees}
    assert different == set(DIFFERENT), report(verdicts, SKIPPED)


def test_hardly_a_step_is_left_out(verdicts: list[Verdict]) -> None:
    steps = {step.name for recording in load_recordings(HERE / "recordings") for step in recording.steps}
    assert {verdict.step.name for verdict in verdicts} == steps - set(SKIPPED)
    assert set(SKIPPED) <= steps
    assert len(SKIPPED) <= 0.05 * len(steps)


def test_the_document_lists_every_known_difference() -> None:
    rows = dict(re.findall(r"^\| `(\d\d#\d+)` \| (.+?) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    assert rows == {**DIFFERENT, **SKIPPED}


@pytest.mark.parametrize(
    "name", ["01_session_and_errors", "05_media", "10_ready_replacement_list", "12_status_progression"]
)
def test_a_recording_can_be_replayed_alone(tmp_path: Path, name: str) -> None:
    chosen = [recording for recording in load_recordings(HERE / "recordings") if recording.name == name]
    with sandbox_account(tmp_path) as account:
        verdicts = play(chosen, account)
    different = {verdict.step.name for verdict in verdicts if not verdict.agrees}
    assert different <= set(DIFFERENT), report(verdicts, {})
