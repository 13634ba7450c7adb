"""Renditions of an entry that come as files: one flavor asset for each flavor params, with exactly their bytes."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kaltura_provider.api.errors import KalturaConfigurationError, KalturaError
from kaltura_provider.ingest.settings import IfExists, IngestSettings
from kaltura_provider.ingest.sidecar import Sidecar, SidecarError, SidecarKind
from kaltura_provider.ingest.sidecar_protocol import attach_sidecar
from kaltura_provider.services.flavor_asset import list_flavors
from kaltura_provider.services.flavor_params import find_flavor_params
from kaltura_provider.upload.errors import UploadError
from kaltura_provider.upload.sources.errors import SourceMismatch

if TYPE_CHECKING:
    from kaltura_provider.upload.sources.base import Source
    from tests.integration.ingest.conftest import Library

SMALL, LARGE = 2, 4


@pytest.fixture
def entry_id(library: Library) -> str:
    return str(library.ingest(library.file()).ref.entry_id)


def rendition(entry_id: str, flavor: int = SMALL, name: str = "talk_small.mp4") -> Sidecar:
    values = {"flavorParamsId": flavor}
    return Sidecar(entry_id=entry_id, kind=SidecarKind.RENDITION, uri=f"s3://b/{name}", values=values)


def attach(library: Library, sidecar: Sidecar, source: Source, **settings: Any) -> Any:
    chosen = IngestSettings(**{"clock": library.settings.clock, "backoff": 0.5, **settings})
    return attach_sidecar(library.client, library.uploader, sidecar, source, settings=chosen)


def flavors(library: Library, entry_id: str) -> dict[Any, Any]:
    """Return the flavors of an entry by their flavor params, except the source; each exists once."""
    found = [one for one in list_flavors(library.client, [entry_id]).get(entry_id, []) if not one.original]
    by_params = {one.params_id: one for one in found}
    assert len(by_params) == len(found)
    return by_params


def served(library: Library, flavor_id: str) -> str:
    """SHA-256 of what the server gives out."""
    import requests

    url = library.client.call("flavorAsset", "getUrl", {"id": flavor_id})
    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    return hashlib.sha256(answer.content).hexdigest()


def digest(library: Library, source: Source) -> str:
    return hashlib.sha256((library.folder / source.name).read_bytes()).hexdigest()


def test_each_rendition_is_the_flavor_of_its_params_once(library: Library, entry_id: str) -> None:
    small, large = library.file("small.mp4", 90_000, seed=2), library.file("large.mp4", 150_000, seed=3)
    for flavor, source in ((SMALL, small), (LARGE, large)):
        first = attach(library, rendition(entry_id, flavor), source)
        assert (first.made, first.sent) == (True, True)
        again = attach(library, rendition(entry_id, flavor), source)
        assert (again.asset_id, again.made, again.sent) == (first.asset_id, False, False)
    found = flavors(library, entry_id)
    assert {flavor: served(library, one.id) for flavor, one in found.items()} == {
        SMALL: digest(library, small),
        LARGE: digest(library, large),
    }


def test_another_file_of_the_same_flavor_is_kept_out_or_replaces(library: Library, entry_id: str) -> None:
    first = attach(library, rendition(entry_id), library.file("a.mp4", 90_000, seed=2))
    other = library.file("b.mov", 80_000, seed=3)
    kept = attach(library, rendition(entry_id, name="b.mov"), other)
    assert (kept.asset_id, kept.sent, "changed at source" in str(kept.note)) == (first.asset_id, False, True)
    replaced = attach(library, rendition(entry_id, name="b.mov"), other, if_exists=IfExists.REPLACE)
    assert (replaced.asset_id, replaced.sent) == (first.asset_id, True)
    assert served(library, flavors(library, entry_id)[SMALL].id) == digest(library, other)


def test_what_kaltura_made_of_the_source_gives_way(library: Library, entry_id: str) -> None:
    """A flavor that Kaltura is still making is not touched; a finished one gets the file."""
    made = library.client.call(
        "flavorAsset",
        "add",
        {"entryId": entry_id, "flavorAsset": {"objectType": "KalturaFlavorAsset", "flavorParamsId": SMALL}},
    )
    source = library.file("small.mp4", 90_000, seed=2)
    with pytest.raises(SidecarError, match="convert when missing") as caught:
        attach(library, rendition(entry_id), source)
    assert caught.value.retry_helps
    library.client.call(
        "flavorAsset",
        "setContent",
        {"id": made["id"], "contentResource": {"objectType": "KalturaStringResource", "content": "converted"}},
    )
    done = attach(library, rendition(entry_id), source)
    assert (done.asset_id, done.sent) == (made["id"], True)
    assert served(library, made["id"]) == digest(library, source)


def test_a_file_that_does_not_fit_its_checksum_makes_nothing(library: Library, entry_id: str) -> None:
    source = library.file("small.mp4", 1000, seed=2)
    with pytest.raises(SourceMismatch):
        attach(library, replace(rendition(entry_id), checksum=f"md5:{'0' * 32}"), source)
    assert flavors(library, entry_id) == {}
    good = hashlib.md5((library.folder / source.name).read_bytes()).hexdigest()
    assert attach(library, replace(rendition(entry_id), checksum=f"md5:{good}"), source).sent


@pytest.mark.parametrize("action", ["add", "setContent", "update", "upload"])
@pytest.mark.parametrize("fault", ["reply_lost", "reset_before"])
def test_broken_calls_leave_nothing_double(library: Library, entry_id: str, action: str, fault: str) -> None:
    source = library.file("small.mp4", 150_000, seed=2)
    library.sandbox.control.fault(fault, action=action)
    done = None
    for _ in range(3):
        with contextlib.suppress(KalturaError, UploadError):
            done = done or attach(library, rendition(entry_id), source)
    assert done is not None
    assert served(library, flavors(library, entry_id)[SMALL].id) == digest(library, source)


def test_racers_attach_one(library: Library, entry_id: str) -> None:
    source = library.file("small.mp4", 1000, seed=2)
    done = library.race(rendition(entry_id), source)
    assert done == [flavors(library, entry_id)[SMALL].id] * 3


def test_an_entry_whose_source_is_being_replaced_gets_its_renditions_later(library: Library, entry_id: str) -> None:
    library.sandbox.control.drive(entry_id, "analysed")
    library.sandbox.control.drive(entry_id, "ready", flavorParamsId=SMALL)
    library.ingest(library.file("clip.mp4", seed=9), if_exists=IfExists.REPLACE)
    with pytest.raises(SidecarError, match="is replacing the source of entry") as caught:
        attach(library, rendition(entry_id), library.file("small.mp4", 1000, seed=2))
    assert caught.value.retry_helps


@pytest.mark.parametrize("name", ["Basic/Small - WEB/MBL (H264/400)", "basic/small - web/mbl (h264/400)", "2", 2])
def test_a_flavor_is_found_by_its_name_or_id(library: Library, entry_id: str, name: Any) -> None:
    assert find_flavor_params(library.client, entry_id, name) == SMALL


def test_the_account_has_other_flavors(library: Library, entry_id: str) -> None:
    with pytest.raises(
        KalturaConfigurationError, match=r"'Tiny' is not a flavor .*: give one of Mobile.* and \d+ more"
    ):
        find_flavor_params(library.client, entry_id, "Tiny")
    with pytest.raises(KalturaConfigurationError, match="is the source"):
        find_flavor_params(library.client, entry_id, "Source")
