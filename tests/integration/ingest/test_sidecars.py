"""Thumbnails, captions and attachments: once on their entry, with exactly their bytes."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.ingest.settings import IfExists
from kaltura_provider.ingest.sidecar import Sidecar, SidecarError, SidecarKind
from kaltura_provider.ingest.sidecar_protocol import attach_sidecar
from kaltura_provider.upload.errors import UploadError

if TYPE_CHECKING:
    from kaltura_provider.upload.sources.base import Source
    from tests.integration.ingest.conftest import Library

NAMES = {SidecarKind.THUMBNAIL: "t.png", SidecarKind.CAPTION: "c.srt", SidecarKind.ATTACHMENT: "notes.pdf"}
VALUES: dict[SidecarKind, dict[str, Any]] = {
    SidecarKind.THUMBNAIL: {},
    SidecarKind.CAPTION: {"language": "English", "label": "English", "format": 1},
    SidecarKind.ATTACHMENT: {"title": "Notes", "format": 3},
}


@pytest.fixture
def entry_id(library: Library) -> str:
    return str(library.ingest(library.file()).ref.entry_id)


def items(library: Library, sidecar: Sidecar) -> list[dict[str, Any]]:
    conditions = {"entryIdEqual": sidecar.entry_id}
    found = library.client.call(sidecar.kind.asset.service, "list", {"filter": conditions})["objects"]
    return [item for item in found if str(item.get("partnerDescription")).startswith("kai1:a:")]


def attach(library: Library, sidecar: Sidecar, source: Source, **settings: Any) -> Any:
    chosen = replace(library.settings, **settings)
    return attach_sidecar(library.client, library.uploader, sidecar, source, settings=chosen)


def served(library: Library, sidecar: Sidecar, item_id: str) -> str:
    """SHA-256 of what the server gives out."""
    import requests

    body = {f"{sidecar.kind.asset.parameter}Id": item_id, "ks": library.client.ks()}
    url = f"{library.sandbox.service_url}/service/{sidecar.kind.asset.service}/action/serve"
    return hashlib.sha256(requests.post(url, data=body, timeout=10).content).hexdigest()


@pytest.mark.parametrize("kind", list(NAMES))
def test_a_file_comes_to_its_entry_once(library: Library, entry_id: str, kind: SidecarKind) -> None:
    source = library.file(NAMES[kind], size=150_000)
    sidecar = Sidecar(entry_id=entry_id, kind=kind, uri=f"s3://b/{source.name}", values=VALUES[kind], default=True)
    first = attach(library, sidecar, source)
    assert (first.made, first.sent) == (True, True)
    again = attach(library, sidecar, source)
    assert (again.asset_id, again.made, again.sent) == (first.asset_id, False, False)
    [item] = items(library, sidecar)
    assert item["status"] == 2
    assert int(item["sizeInBytes"]) == source.size
    expected = hashlib.sha256((library.folder / source.name).read_bytes()).hexdigest()
    assert served(library, sidecar, item["id"]) == expected


def test_the_same_file_on_two_entries_is_two(library: Library, entry_id: str) -> None:
    other = str(library.ingest(library.file("other.mp4")).ref.entry_id)
    source = library.file("notes.pdf", size=1000)
    for entry in (entry_id, other):
        sidecar = Sidecar(entry_id=entry, kind=SidecarKind.ATTACHMENT, uri="s3://b/notes.pdf")
        attach(library, sidecar, source)
        assert len(items(library, sidecar)) == 1


def test_a_changed_file_is_kept_out_or_replaces(library: Library, entry_id: str) -> None:
    sidecar = Sidecar(entry_id=entry_id, kind=SidecarKind.ATTACHMENT, uri="s3://b/notes.pdf")
    first = attach(library, sidecar, library.file("notes.pdf", size=1000))
    changed = library.file("notes.pdf", size=2000, seed=2)
    kept = attach(library, sidecar, changed)
    assert (kept.asset_id, kept.sent) == (first.asset_id, False)
    assert "changed at source" in str(kept.note)
    replaced = attach(library, sidecar, changed, if_exists=IfExists.REPLACE)
    assert (replaced.asset_id, replaced.sent) == (first.asset_id, True)
    assert int(items(library, sidecar)[0]["sizeInBytes"]) == 2000


def test_a_file_that_changes_back_has_its_first_content_again(library: Library, entry_id: str) -> None:
    sidecar = Sidecar(entry_id=entry_id, kind=SidecarKind.ATTACHMENT, uri="s3://b/notes.pdf")
    first, second = (library.file(name, size=1000, seed=seed) for seed, name in enumerate(("a.pdf", "b.pdf")))
    for source in (first, second, first):
        done = attach(library, sidecar, source, if_exists=IfExists.REPLACE)
        expected = hashlib.sha256((library.folder / source.name).read_bytes()).hexdigest()
        assert served(library, sidecar, done.asset_id) == expected


@pytest.mark.parametrize("action", ["add", "setContent", "update", "upload"])
@pytest.mark.parametrize("fault", ["reply_lost", "reset_before"])
def test_broken_calls_leave_nothing_double(library: Library, entry_id: str, action: str, fault: str) -> None:
    source = library.file("notes.pdf", size=150_000)
    sidecar = Sidecar(entry_id=entry_id, kind=SidecarKind.ATTACHMENT, uri="s3://b/notes.pdf")
    library.sandbox.control.fault(fault, action=action)
    done = None
    for _ in range(3):
        with contextlib.suppress(KalturaError, UploadError):
            done = done or attach(library, sidecar, source)
    assert done is not None
    [item] = items(library, sidecar)
    assert item["id"] == done.asset_id
    assert int(item["sizeInBytes"]) == source.size


def test_racers_attach_one(library: Library, entry_id: str) -> None:
    source = library.file("notes.pdf", size=1000)
    sidecar = Sidecar(entry_id=entry_id, kind=SidecarKind.ATTACHMENT, uri="s3://b/notes.pdf")
    done = library.race(sidecar, source)
    [item] = items(library, sidecar)
    assert done == [item["id"]] * 3


def test_a_claim_in_the_way_says_that_a_retry_helps(library: Library, entry_id: str) -> None:
    source = library.file("notes.pdf", size=1000)
    sidecar = Sidecar(entry_id=entry_id, kind=SidecarKind.ATTACHMENT, uri="s3://b/notes.pdf")
    from kaltura_provider.ingest.identity import content_id, token_file_name

    name = token_file_name(sidecar.item_id, content_id(sidecar.item_id, source.size, source.validator), source.name)
    library.client.call("uploadToken", "add", {"uploadToken": {"objectType": "KalturaUploadToken", "fileName": name}})
    with pytest.raises(SidecarError, match="try again later") as caught:
        attach(library, sidecar, source, claim_timeout=20.0)
    assert caught.value.retry_helps
