"""FlavorsReady: params, tags, a number, or all that are made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kaltura_provider.services.flavor_asset import FlavorAsset
from kaltura_provider.waiting.conditions.flavors import EntryReadyWithFlavors, FlavorsReady
from kaltura_provider.waiting.conditions.verdict import State
from kaltura_provider.waiting.snapshot import EntrySnapshot

READY, CONVERTING, ERROR, QUEUED, DELETED, NOT_APPLICABLE, EXPORTING = 2, 1, -1, 0, 3, 4, 9


def entry(status: int, *flavors: tuple[int, int, str]) -> EntrySnapshot:
    """Flavors as (params id, status, tags)."""
    snapshot = EntrySnapshot.of({"id": "0_a", "status": status, "mediaType": 1})
    parsed = tuple(
        FlavorAsset.of(
            {"id": f"0_f{params}", "entryId": "0_a", "flavorParamsId": params, "status": state, "tags": tags}
        )
        for params, state, tags in flavors
    )
    return replace(snapshot, flavors=parsed)


def judge(snapshot: EntrySnapshot, **wish: object) -> State:
    return FlavorsReady(**wish).evaluate(snapshot, 0).state  # type: ignore[arg-type]


SOURCE = (0, READY, "source")


@pytest.mark.parametrize(
    ("status", "flavor", "expected"),
    [
        (2, READY, State.READY),
        (2, EXPORTING, State.READY),
        (2, NOT_APPLICABLE, State.READY),
        (2, CONVERTING, State.WAITING),
        (2, QUEUED, State.WAITING),
        (2, ERROR, State.FAILED),
        (2, DELETED, State.FAILED),
        (1, CONVERTING, State.WAITING),
        (1, ERROR, State.FAILED),
        (-1, READY, State.READY),
        (-1, CONVERTING, State.FAILED),
        (3, READY, State.FAILED),
    ],
)
def test_given_flavor_params(status: int, flavor: int, expected: State) -> None:
    assert judge(entry(status, SOURCE, (3, flavor, "web")), flavor_params_ids=[3]) is expected


def test_params_that_nobody_makes_fail_once_everything_else_is_done() -> None:
    making = entry(2, SOURCE, (2, CONVERTING, "web"))
    assert judge(making, flavor_params_ids=[9]) is State.WAITING
    done = entry(2, SOURCE, (2, READY, "web"))
    assert judge(done, flavor_params_ids=[9]) is State.FAILED


def test_a_tag_needs_one_flavor() -> None:
    snapshot = entry(2, SOURCE, (2, ERROR, "Mobile,web"), (3, READY, "mobile"), (4, CONVERTING, "dash"))
    assert judge(snapshot, tags=["mobile"]) is State.READY
    assert judge(snapshot, tags=["mobile", "DASH"]) is State.WAITING
    assert judge(entry(2, SOURCE, (2, ERROR, "mobile")), tags=["mobile"]) is State.FAILED


def test_a_minimum_counts_what_is_not_the_source() -> None:
    snapshot = entry(2, SOURCE, (2, READY, "web"), (3, CONVERTING, "web"))
    assert judge(snapshot, minimum=1) is State.READY
    assert judge(snapshot, minimum=2) is State.WAITING
    assert judge(entry(2, SOURCE, (2, READY, "web"), (3, ERROR, "")), minimum=2) is State.FAILED


def test_without_a_wish_it_waits_until_none_is_being_made() -> None:
    assert judge(entry(2, SOURCE, (2, CONVERTING, ""))) is State.WAITING
    assert judge(entry(2, SOURCE, (2, READY, ""), (3, NOT_APPLICABLE, ""), (4, ERROR, ""))) is State.READY
    assert judge(entry(1, SOURCE)) is State.WAITING
    assert judge(entry(-1, (2, ERROR, ""))) is State.FAILED


def test_result_lists_the_flavors_that_are_there() -> None:
    verdict = FlavorsReady(minimum=1).evaluate(entry(2, SOURCE, (2, READY, ""), (3, ERROR, "")), 0)
    assert verdict.result == {"status": 2, "flavors": ["0_f0", "0_f2"]}


def test_without_a_reading_of_the_flavors_it_waits() -> None:
    snapshot = EntrySnapshot.of({"id": "0_a", "status": 2})
    assert FlavorsReady().needs_flavors(snapshot)
    assert judge(snapshot) is State.WAITING


def test_import_error_is_final_after_the_grace_only() -> None:
    snapshot = entry(-2)
    assert FlavorsReady().evaluate(snapshot, 10).state is State.WAITING
    assert FlavorsReady().evaluate(snapshot, 60).state is State.FAILED


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="-1"):
        FlavorsReady(minimum=-1)


@pytest.mark.parametrize(
    ("status", "flavors", "wanted", "expected"),
    [
        (2, [SOURCE], (), State.READY),
        (2, [SOURCE, (7, READY, "hd")], (0, 7), State.READY),
        (2, [SOURCE, (7, CONVERTING, "hd")], (7,), State.WAITING),
        (2, [SOURCE], (7,), State.FAILED),
        (1, [SOURCE, (7, READY, "hd")], (7,), State.WAITING),
        (-1, [SOURCE, (7, READY, "hd")], (7,), State.FAILED),
    ],
)
def test_an_entry_with_required_flavors_is_ready_once_both_are(
    status: int, flavors: list[tuple[int, int, str]], wanted: tuple[int, ...], expected: State
) -> None:
    condition = EntryReadyWithFlavors(flavor_params_ids=wanted)
    verdict = condition.evaluate(entry(status, *flavors), 0)
    assert verdict.state is expected
    if expected is State.READY:
        assert verdict.result == 2  # the status, as without flavors


def test_flavors_are_only_read_where_they_are_required() -> None:
    ready = replace(
        EntrySnapshot.of({"id": "0_a", "status": 2, "mediaType": 1, "flavorParamsIds": "0,7"}), flavors=None
    )
    assert not EntryReadyWithFlavors().needs_flavors(ready)
    assert EntryReadyWithFlavors(flavor_params_ids=(7,)).needs_flavors(ready)
