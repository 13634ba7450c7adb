"""Housekeeping finds what broken-off runs left, and nothing that is not ours or still in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.ingest.confirmation import record_refusal
from kaltura_provider.ingest.housekeeping import find_leftovers, remove_leftovers
from kaltura_provider.ingest.item import ItemState
from kaltura_provider.ingest.settings import Transfer

if TYPE_CHECKING:
    from tests.integration.ingest.conftest import Library

HOUR = 3600.0


def raw(library: Library, **values: Any) -> str:
    entry = {"objectType": "KalturaMediaEntry", "name": "n", "mediaType": 1, **values}
    return str(library.client.call("media", "add", {"entry": entry})["id"])


def test_what_was_given_up_is_found_and_removed_when_told(library: Library) -> None:
    waiting = library.prepare(library.item(library.file("waiting.mp4")))[0]
    document = library.prepare(library.item(library.file("waiting.pdf")))[0]
    lost = library.prepare(library.item(library.file("lost.mp4")))[0]
    library.client.call("uploadToken", "delete", {"uploadTokenId": lost.token_id})
    claim = library.item(library.file("claim.mp4"))
    token = {"objectType": "KalturaUploadToken", "fileName": claim.token_name}
    stray = library.client.call("uploadToken", "add", {"uploadToken": token})["id"]
    library.sandbox.control.advance_clock(2 * HOUR)
    before = library.changes()
    found = find_leftovers(library.client, older_than=HOUR)
    assert library.changes() == before
    assert {(item.kind, item.id) for item in found} == {
        ("token", waiting.token_id), ("token", document.token_id), ("token", stray),
        ("entry", waiting.entry_id), ("entry", document.entry_id), ("entry", lost.entry_id),
    }  # fmt: skip
    removed = remove_leftovers(library.client, found, older_than=HOUR)
    assert all(item.removed for item in removed), removed
    assert library.sandbox.control.entries() == []
    assert all(item["status"] == 5 for item in library.sandbox.control.tokens())
    assert find_leftovers(library.client, older_than=0) == []


def test_a_removed_asset_is_ingested_again_without_asking(library: Library) -> None:
    source = library.file()
    library.prepare(library.item(source))
    library.sandbox.control.advance_clock(2 * HOUR)
    remove_leftovers(library.client, find_leftovers(library.client, older_than=HOUR), older_than=HOUR)
    assert library.ingest(source).ref.state is ItemState.DONE


def test_nothing_else_is_ever_found(library: Library) -> None:
    done = library.ingest(library.file("done.mp4"))
    item = library.item(library.file("adopted.mp4"))
    raw(library)
    raw(library, adminTags="kai1x,kai10:a:1,mine")
    raw(library, adminTags=f"kai1:adopted,kai1:a:{item.item_id}")
    token = {"objectType": "KalturaUploadToken", "fileName": "movie.mp4"}
    library.client.call("uploadToken", "add", {"uploadToken": token})
    fetched = library.item(library.file("fetched.mp4"), import_url="http://127.0.0.1:9/x.mp4")
    [importing] = library.prepare(fetched, transfer=Transfer.IMPORT)
    assert importing.state is ItemState.IMPORTING
    library.sandbox.control.advance_clock(100 * HOUR / 5)
    assert find_leftovers(library.client, older_than=0) == []
    assert done.ref.state is ItemState.DONE


def test_what_is_young_is_in_use(library: Library) -> None:
    library.prepare(library.item(library.file()))
    assert find_leftovers(library.client, older_than=HOUR) == []


def test_an_old_entry_whose_upload_still_moves_is_in_use(library: Library) -> None:
    [ref] = library.prepare(library.item(library.file()))
    library.sandbox.control.advance_clock(2 * HOUR)
    found = find_leftovers(library.client, older_than=HOUR)
    now = int(library.client.call("system", "getTime"))
    library.sandbox.control.set_token(str(ref.token_id), status=1, updatedAt=now)
    assert find_leftovers(library.client, older_than=HOUR) == []
    judged = remove_leftovers(library.client, found, older_than=HOUR)
    assert [(item.removed, item.problem) for item in judged] == [(False, "it is in use again")] * 2
    assert library.sandbox.control.entry(str(ref.entry_id))["status"] == 0


def test_what_came_in_meanwhile_stays(library: Library) -> None:
    source = library.file()
    [ref] = library.prepare(library.item(source))
    library.begin(source, ref.token_id)
    library.sandbox.control.advance_clock(2 * HOUR)
    found = find_leftovers(library.client, older_than=HOUR)
    assert found
    library.uploader.send(source, str(ref.token_id), attached=True, own=True)
    done = library.ingest(source)
    judged = remove_leftovers(library.client, found, older_than=HOUR)
    assert not any(item.removed for item in judged)
    assert library.holds(str(done.ref.entry_id), source)


def test_all_pages_are_walked(library: Library) -> None:
    """More than one page of tokens is walked."""
    for n in range(3):
        library.prepare(library.item(library.file(f"{n}.mp4")))
    for n in range(510):
        token = {"objectType": "KalturaUploadToken", "fileName": f"foreign{n}.mp4"}
        library.client.call("uploadToken", "add", {"uploadToken": token})
    item = library.item(library.file("last.mp4"))
    token = {"objectType": "KalturaUploadToken", "fileName": item.token_name}
    last = library.client.call("uploadToken", "add", {"uploadToken": token})["id"]
    assert last in {item.id for item in find_leftovers(library.client, older_than=0)}


def test_an_entry_that_keeps_a_refusal_is_no_leftover(library: Library) -> None:
    """Without it the refused file would be sent again."""
    source = library.file()
    [ref] = library.prepare(library.item(source))
    library.client.call("uploadToken", "delete", {"uploadTokenId": ref.token_id})
    record_refusal(library.client, ref, settings=library.settings)
    library.sandbox.control.advance_clock(2 * HOUR)
    assert find_leftovers(library.client, older_than=HOUR) == []
    assert library.ingest(source).ref.state is ItemState.FAILED
