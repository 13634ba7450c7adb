"""Flavors, delivery and its macros, and what moderators and librarians do with entries, in DAGs and by themselves."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import threading
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.api.delivery_check import DeliveryError
from kaltura_provider.operators.categories import KalturaCategorizeEntryOperator
from kaltura_provider.operators.delivery import KalturaCheckDeliveryOperator
from kaltura_provider.operators.flavors import KalturaGetFlavorUrlOperator, KalturaListFlavorsOperator
from kaltura_provider.operators.moderation import KalturaModerateEntryOperator
from kaltura_provider.operators.thumbnails import KalturaAddThumbnailOperator

ID = "0_abcdefgh"


def ready_entry(kaltura, name: str) -> str:
    entry_id = kaltura.entry(name)
    kaltura.sandbox.control.set_entry(entry_id, status=2)
    return str(entry_id)


def served(url: str) -> bytes:
    with urllib.request.urlopen(url) as reply:  # noqa: S310 - the sandbox
        return bytes(reply.read())


def test_a_dag_of_flavors_and_delivery(deployed, film, clip, tmp_path) -> None:
    content = clip.read_bytes()
    ran = deployed.dag("delivery", entry=film, table=str(tmp_path / "flavors.csv"))
    assert ran["flavors"]
    assert all({"web", "mbr"} <= set(flavor["tags"].split(",")) for flavor in ran["flavors"])
    rows = list(csv.DictReader((tmp_path / "flavors.csv").read_text().splitlines()))
    assert len(rows) == ran["table"]["count"] > len(ran["flavors"])
    assert {"container_format", "video_codec_id", "frame_rate"} <= rows[0].keys()
    assert float(rows[0]["frame_rate"]) == 25

    kinds = {name: ran[name]["kind"] for name in ("hls", "dash", "file", "source", "raw", "picture")}
    assert kinds == {
        "hls": "hls", "dash": "dash", "file": "file", "source": "file", "raw": "file", "picture": "picture"
    }  # fmt: skip
    assert ran["source"]["size"] == ran["raw"]["size"] == len(content)
    best = served(ran["best"]["url"])
    assert ran["file"]["size"] == len(best)
    check_urls(ran["urls"], content, best)


def check_urls(urls: dict[str, str], content: bytes, best: bytes) -> None:
    """A URL that templates made leads where it should."""
    assert urls["hls"].endswith("/format/applehttp/protocol/http")
    assert served(urls["hls"]).startswith(b"#EXTM3U")
    assert urls["clip"].endswith("/format/url/protocol/http/seekFrom/500/clipTo/1500")
    assert served(urls["thumbnail"]).startswith(b"\xff\xd8")
    digests = {name: hashlib.sha256(served(urls[name])).digest() for name in ("raw", "source", "download", "flavor")}
    assert digests["raw"] == digests["source"] == hashlib.sha256(content).digest()
    assert digests["download"] == digests["flavor"] == hashlib.sha256(best).digest()


def test_a_dag_of_moderation_and_categories(deployed) -> None:
    bad, good = ready_entry(deployed, "Bad"), ready_entry(deployed, "Good")
    for name in ("New", "Courses>Physics"):
        deployed.run(KalturaCategorizeEntryOperator, entry_id=bad, add=name, create_missing=True)
        deployed.run(KalturaCategorizeEntryOperator, entry_id=bad, remove=name)
    ran = deployed.dag("moderation", bad=bad, good=good)
    assert ran["rejected"] == [bad]
    assert ran["flagged"] == ran["again"] == [good]
    assert ran["new"] == {"added": 4, "removed": 0}
    assert ran["sorted_out"] == {"added": 0, "removed": 2}
    assert ran["removed"] == {"added": 0, "removed": 1}
    entries = {entry_id: deployed.hook.call("baseEntry", "get", entryId=entry_id) for entry_id in (bad, good)}
    assert (entries[bad]["moderationStatus"], entries[bad].get("categories") or "") == (3, "")
    assert (entries[good]["moderationStatus"], entries[good]["categories"]) == (2, "Courses>Physics")
    assert entries[good]["moderationCount"] == 1, "it was flagged twice"


def test_missing_categories_are_not_made_when_a_template_says_no(kaltura) -> None:
    categorize = partial(kaltura.run, KalturaCategorizeEntryOperator, entry_id=kaltura.entry())
    with pytest.raises(AirflowFailException, match="add 'News' does not exist"):
        categorize(add="News", create_missing="False")
    assert categorize(add="News", create_missing="True")["added"] == 1
    news = kaltura.hook.call("category", "list", filter={"fullNameEqual": "News"})["objects"][0]["id"]
    with pytest.raises(AirflowFailException, match="add 'News' is in remove too"):
        categorize(add="News", remove=[news])


def test_bad_arguments_are_refused_before_any_call(kaltura) -> None:
    refused, listed, check = kaltura.refused, KalturaListFlavorsOperator, KalturaCheckDeliveryOperator
    for bad in (None, "None", "", "0/x", [ID, None], f"{ID},x", {}, {"entry_id": "x", "state": "done"}):
        assert "is not an entry id" in refused(listed, entry_id=bad)
    assert "statuses 'good'" in refused(listed, entry_id=ID, statuses="ready, good")
    assert "create_missing 'maybe'" in refused(
        KalturaCategorizeEntryOperator, entry_id=ID, add="News", create_missing="maybe"
    )
    assert "entry_id 'None'" in refused(KalturaModerateEntryOperator, entry_id=[ID, "None"], decision="approve")
    assert "entry_id 'None'" in refused(check, entry_id="None")
    assert "options 'width' is not a mapping" in refused(check, entry_id=ID, options="width")
    assert "width 'wide'" in refused(check, entry_id=ID, what="thumbnail", options={"width": "wide"})
    assert "type 'zoom'" in refused(check, entry_id=ID, what="thumbnail", options={"type": "zoom"})
    assert "vid_slices 600" in refused(check, entry_id=ID, what="thumbnail", options={"vid_slices": "600"})
    for second in ("inf", "nan", "1e400"):
        assert f"second '{second}' is not a time" in refused(KalturaAddThumbnailOperator, entry_id=ID, second=second)
    assert "clip_to 1" in refused(check, entry_id=ID, options={"seek_from": 5, "clip_to": "1"})


def test_flavors_of_several_entries(kaltura, film) -> None:
    run = partial(kaltura.run, KalturaListFlavorsOperator)
    empty = kaltura.entry()
    alone = run(entry_id=film)
    assert run(entry_id=f"{film}, {empty}") == run(entry_id=(film, empty)) == [alone, []]
    failed: dict[str, Any] = {"uri": "s3://b/k", "state": "failed", "entry_id": None}
    with_ref = run(entry_id=[failed, {"uri": "s3://b/l", "state": "done", "entry_id": film}])
    assert [ref["flavors"] for ref in with_ref] == [[], alone]
    assert run(entry_id=[]) == []
    web = run(entry_id=film, tags="web, mbr")
    assert web == [flavor for flavor in alone if {"web", "mbr"} <= set(flavor["tags"].split(","))] != alone
    assert run(entry_id=film, tags=["web", "no such tag"]) == []


class Busy(BaseHTTPRequestHandler):
    """A CDN host that answers everything alike."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"error": "busy"}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def busy_cdn(kaltura) -> Iterator[str]:
    """A connection to the sandbox whose CDN host sends neither manifests nor pictures."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    connection = json.loads(os.environ["AIRFLOW_CONN_KALTURA_DEFAULT"])
    connection["extra"]["cdn_host"] = f"http://127.0.0.1:{server.server_address[1]}"
    kaltura.monkeypatch.setenv("AIRFLOW_CONN_BUSY_CDN", json.dumps(connection))
    yield "busy_cdn"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("what", "expected"), [("thumbnail", "a picture"), ("hls", "an HLS manifest"), ("dash", "a DASH manifest")]
)
def test_something_else_in_place_of_what_was_asked_for(kaltura, busy_cdn, what: str, expected: str) -> None:
    check = partial(kaltura.run, KalturaCheckDeliveryOperator, kaltura_conn_id=busy_cdn, entry_id=ID)
    said = (
        rf"{expected} was expected, but the server sent: file \(application/json, 17 bytes, beginning with '{{\"error"
    )
    with pytest.raises(DeliveryError, match=said):
        check(what=what)
    assert check(what="url")["content_type"] == "application/json"


def test_the_url_of_a_flavor_by_its_id(kaltura, film) -> None:
    flavors = kaltura.run(KalturaListFlavorsOperator, entry_id=film)
    found = kaltura.run(KalturaGetFlavorUrlOperator, asset_id=flavors[0]["asset_id"], file_name="film.mp4")
    assert found["asset_id"] == flavors[0]["asset_id"]
    assert len(served(found["url"])) == flavors[0]["size_in_bytes"]
