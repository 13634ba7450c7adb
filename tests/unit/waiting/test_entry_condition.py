"""EntryReady over every status an entry can have, numbers and strings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kaltura_provider.services.flavor_asset import FlavorAsset
from kaltura_provider.waiting.conditions.entry import EntryReady
from kaltura_provider.waiting.conditions.verdict import State
from kaltura_provider.waiting.snapshot import EntrySnapshot

GRACE = 60.0


def entry(**fields: object) -> EntrySnapshot:
    return EntrySnapshot.of({"id": "0_a", "mediaType": 1, "flavorParamsIds": "0", **fields})


def state(snapshot: EntrySnapshot, age: float = 0.0, **arguments: object) -> State:
    return EntryReady(**arguments).evaluate(snapshot, age).state  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "at_once", "in_the_end"),
    [
        (-2, State.WAITING, State.FAILED),
        (-1, State.FAILED, State.FAILED),
        (0, State.WAITING, State.WAITING),
        (1, State.WAITING, State.WAITING),
        (2, State.READY, State.READY),
        (3, State.FAILED, State.FAILED),
        (4, State.WAITING, State.WAITING),
        (5, State.READY, State.READY),
        (6, State.FAILED, State.FAILED),
        (7, State.WAITING, State.WAITING),
        ("virusScan.Infected", State.FAILED, State.FAILED),
        ("virusScan.ScanFailure", State.FAILED, State.FAILED),
        ("somePlugin.Busy", State.WAITING, State.WAITING),
        ("2", State.READY, State.READY),
        (99, State.WAITING, State.WAITING),
    ],
)
def test_every_status(status: object, at_once: State, in_the_end: State) -> None:
    snapshot = entry(status=status)
    assert (state(snapshot, 0.0), state(snapshot, GRACE)) == (at_once, in_the_end)


def test_import_error_may_bounce_within_the_grace() -> None:
    failing = entry(status=-2)
    assert state(failing, GRACE - 0.1) is State.WAITING
    assert state(failing, GRACE) is State.FAILED
    assert state(failing, 5, grace=5) is State.FAILED


def test_pending_without_a_profile_is_stored_and_not_waited_for() -> None:
    verdict = EntryReady().evaluate(entry(status=4, conversionProfileId=-1), 0)
    assert (verdict.state, verdict.result) == (State.READY, 4)


def test_unknown_entry_is_believed_only_after_the_grace() -> None:
    unknown = EntrySnapshot.absent("0_a")
    assert state(unknown, 1) is State.WAITING
    verdict = EntryReady().evaluate(unknown, GRACE)
    assert verdict.state is State.FAILED
    assert "disableentitlement" in verdict.reason


def test_recycled_entry_fails() -> None:
    verdict = EntryReady().evaluate(entry(status=2, displayInSearch=-2), 0)
    assert verdict.state is State.FAILED
    assert "recycle bin" in verdict.reason


@pytest.mark.parametrize(
    ("fields", "moderation", "expected"),
    [
        ({"status": 2, "moderationStatus": 1}, "ready", State.READY),
        ({"status": 2, "moderationStatus": 1}, "wait", State.WAITING),
        ({"status": 2, "moderationStatus": 1}, "fail", State.FAILED),
        ({"status": 2, "moderationStatus": 3}, "ready", State.READY),
        ({"status": 2, "moderationStatus": 3}, "wait", State.FAILED),
        ({"status": 2, "moderationStatus": 2}, "wait", State.READY),
        ({"status": 2, "moderationStatus": 6}, "fail", State.READY),
        ({"status": 5}, "ready", State.READY),
        ({"status": 5}, "wait", State.WAITING),
        ({"status": 5}, "fail", State.FAILED),
    ],
)
def test_moderation_is_the_authors_choice(fields: dict[str, int], moderation: str, expected: State) -> None:
    assert state(entry(**fields), moderation=moderation) is expected


@pytest.mark.parametrize(
    ("replacement", "waited", "ignored"),
    [
        (0, State.READY, State.READY),
        (1, State.WAITING, State.READY),
        (2, State.WAITING, State.READY),
        (3, State.WAITING, State.READY),
        (4, State.FAILED, State.READY),
    ],
)
def test_replacement(replacement: int, waited: State, ignored: State) -> None:
    snapshot = entry(status=2, replacementStatus=replacement, replacingEntryId="0_new")
    assert state(snapshot) is waited
    assert state(snapshot, replacement="ignore") is ignored


def test_failed_replacement_asks_for_the_flavors_of_the_temporary_entry() -> None:
    snapshot = entry(status=2, replacementStatus=4, replacingEntryId="0_new")
    assert EntryReady().needs_flavors(snapshot)
    assert snapshot.flavor_owner == "0_new"


def flavored(snapshot: EntrySnapshot, *flavors: dict[str, object]) -> EntrySnapshot:
    return replace(snapshot, flavors=tuple(FlavorAsset.of({"entryId": "0_a", **f}) for f in flavors))


def test_ready_counts_only_with_content() -> None:
    bare = entry(status=2, flavorParamsIds="")
    assert EntryReady().needs_flavors(bare)
    assert state(bare) is State.WAITING
    assert state(flavored(bare)) is State.WAITING
    assert state(flavored(bare, {"id": "0_f", "status": 2, "flavorParamsId": 0})) is State.READY
    assert state(flavored(bare, {"id": "0_f", "status": 2, "flavorParamsId": 7})) is State.READY


def test_ready_while_other_flavors_convert_is_ready() -> None:
    snapshot = flavored(
        entry(status=2, flavorParamsIds=""),
        {"id": "0_f", "status": 2, "flavorParamsId": 0, "isOriginal": True},
        {"id": "0_g", "status": 1, "flavorParamsId": 2},
    )
    assert state(snapshot) is State.READY


@pytest.mark.parametrize("media_type", [2, None])
def test_images_and_documents_have_no_flavors_to_ask_for(media_type: int | None) -> None:
    snapshot = entry(status=2, mediaType=media_type, flavorParamsIds="")
    assert not EntryReady().needs_flavors(snapshot)
    assert state(snapshot) is State.READY


def test_conversion_error_names_the_failing_flavors_and_what_kaltura_wrote() -> None:
    snapshot = flavored(
        entry(status=-1),
        {"id": "0_ok", "status": 2, "flavorParamsId": 0},
        {"id": "0_bad", "status": -1, "flavorParamsId": 3, "description": "ffmpeg:\n no video stream"},
    )
    reason = EntryReady().evaluate(snapshot, 0).reason
    assert "ERROR_CONVERTING" in reason
    assert "flavor 0_bad (flavor params 3): ffmpeg: no video stream" in reason
    assert "0_ok" not in reason


@pytest.mark.parametrize(
    ("arguments", "word"),
    [({"moderation": "maybe"}, "maybe"), ({"replacement": "no"}, "no"), ({"grace": -1}, "-1")],
)
def test_bad_arguments_are_named(arguments: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        EntryReady(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": 0, "sourceType": "5"}, "manifest"),
        ({"status": 0, "sourceType": "1"}, "upload token"),
        ({"status": 7}, "attach"),
        ({"status": 1}, "transcoding"),
        ({"status": 4}, "conversion profile"),
        ({"status": 5}, "moderator"),
        ({"status": 2, "replacementStatus": 2}, "approve"),
        ({"status": 2, "replacementStatus": 1}, "temporary entry"),
        ({"status": 2}, "profile -1"),
        ({"status": "x.Y"}, "x.Y"),
    ],
)
def test_hints_fit_the_status(fields: dict[str, object], words: str) -> None:
    snapshot = entry(**fields)
    assert words in EntryReady().hint(snapshot)
    assert EntryReady().patience(snapshot) > 0
