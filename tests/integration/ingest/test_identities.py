"""One item under several addresses, and items that an earlier version of this package knew under another identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kaltura_provider.ingest import identity
from kaltura_provider.ingest import sidecar as sidecar_module
from kaltura_provider.ingest.item import ItemState, SourceItem
from kaltura_provider.ingest.sidecar import Sidecar, SidecarKind
from kaltura_provider.ingest.sidecar_protocol import attach_sidecar
from kaltura_provider.services.entry.metadata import EntryMetadata

if TYPE_CHECKING:
    from kaltura_provider.upload.sources.base import Source
    from tests.integration.ingest.conftest import Library

OLD = "https://media.example/x/../my talk.mp4?v=1"
SAME = "https://MEDIA.example.:443/my%20talk.mp4?v=1"


def asset_at(source: Source, uri: str, **values: Any) -> SourceItem:
    return SourceItem(
        uri=uri, size=source.size, validator=source.validator, name=source.name, metadata=EntryMetadata(), **values
    )


def elder(source: Source, uri: str) -> SourceItem:
    """Return the item as formula kai1 knew it."""
    found = asset_at(source, uri).elder()
    assert found is not None
    return found


def all_entries(library: Library) -> list[dict[str, Any]]:
    return [entry for entry in library.sandbox.control.entries() if "kai1" in str(entry.get("adminTags")).split(",")]


def test_spellings_of_one_address_make_one_entry(library: Library) -> None:
    source = library.file()
    first = library.ingest(source, asset_at(source, OLD))
    assert first.ref.state is ItemState.DONE
    second = library.ingest(source, asset_at(source, SAME))
    assert (second.ref.state, second.ref.entry_id) == (ItemState.DONE, first.ref.entry_id)
    assert not second.ref.made
    assert len(all_entries(library)) == 1


@pytest.fixture
def kai1(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a switch to the formula that earlier versions used, for what is done inside."""

    newer = identity.canonical_uri

    def switch(on: bool) -> None:
        monkeypatch.setattr(identity, "canonical_uri", identity.kai1_uri if on else newer)

    return switch


def test_an_entry_made_under_kai1_is_found(library: Library, kai1: Any) -> None:
    source = library.file()
    kai1(True)
    first = library.ingest(source, asset_at(source, OLD))
    kai1(False)
    assert first.ref.item_id == elder(source, OLD).item_id
    changed = library.changes()
    [again, both] = library.prepare(asset_at(source, OLD), asset_at(source, SAME))
    assert again.state is both.state is ItemState.DONE
    assert again.entry_id == both.entry_id == first.ref.entry_id
    assert library.changes() == changed
    assert len(all_entries(library)) == 1


@pytest.mark.parametrize("name", ["clip.mp4", "table.csv"])
def test_an_upload_begun_under_kai1_goes_on(library: Library, kai1: Any, name: str) -> None:
    source = library.file(name)
    kai1(True)
    [begun] = library.prepare(asset_at(source, OLD))
    kai1(False)
    assert begun.state is ItemState.SEND
    [found] = library.prepare(asset_at(source, OLD), known={begun.item_id: begun.token_id})
    # A token that an entry waits for, and that has no byte yet, is exchanged for a new one.
    assert (found.token_id == begun.token_id, found.entry_id) == (begun.entry_id is None, begun.entry_id)
    done = library.ingest(source, asset_at(source, OLD))
    assert done.ref.state is ItemState.DONE
    assert done.ref.item_id == begun.item_id
    [entry] = all_entries(library)
    assert library.holds(entry["id"], source)


def test_changed_content_of_an_entry_made_under_kai1(library: Library, kai1: Any) -> None:
    source = library.file(seed=1)
    kai1(True)
    first = library.ingest(source, asset_at(source, OLD))
    kai1(False)
    assert first.ref.state is ItemState.DONE
    source = library.file(seed=2, size=100_000)
    [ref] = library.prepare(asset_at(source, OLD))
    assert (ref.state, ref.entry_id) == (ItemState.SKIPPED, first.ref.entry_id)


def test_an_entry_made_under_kai1_and_deleted_on_purpose_stays_deleted(library: Library, kai1: Any) -> None:
    source = library.file()
    kai1(True)
    first = library.ingest(source, asset_at(source, OLD))
    kai1(False)
    library.client.call("baseEntry", "delete", {"entryId": first.ref.entry_id})
    [ref] = library.prepare(asset_at(source, OLD))
    assert ref.state is ItemState.SKIPPED
    assert ref.note is not None
    assert "deleted in Kaltura" in ref.note


def test_a_caption_attached_under_kai1_is_found(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    entry_id = str(library.ingest(library.file()).ref.entry_id)
    source = library.file("c.srt")
    values = {"language": "English", "label": "English", "format": 1}
    sidecar = Sidecar(entry_id=entry_id, kind=SidecarKind.CAPTION, uri=OLD, values=values)
    with monkeypatch.context() as before:
        before.setattr(sidecar_module, "canonical_uri", identity.kai1_uri)
        first = attach_sidecar(library.client, library.uploader, sidecar, source, settings=library.settings)
        assert first.made
    again = attach_sidecar(library.client, library.uploader, sidecar, source, settings=library.settings)
    assert (again.asset_id, again.made, again.sent) == (first.asset_id, False, False)


def test_an_address_in_normal_form_costs_no_more_calls(library: Library) -> None:
    source = library.file()
    before = library.calls()
    library.prepare(asset_at(source, "https://media.example/a.mp4"))
    plain = library.calls() - before
    before = library.calls()
    library.prepare(asset_at(source, "s3://media/other.mp4"))
    assert library.calls() - before == plain


def test_a_file_that_came_in_under_its_inode_is_recognised(library: Library) -> None:
    source = library.file()
    inode = f"12ab-{source.size}-17"
    before = library.ingest(source, library.item(source, validator=inode)).ref
    again = library.ingest(source, library.item(source, validator=f"{source.size}-17", elder_validator=inode)).ref
    assert (again.state, again.note, again.entry_id) == (ItemState.DONE, None, before.entry_id)
