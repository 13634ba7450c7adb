"""What version 0.1.0 left in Kaltura, in receipts and in running DAGs is what today's version goes on with.

``data/0.1.0.json`` was written by that version: it ingested ``done.png``, and had created the entry and the token of
``under_way.png``.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from kaltura_provider.feeds.outcome.receipts import read_receipt
from kaltura_provider.feeds.state.known_document import ValidatorStore
from kaltura_provider.feeds.state.stored_version import NewerData, check_version
from kaltura_provider.feeds.state.watermark import WatermarkStore
from kaltura_provider.feeds.tasks.discover import PLAN_VERSION
from kaltura_provider.ingest.item import ItemRef, ItemState
from kaltura_provider.operators.ingest import KalturaIngestOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from tests.integration.operators.conftest import Kaltura, Store

OLD = json.loads((Path(__file__).parent / "data" / "0.1.0.json").read_text())


def content(number: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + hashlib.sha256(b"%d" % number).digest() * 1000


@pytest.fixture
def left(kaltura: Kaltura, s3: Any, tmp_path: Path) -> dict[str, str]:
    """Put into S3 and Kaltura what 0.1.0 had there. Returns the new entry ids by their names."""
    ids = {}
    entries = {entry["id"]: entry for entry in OLD["entries"]}
    for token in OLD["tokens"]:
        entry = entries[token["attachedObjectId"]]
        body = content(("done.png", "under_way.png").index(entry["name"]))
        (tmp_path / entry["name"]).write_bytes(body)
        s3.put_file("media", entry["name"], tmp_path / entry["name"])
        said = {name: entry[name] for name in ("name", "adminTags", "referenceId", "mediaType")}
        entry_id = kaltura.hook.call("media", "add", entry={"objectType": "KalturaMediaEntry", **said})["id"]
        wanted = {"objectType": "KalturaUploadToken", "fileName": token["fileName"], "fileSize": len(body)}
        token_id = kaltura.hook.call("uploadToken", "add", uploadToken=wanted)["id"]
        if token["status"] == 3:
            kaltura.run(KalturaUploadOperator, source=f"s3://media/{entry['name']}", token_id=token_id)
        resource = {"objectType": "KalturaUploadedFileTokenResource", "token": token_id}
        kaltura.hook.call("media", "addContent", entryId=entry_id, resource=resource)
        ids[entry["name"]] = entry_id
    kaltura.sandbox.control.wait_idle()
    return ids


def _tokens(kaltura: Kaltura) -> int:
    """Count the tokens that are not deleted."""
    return sum(token["status"] != 5 for token in kaltura.sandbox.control.tokens())


def test_items_of_0_1_0_are_neither_ingested_again_nor_left_half_done(
    kaltura: Kaltura, left: dict[str, str], short_grace: None
) -> None:
    tokens = _tokens(kaltura)
    refs = kaltura.run(KalturaIngestOperator, source=["s3://media/done.png", "s3://media/under_way.png"])
    kaltura.sandbox.control.wait_idle()
    assert [ref["entry_id"] for ref in refs] == [left["done.png"], left["under_way.png"]]
    assert [ref["state"] for ref in refs] == ["done", "done"]
    assert len(kaltura.sandbox.control.entries()) == 2
    assert _tokens(kaltura) == tokens
    for number, entry_id in enumerate(left.values()):
        held = kaltura.sandbox.control.entry(entry_id)["content"]["sha256"]
        assert held == hashlib.sha256(content(number)).hexdigest()


def test_references_of_a_run_that_was_under_way_during_the_upgrade_are_read() -> None:
    done, under_way = (ItemRef.from_dict(values) for values in OLD["references"])
    assert (done.state, done.entry_status) == (ItemState.DONE, 2)
    assert (under_way.state, under_way.entry_status) == (ItemState.SEND, 0)
    for ref, old in zip((done, under_way), OLD["references"], strict=True):
        assert (ref.item_id, ref.content_id) == (old["asset"], old["content"])
        assert ItemRef.from_dict(ref.to_dict()) == ref


def test_receipts_of_0_1_0_read_like_todays() -> None:
    read = read_receipt(OLD["receipt"])
    assert read["version"] == 2
    assert (read["item_id"], read["content_id"]) == (OLD["receipt"]["asset"], OLD["receipt"]["content"])
    assert (read["status"], read["status_number"]) == ("ready", 2)
    assert not {"asset", "content", "entry_status"} & set(read)
    assert read_receipt(read) == read


@pytest.mark.parametrize("version", [3, "2", None])
def test_receipts_of_a_newer_version_are_refused(version: Any) -> None:
    with pytest.raises(NewerData, match=r"receipt: version .* reads up to version 2; install the newer package"):
        read_receipt({**OLD["receipt"], "version": version})


def test_what_a_feed_remembers_and_plans_is_read_without_a_version_and_refused_with_a_newer_one() -> None:
    store = Store()
    store["s3_new"] = {"id": "a", "run_id": "r", "moment": "2024-03-01T00:00:00+00:00", "settled": [], "unsettled": []}
    store["rss"] = {"address": "https://example.com/feed", "etag": '"1"', "last_modified": ""}
    moment = WatermarkStore(store).read().moment
    assert moment is not None
    assert moment.isoformat() == "2024-03-01T00:00:00+00:00"
    assert ValidatorStore(store).read().etag == '"1"'
    assert check_version({"counts": {}, "dry_run": False}, PLAN_VERSION, "plan") == 1
    for name, read in (("s3_new", WatermarkStore(store).read), ("rss", ValidatorStore(store).read)):
        store[name] = {**store[name], "version": 2}
        with pytest.raises(NewerData, match="version 2 was written by a newer"):
            read()
