"""What Kaltura stores otherwise than it was told is noted on the reference, once, and is never a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.ingest.item import ItemState
from kaltura_provider.services.entry.changes import update_entry

if TYPE_CHECKING:
    import pytest

    from tests.integration.ingest.conftest import Library


def test_texts_are_read_back_once_for_a_batch(library: Library) -> None:
    plain = library.item(library.file("a.mp4"), metadata={"name": "plain", "tags": ["One", "two "]})
    emoji = library.item(library.file("b.mp4"), metadata={"name": "film 😀 q", "categories": ["Arts>Pottery"]})
    before = library.sandbox.control.state()["calls"].get("baseEntry.getByIds", 0)
    first, second = library.prepare(plain, emoji)
    assert library.sandbox.control.state()["calls"]["baseEntry.getByIds"] == before + 1
    assert (first.state, first.note) == (ItemState.SEND, None)
    assert (second.state, second.note) == (
        ItemState.SEND, "Kaltura stored name 'film 😀 q' as 'film ???? q'"
    )  # fmt: skip
    library.prepare(plain, emoji)


def test_texts_are_cut_to_what_kaltura_keeps_and_that_is_said(library: Library) -> None:
    metadata = {"name": "n" * 5000, "description": "é" * 40_000, "tags": ["t" * 300, "x", "fine"]}
    [ref] = library.prepare(library.item(library.file(), metadata=metadata))
    assert ref.state is ItemState.SEND
    assert ref.note is not None
    assert ref.note.split("; ") == [
        "name was cut to 4096 bytes: Kaltura keeps no more of one",
        "description was cut to 65535 bytes: Kaltura keeps no more of one",
        f"tag '{'t' * 60}…' was cut to 100 bytes: Kaltura keeps no more of one",
        "tag 'x' was left out: Kaltura keeps none of a single character",
    ]
    entry = library.sandbox.control.entry(str(ref.entry_id))
    assert (len(entry["name"]), len(entry["description"].encode())) == (4096, 65_534)
    assert entry["tags"] == f"{'t' * 100}, fine"


def test_a_server_that_does_not_answer_costs_no_more_than_the_note(library: Library) -> None:
    library.sandbox.control.fault("error", action="getByIds", times=9)
    [ref] = library.prepare(library.item(library.file(), metadata={"name": "film 😀"}))
    assert (ref.state, ref.note) == (ItemState.SEND, None)


def test_an_update_says_what_is_stored_and_is_not_made_again(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    [ref] = library.prepare(library.item(library.file()))
    entry_id = str(ref.entry_id)
    changes = {"name": "film 😀 q", "tags": ["a😀", "t" * 300]}
    changed = update_entry(library.client, entry_id, changes)
    assert changed["name"]["to"] == "film ???? q"
    assert "Kaltura stored name 'film 😀 q' as 'film ???? q'" in caplog.text
    assert "was cut to 100 bytes" in caplog.text
    sent = library.changes()
    assert update_entry(library.client, entry_id, changes) == {}
    assert library.changes() == sent
