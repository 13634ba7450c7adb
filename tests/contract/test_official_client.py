"""Kaltura's own Python client, in an environment of its own, works against the sandbox for every call it has."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import environment

if TYPE_CHECKING:
    from kaltura_sandbox import Sandbox

HERE = Path(__file__).parent
# The client is AGPL: it lives in an environment of its own and is never imported by the project.
PACKAGES = ["KalturaApiClient==23.10.0", "lxml", "requests", "requests-toolbelt"]

EXPECTED_ERRORS = {
    "media.addContent again": "!ENTRY_ALREADY_WITH_CONTENT",
    "thumbAsset.delete default": "!THUMB_ASSET_IS_DEFAULT",
    "thumbAsset.list without entry": "!PROPERTY_VALIDATION_CANNOT_BE_NULL",
    "attachmentAsset.get deleted": "!ATTACHMENT_ASSET_ID_NOT_FOUND",
    "captionAsset.delete default": "!CAPTION_ASSET_IS_DEFAULT",
    "categoryEntry.add again": "!CATEGORY_ENTRY_ALREADY_EXISTS",
    "media.approveReplace": "!ENTRY_ID_NOT_REPLACED",
    "media.get deleted": "!ENTRY_ID_NOT_FOUND",
    "media.list ended": "!INVALID_KS",
}


@pytest.fixture(scope="module")
def client_python() -> Path:
    """Return the interpreter of an environment with the official client, made on first use."""
    return environment("official-client", "KalturaClient", PACKAGES)


@pytest.fixture(scope="module")
def tour(client_python: Path, sandbox: Sandbox, clip: Path, web: str, tmp_path_factory: Any) -> dict[str, Any]:
    """Return what the client got back, by call."""
    arguments = [sandbox.url, str(sandbox.partner_id), sandbox.admin_secret, str(clip), f"{web}/picture.png"]
    work = tmp_path_factory.mktemp("client")
    command = [client_python, HERE / "official_client.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, cwd=work)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_every_call_comes_back_as_expected(tour: dict[str, Any]) -> None:
    errors = {name: value for name, value in tour.items() if isinstance(value, str) and value.startswith("!")}
    assert errors == EXPECTED_ERRORS
    assert len(tour) > 120


def test_what_the_client_read_is_right(tour: dict[str, Any]) -> None:
    assert tour["system.getVersion"] == "Venus-22.19.0"
    assert tour["entry"] == "2"
    assert tour["echo"] == ["Tour é", "one, two", "tour-1", 1, 3]
    assert tour["media.list"] == "KalturaMediaListResponse 1"
    assert tour["baseEntry.getByIds"] == ["KalturaMediaEntry"]
    assert tour["flavorAsset.getUrl"] == "same bytes"
    assert tour["thumbAsset.generate width"] == 64
    assert tour["attachmentAsset.serve"] == "notes"
    assert tour["data.serve"] == "other"
    assert tour["captionAsset.languageCode"] == "fr"
    assert "Bonjour" in tour["captionAsset.serve"]


def test_bulk_upload_and_multirequest_work_through_the_client(tour: dict[str, Any]) -> None:
    assert tour["bulk status"] == 5
    assert tour["bulk.serveLog"] == "Bulk one"
    assert tour["multirequest"] == ["KalturaUploadToken", "KalturaMediaEntry", "KalturaMediaEntry", "0"]


def test_filters_have_the_properties_that_kaltura_generates(client_python: Path) -> None:
    from kaltura_provider.services.entry import filters

    script = """
import inspect, json
from KalturaClient.Plugins import Core, Document
classes = (Core.KalturaBaseEntryFilter, Core.KalturaMediaEntryFilter, Document.KalturaDocumentEntryFilter)
print(json.dumps([sorted(inspect.signature(one.__init__).parameters) for one in classes]))
"""
    shown = subprocess.run([client_python, "-c", script], capture_output=True, text=True, check=True).stdout
    base, media, document = (set(names) - {"self", "orderBy", "excludedFreeTextGroups"} for names in json.loads(shown))
    assert (base, media - base, document - base) == (filters._BASE, filters._MEDIA, filters._DOCUMENT)
