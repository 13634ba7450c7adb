"""The conditions judge what a real Kaltura server answered, from the first status to the last."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kaltura_provider.services.flavor_asset import FlavorAsset
from kaltura_provider.waiting.conditions.bulk_job import BulkJobDone
from kaltura_provider.waiting.conditions.entry import EntryReady
from kaltura_provider.waiting.conditions.flavors import FlavorsReady
from kaltura_provider.waiting.conditions.verdict import State
from kaltura_provider.waiting.snapshot import EntrySnapshot, JobSnapshot

RECORDINGS = Path(__file__).resolve().parents[2] / "contract" / "recordings"


def stories() -> dict[str, list[EntrySnapshot]]:
    """Every entry of the recording by its letter, as it was seen time after time, with its flavors."""
    steps = json.loads((RECORDINGS / "12_status_progression.json").read_text())["steps"]
    seen: defaultdict[str, list[EntrySnapshot]] = defaultdict(list)
    for step in steps:
        answer, letter = step["response"].get("json"), step["title"][0]
        if step["title"].endswith("media.get"):
            seen[letter].append(EntrySnapshot.of(answer))
        elif step["title"].endswith("flavorAsset.list"):
            flavors = tuple(FlavorAsset.of(flavor) for flavor in answer["objects"])
            seen[letter][-1] = replace(seen[letter][-1], flavors=flavors)
    return dict(seen)


STORIES = stories()


@pytest.mark.parametrize(
    ("letter", "expected"),
    [
        ("A", State.READY),
        ("B", State.FAILED),
        ("C", State.READY),
        ("D", State.FAILED),
        ("E", State.READY),
        ("F", State.FAILED),
        ("G", State.WAITING),
        ("H", State.WAITING),
    ],
)
def test_the_end_of_each_story(letter: str, expected: State) -> None:
    *before, last = STORIES[letter]
    condition = EntryReady()
    assert condition.evaluate(last, condition.grace).state is expected
    settled = [condition.evaluate(snapshot, 0).state is not State.WAITING for snapshot in before]
    assert settled == sorted(settled), "an entry that was ready or failed went back to waiting"


def test_ready_comes_before_the_last_flavor() -> None:
    first_ready = next(one for one in STORIES["A"] if one.status == 2)
    assert EntryReady().evaluate(first_ready, 0).state is State.READY
    assert FlavorsReady().evaluate(first_ready, 0).state is State.WAITING
    assert FlavorsReady(flavor_params_ids=[2]).evaluate(first_ready, 0).state is State.READY
    assert FlavorsReady(flavor_params_ids=[2, 6]).evaluate(first_ready, 0).state is State.WAITING
    last = STORIES["A"][-1]
    assert FlavorsReady(flavor_params_ids=[2, 6], tags=["mobile"], minimum=5).evaluate(last, 0).state is State.READY


def test_a_failed_conversion_names_its_flavors() -> None:
    reason = EntryReady().evaluate(STORIES["B"][-1], 0).reason
    assert "ERROR_CONVERTING" in reason
    assert "flavor params 2" in reason
    assert "Force Commandline" in reason


def test_a_bulk_upload_that_failed() -> None:
    steps = json.loads((RECORDINGS / "12_status_progression.json").read_text())["steps"]
    answers: list[Any] = [s["response"]["json"] for s in steps if s["title"].startswith("I bulk.get")]
    verdicts = [BulkJobDone().evaluate(JobSnapshot.parse(answer), 0).state for answer in answers]
    assert verdicts == [State.WAITING, State.FAILED]


def test_a_replacement_is_waited_for_and_a_deleted_entry_is_told() -> None:
    steps = json.loads((RECORDINGS / "10_ready_replacement_list.json").read_text())["steps"]
    answers = {step["title"]: step["response"].get("json") for step in steps}
    replaced = EntrySnapshot.of(answers["media.get with replacement in progress"])
    assert EntryReady().evaluate(replaced, 0).state is State.WAITING
    cancelled = replace(EntrySnapshot.of(answers["media.cancelReplace"]), flavors=())
    assert "replac" not in EntryReady().evaluate(cancelled, 0).reason
    deleted = EntrySnapshot.of(answers["media.list of deleted id"]["objects"][0])
    assert "deleted" in EntryReady().evaluate(deleted, 0).reason
