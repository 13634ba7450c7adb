"""What a sensor is given, and the shape of what it gives back."""

from __future__ import annotations

from typing import Any

import pytest

from kaltura_provider.sensors.targets import Targets

REPORT = {"ready": {"0_a": 2}, "failed": {"0_b": "broken"}, "waiting": {}}


def subject(given: Any) -> Targets:
    return Targets(
        given,
        name="entry",
        key="entry_id",
        is_settled=lambda ref: ref.get("state") == "done" and ref.get("status_number") == 2,
    )


def outcome(given: Any, report: dict[str, Any] = REPORT) -> Any:
    return subject(given).outcome(report, lambda ref, result: {**ref, "status_number": result}, lambda key, _: key)


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ("0_a", ["0_a"]),
        (" 0_a ", ["0_a"]),
        ("0_a,0_b", ["0_a", "0_b"]),
        (["0_a", "0_b", "0_a"], ["0_a", "0_b"]),
        (("0_a",), ["0_a"]),
        ('["0_a", "0_b"]', ["0_a", "0_b"]),
        ("['0_a', '0_b']", ["0_a", "0_b"]),
        ("{'entry_id': '0_a', 'state': 'sent', 'status': None}", ["0_a"]),
        ({"entry_id": "0_a", "state": "sent"}, ["0_a"]),
        ({"id": "0_a", "name": "as Kaltura returns it"}, ["0_a"]),
        ((n for n in ("0_a",)), ["0_a"]),
        (116, ["116"]),
        ([], []),
    ],
)
def test_what_can_be_given(given: Any, ids: list[str]) -> None:
    assert subject(given).ids == ids


@pytest.mark.parametrize("given", ["", None, "two words", ["0_a", None], [True], {"name": "0_a"}, [["0_a"]], "[broken"])
def test_what_cannot_is_named(given: Any) -> None:
    with pytest.raises(ValueError, match="entry"):
        subject(given)


def test_ids_and_references_do_not_mix() -> None:
    with pytest.raises(ValueError, match="mixes"):
        subject(["0_a", {"entry_id": "0_b", "state": "sent"}])


def test_an_id_comes_back_as_it_is_a_list_by_outcome() -> None:
    assert outcome("0_a") == "0_a"
    assert outcome("0_b", {"ready": {}, "failed": {"0_b": "broken"}, "waiting": {}}) is None
    assert outcome(["0_b", "0_a"]) == {"ready": ["0_a"], "failed": {"0_b": "broken"}}
    waiting = {"ready": {}, "failed": {}, "waiting": {"0_a": "converting"}}
    assert outcome(["0_a"], waiting) == {"ready": [], "failed": {}, "waiting": {"0_a": "converting"}}


def test_references_come_back_in_order_with_what_was_found() -> None:
    refs = [
        {"entry_id": "0_b", "state": "sent", "uri": "s3://b"},
        {"state": "failed", "uri": "s3://x"},
        {"entry_id": "0_a", "state": "sent", "uri": "s3://a"},
        {"entry_id": "0_s", "state": "skipped"},
        {"entry_id": "0_d", "state": "done", "status_number": 2},
    ]
    assert subject(refs).ids == ["0_b", "0_a"]
    found = outcome(refs)
    assert found[0]["state"] == "failed"
    assert found[0]["error"] == {"kind": "wait", "message": "broken", "retry_helps": False}
    assert found[1] == refs[1]
    assert found[2] == {**refs[2], "status_number": 2}
    assert found[3:] == refs[3:]
    assert outcome(refs[2]) == {**refs[2], "status_number": 2}


def test_what_is_still_waited_for_says_why() -> None:
    ref = {"entry_id": "0_a", "state": "sent", "token_id": "0_t"}
    report = {"ready": {}, "failed": {}, "waiting": {"0_a": "converting"}}
    assert outcome(ref, report) == {**ref, "waiting": True, "note": "converting"}
    assert subject(ref).waiting_references(["0_a"]) == [ref]
