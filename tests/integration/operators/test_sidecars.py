"""Captions, thumbnails, attachments, flavors and delivery."""

from __future__ import annotations

import csv
import hashlib
import json
import struct
import urllib.request
import zlib

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.api.delivery_check import DeliveryError
from kaltura_provider.operators.attachments import KalturaAddAttachmentOperator, KalturaGetAttachmentUrlOperator
from kaltura_provider.operators.captions import (
    KalturaAddCaptionOperator,
    KalturaDeleteCaptionOperator,
    KalturaGetCaptionUrlOperator,
    KalturaListCaptionsOperator,
)
from kaltura_provider.operators.delivery import KalturaCheckDeliveryOperator
from kaltura_provider.operators.flavors import KalturaGetFlavorUrlOperator, KalturaListFlavorsOperator
from kaltura_provider.operators.thumbnails import KalturaAddThumbnailOperator, KalturaListThumbnailsOperator
from kaltura_provider.services.flavor_asset import FlavorNotReadyError

ID = "0_abcdefgh"
SRT = "1\n00:00:00,000 --> 00:00:01,000\nHello\n"


def png(width: int, height: int) -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\x00" + b"\x20\x40\x60" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def served(url: str) -> bytes:
    with urllib.request.urlopen(url) as reply:  # noqa: S310 - the sandbox
        return bytes(reply.read())


def test_a_dag_of_them(deployed, film, clip, tmp_path) -> None:
    (tmp_path / "talk.en.srt").write_text(SRT)
    (tmp_path / "cover.png").write_bytes(png(32, 18))
    account = {"cdn": deployed.sandbox.url, "pid": deployed.sandbox.partner_id}
    ran = deployed.dag("sidecars", entry=film, folder=str(tmp_path), **account)
    found = {caption["language"]: caption for caption in ran["captions"]}
    assert (found["English"]["format"], found["German"]["format"]) == ("srt", "webvtt")
    assert found["English"]["is_default"]
    assert served(ran["caption_url"]["url"]).decode() == SRT
    assert all(ran[task] == {**ran[task], "deleted": True} for task in ("no_german", "no_still", "no_notes"))
    assert len(ran["thumbnails"]) >= 2
    assert (ran["still"]["width"], ran["picture"]["width"]) == (160, 32)
    assert hashlib.sha256(served(ran["thumbnail_url"]["url"])).digest() == hashlib.sha256(png(32, 18)).digest()
    assert [(a["filename"], a["title"], a["format"]) for a in ran["attachments"]] == [("notes.md", "Notes", "markdown")]
    assert ran["attachment"] == ran["notes"]
    assert (ran["caption"]["asset_id"], ran["caption"]["format"]) == (ran["english"]["asset_id"], "srt")
    assert (ran["thumbnail"]["asset_id"], ran["thumbnail"]["width"]) == (ran["picture"]["asset_id"], 32)
    assert ran["flavor"] == next(f for f in ran["flavors"] if f["asset_id"] == ran["best"]["asset_id"])
    assert served(ran["notes_url"]["url"]) == b"", "it was deleted after its URL was taken"
    assert all((flavor["status"], flavor["status_number"]) == ("ready", 2) for flavor in ran["flavors"])
    assert ran["flavors"][0]["is_original"]
    rows = list(csv.DictReader((tmp_path / "flavors.csv").read_text().splitlines()))
    assert len(rows) == ran["table"]["count"] >= len(ran["flavors"])
    assert rows[0]["entry_id"] == film
    assert hashlib.sha256(served(ran["source"]["url"])).digest() == hashlib.sha256(clip.read_bytes()).digest()
    made = [flavor for flavor in ran["flavors"] if not flavor["is_original"]]
    assert ran["best"]["asset_id"] == max(made, key=lambda f: (f["height"], f["bitrate"]))["asset_id"]
    assert ran["hls"]["what"].startswith("HLS")
    assert ran["page"].endswith(f"/playManifest/entryId/{film}/format/applehttp/protocol/http")


