"""Every call of an ingest fails once, before and after its work: whatever comes of it, a later run finishes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from kaltura_provider.api.errors import KalturaTransientError
from kaltura_provider.ingest.housekeeping import find_leftovers
from kaltura_provider.ingest.item import ItemState
from kaltura_provider.ingest.ledger import Ledger
from kaltura_provider.ingest.marks import item_mark
from kaltura_provider.ingest.protocol import ItemWork
from kaltura_provider.ingest.removal import discard_entry
from kaltura_provider.ingest.settings import IfExists
from tests.integration.ingest.test_other_paths import finish

if TYPE_CHECKING:
    from kaltura_provider.ingest.item import SourceItem
    from tests.integration.ingest.conftest import Library


def stray(library: Library, item: SourceItem) -> str:
    """Make an empty entry that carries the item's mark."""
    entry = {"objectType": "KalturaMediaEntry", "mediaType": 1, "adminTags": f"kai1,{item_mark(item.item_id)}"}
    return str(library.client.call("media", "add", {"entry": entry})["id"])


@pytest.mark.parametrize("action", ["update", "delete"])
@pytest.mark.parametrize("kind", ["error", "error_after"])
def test_an_entry_that_is_given_up_is_never_taken_for_one_deleted_on_purpose(
    library: Library, kind: str, action: str
) -> None:
    source = library.file()
    item = library.item(source)
    stray(library, item)
    # More often than the client repeats the call.
    library.sandbox.control.fault(kind, service="baseEntry", action=action, times=9)
    ledger = Ledger(library.client, library.settings.clock)
    with contextlib.suppress(KalturaTransientError):
        discard_entry(ledger, library.entries(item)[0]["id"], item.item_id)
    library.sandbox.control.clear_faults()
    done = library.ingest(source)
    assert done.ref.state is ItemState.DONE, done.ref
    assert [entry["id"] for entry in library.sandbox.control.entries()] == [done.ref.entry_id]


@pytest.mark.parametrize("action", ["update", "updateContent"])
@pytest.mark.parametrize("kind", ["error", "error_after"])
def test_a_replacement_goes_on_whichever_call_failed(library: Library, kind: str, action: str) -> None:
    first = library.ingest(library.file(seed=1))
    library.sandbox.control.set_entry(str(first.ref.entry_id), status=2)
    source = library.file(size=300_000, seed=2)
    item = library.item(source)
    library.sandbox.control.fault(kind, action=action, times=9)
    library.ingest(source, if_exists=IfExists.REPLACE, attempts=2)
    library.sandbox.control.clear_faults()
    for _ in range(3):
        done = library.ingest(source, if_exists=IfExists.REPLACE)
        if done.ref.state is ItemState.DONE:
            break
        if temporary := library.sandbox.control.entry(str(first.ref.entry_id)).get("replacingEntryId"):
            finish(library, temporary)
    assert done.ref.state is ItemState.DONE, done.ref
    assert [entry["id"] for entry in library.entries(item)] == [first.ref.entry_id]
    assert library.holds(str(first.ref.entry_id), source)


@pytest.mark.parametrize("element", [1, 2])
@pytest.mark.parametrize("name", ["a.mp4", "a.csv"])
def test_single_elements_of_multirequests_may_fail(library: Library, name: str, element: int) -> None:
    source = library.file(name)
    for after in range(8):
        library.sandbox.control.fault("error", element=element, after=after * 3, times=2)
    done = library.ingest(source)
    library.sandbox.control.clear_faults()
    if done.ref.state is not ItemState.DONE:
        assert done.ref.error is not None
        assert done.ref.error.retry_helps
        done = library.ingest(source)
    assert done.ref.state is ItemState.DONE, done.ref
    assert [entry["id"] for entry in library.entries(done.ref)] == [done.ref.entry_id]


def test_trouble_that_passes_in_between_is_not_counted_together(library: Library) -> None:
    """A server that fails now and then, while somebody else holds the claim, does not end the wait for it."""
    source = library.file()
    item = library.item(source)
    token = {"objectType": "KalturaUploadToken", "fileName": item.token_name}
    library.client.call("uploadToken", "add", {"uploadToken": token})
    work = ItemWork(item, Ledger(library.client, library.settings.clock), library.settings, library.observer)
    for step in range(2 * library.settings.attempts):
        if step % 2:
            library.sandbox.control.fault("error", service="uploadToken", action="list", times=3)
        ref = work.step()
        library.sandbox.control.clear_faults()
        assert ref is None, ref