def test_running_twice_leaves_one(kaltura, film) -> None:
    for text in (SRT, SRT.replace("Hello", "Bye")):
        made = kaltura.run(KalturaAddCaptionOperator, entry_id=film, text=text, file_name="talk.en.srt")
    (only,) = kaltura.run(KalturaListCaptionsOperator, entry_id=film)
    assert only["asset_id"] == made["asset_id"]
    assert b"Bye" in served(kaltura.run(KalturaGetCaptionUrlOperator, asset_id=made)["url"])
    notes = [
        kaltura.run(KalturaAddAttachmentOperator, entry_id=film, text=text, file_name="n.json") for text in ("[]", "{}")
    ]
    assert notes[0]["asset_id"] == notes[1]["asset_id"]
    assert notes[0]["format"] == "json"
    assert served(kaltura.run(KalturaGetAttachmentUrlOperator, asset_id=notes[0])["url"]) == b"{}"
    before = len(kaltura.run(KalturaListThumbnailsOperator, entry_id=film))
    ids = {kaltura.run(KalturaAddThumbnailOperator, entry_id=film, second=1)["asset_id"] for _ in range(2)}
    assert len(ids) == 1
    assert len(kaltura.run(KalturaListThumbnailsOperator, entry_id=[film])) == before + 1


def test_bad_arguments_are_refused_before_any_call(kaltura) -> None:
    refused, caption, thumb = kaltura.refused, KalturaAddCaptionOperator, KalturaAddThumbnailOperator
    assert "source is missing" in refused(caption, entry_id=ID)
    assert "source and text exclude each other" in refused(caption, entry_id=ID, source="/a.srt", text="x")
    assert "language cannot be read from 'talk.srt'" in refused(caption, entry_id=ID, source="/talk.srt")
    assert "format cannot be read from 'talk.en.txt'" in refused(caption, entry_id=ID, source="/talk.en.txt")
    assert "language 'xx' is unknown" in refused(caption, entry_id=ID, source="/talk.srt", language="xx")
    assert "format 'ass' is unknown" in refused(caption, entry_id=ID, source="/talk.en.ass", format="ass")
    assert "file_name '' is not a file name" in refused(KalturaAddAttachmentOperator, entry_id=ID, text="x")
    assert "second '-1' is not a time" in refused(thumb, entry_id=ID, second="-1")
    assert "second '1.5' is not a time" in refused(thumb, entry_id=ID, second="1.5")
    assert "width '0'" in refused(thumb, entry_id=ID, second=1, width=0)
    assert "second '1' excludes" in refused(thumb, entry_id=ID, second="1", source="/a.png")
    assert "asset_id '' is not an asset id" in refused(KalturaGetAttachmentUrlOperator, asset_id=None)
    assert "statuses 'good'" in refused(KalturaListFlavorsOperator, entry_id=ID, statuses=["good"])
    assert "flavor 'x'" in refused(KalturaGetFlavorUrlOperator, flavor="x")
    check = KalturaCheckDeliveryOperator
    assert "what 'smooth'" in refused(check, entry_id=ID, what="smooth")
    assert "'size' is not an option of thumbnail" in refused(check, entry_id=ID, what="thumbnail", options={"size": 1})
    assert "width '10001'" in refused(check, entry_id=ID, what="thumbnail", options={"width": 10001})
    assert "bgcolor 'red'" in refused(check, entry_id=ID, what="thumbnail", options={"bgcolor": "red"})


def test_a_default_caption_is_not_deleted(kaltura, film) -> None:
    made = kaltura.run(KalturaAddCaptionOperator, entry_id=film, text=SRT, file_name="a.en.srt", default=True)
    with pytest.raises(AirflowFailException, match="is the default caption of its entry"):
        kaltura.run(KalturaDeleteCaptionOperator, asset_id=made)


def test_delivery_says_what_came_back(kaltura, film, clip) -> None:
    run, check = kaltura.run, KalturaCheckDeliveryOperator
    source = run(check, entry_id=film, what="download", options={"flavor_param_ids": [0]}, with_session=True)
    assert source["size"] == clip.stat().st_size
    assert "***" in source["url"]
    assert "djJ8" not in json.dumps(source)
    assert run(check, entry_id=film, what="raw")["size"] == clip.stat().st_size
    assert run(check, entry_id=film, what="dash")["what"].startswith("DASH manifest with")
    with pytest.raises(AirflowFailException, match="the entry does not exist"):
        run(check, entry_id=ID)
    with pytest.raises(DeliveryError, match="no flavor can be played"):
        run(check, entry_id=film, options={"tags": "nothing"})
    empty = kaltura.entry()
    with pytest.raises(DeliveryError):
        run(check, entry_id=empty)
    with pytest.raises(FlavorNotReadyError, match="has no READY flavor"):
        run(KalturaGetFlavorUrlOperator, entry_id=empty)