def test_claims_that_keep_meeting_wait_longer_and_longer(library: Library) -> None:
    item = library.item(library.file())
    ledger = Ledger(library.client, library.settings.clock)
    work = ItemWork(item, ledger, library.settings, library.observer)
    honest = ledger.add_token
    pauses = []

    def meet(file_name: str, size: int) -> object:
        mine = honest(file_name, size)
        rival = honest(file_name, size)
        rivals.append(rival.id)
        return mine

    rivals: list[str] = []
    ledger.add_token = meet  # type: ignore[assignment,method-assign]
    for _ in range(8):
        before = library.settings.clock.monotonic()
        assert work.step() is None
        pauses.append(work.not_before - before)
        for rival in rivals:
            ledger.delete_token(rival)
    first, last = library.settings.backoff, library.settings.grace / 2
    assert pauses[0] <= first + 1
    assert max(pauses[4:]) > 2 * first
    assert max(pauses) <= last + 1


def test_a_replacement_whose_upload_was_given_up_begins_anew(library: Library) -> None:
    first = library.ingest(library.file(seed=1))
    finish(library, str(first.ref.entry_id))
    source = library.file(size=300_000, seed=2)
    item = library.item(source)
    [begun] = library.prepare(item, if_exists=IfExists.REPLACE)
    library.client.call("uploadToken", "delete", {"uploadTokenId": begun.token_id})
    sent = library.ingest(source, if_exists=IfExists.REPLACE)
    assert sent.ref.state is ItemState.REPLACING, sent.ref
    finish(library, library.sandbox.control.entry(str(first.ref.entry_id))["replacingEntryId"])
    assert library.ingest(source).ref.state is ItemState.DONE
    assert library.holds(str(first.ref.entry_id), source)


@pytest.mark.parametrize("name", ["a.mp4", "a.csv"])
@pytest.mark.parametrize("kind", ["error_after", "reply_lost"])
@pytest.mark.parametrize("call", ["add", "addContent", "addFromUploadedFile", "update"])
def test_what_a_run_made_is_told_by_the_marks_and_not_by_the_try(
    library: Library, call: str, kind: str, name: str
) -> None:
    source = library.file(name)
    library.sandbox.control.fault(kind, service="media" if name == "a.mp4" else "baseEntry", action=call, times=9)
    library.ingest(source, run="daily 2026-01-01", attempts=1)
    library.sandbox.control.clear_faults()
    done = library.ingest(source, run="daily 2026-01-01")
    assert (done.ref.state, done.ref.made) == (ItemState.DONE, True)
    again = library.ingest(source, run="daily 2026-01-01")
    assert (again.ref.state, again.ref.made) == (ItemState.DONE, True)
    other = library.ingest(source, run="daily 2026-01-02")
    assert (other.ref.state, other.ref.made) == (ItemState.DONE, False)


@pytest.mark.parametrize(("name", "profile"), [("a.mp4", -1), ("a.csv", None)])
def test_full_tokens_of_content_that_is_in_are_cleared_away(library: Library, name: str, profile: int | None) -> None:
    source = library.file(name)
    item = library.item(source, metadata={"conversion_profile_id": profile})
    assert library.ingest(source, item).ref.state is ItemState.DONE
    # Another worker has brought the same bytes.
    late = _token(library, item.file_token_name)
    library.uploader.send(source, late, attached=False)
    assert library.ingest(source, item).ref.state is ItemState.DONE
    assert [token["status"] for token in library.tokens(item) if token["status"] != 3] == []


@pytest.mark.parametrize(("name", "profile"), [("a.mp4", -1), ("a.csv", None)])
def test_a_second_run_changes_nothing_whatever_its_hour(library: Library, name: str, profile: int | None) -> None:
    """Tokens that dead workers had begun are left to housekeeping, young or old."""
    source = library.file(name)
    item = library.item(source, metadata={"conversion_profile_id": profile})
    assert library.ingest(source, item).ref.state is ItemState.DONE
    begun = {_token(library, item.token_name), _token(library, item.file_token_name)}
    for _ in range(2):
        assert library.ingest(source, item).ref.state is ItemState.DONE
        assert begun <= {token["id"] for token in library.tokens(item) if token["status"] == 0}
        library.settings.clock.sleep(library.settings.grace)
    assert begun == {leftover.id for leftover in find_leftovers(library.client, older_than=0)}


def _token(library: Library, file_name: str) -> str:
    token = {"objectType": "KalturaUploadToken", "fileName": file_name}
    return str(library.client.call("uploadToken", "add", {"uploadToken": token})["id"])
