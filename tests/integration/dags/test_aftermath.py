"""What stays after a run: receipts, an event for other DAGs, and what housekeeping finds of runs that broke off."""

from __future__ import annotations

import json
import runpy
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from google_crc32c import Checksum

from kaltura_provider.hooks.kaltura import KalturaHook
from kaltura_provider.ingest.item import SourceItem
from kaltura_provider.ingest.preparation import prepare

AFTER = datetime(2024, 3, 2, tzinfo=UTC)
DAGS = Path(__file__).parents[3] / "dags"


def test_every_asset_gets_a_receipt_and_the_run_a_file_of_them(deployment, clips, tmp_path: Path) -> None:
    good = deployment.put("2024-03-01/clip-1.mp4", clips["clip-1.mp4"])
    bad = deployment.put("2024-03-01/empty.mp4", b"")
    prefix = good.removesuffix("2024-03-01/clip-1.mp4")
    dag = deployment.feed(
        name="kept",
        start_date="2024-03-01",
        source={"uri": prefix + "{{ data_interval_start | ds }}/"},
        batch_size=5,
        receipts=str(tmp_path / "receipts"),
        retries=0,
    )
    ran = deployment.run(dag, AFTER)
    (file,) = (tmp_path / "receipts" / "kept" / "2024-03-01").iterdir()
    receipt = json.loads(file.read_text())
    (row,) = ran.summary["assets"]
    assert receipt["uri"] == good
    assert receipt["entry_id"] == row["entry_id"]
    assert (receipt["bytes"], receipt["bytes_sent"]) == (len(clips["clip-1.mp4"]),) * 2
    assert receipt["crc32c"] == b64encode(Checksum(clips["clip-1.mp4"]).digest()).decode()
    assert receipt["found"] is False
    assert receipt["urls"]["playback"] == row["playback_url"]
    lines = [json.loads(line) for line in Path(ran.summary["receipts"]).read_text().splitlines()]
    assert {line["uri"]: line["state"] for line in lines} == {good: "done", bad: "failed"}
    assert "it is empty" in next(line for line in lines if line["uri"] == bad)["error"]["message"]


def test_receipts_go_to_s3_too(deployment, clips) -> None:
    good = deployment.put("2024-03-01/clip-1.mp4", clips["clip-1.mp4"])
    prefix = good.removesuffix("2024-03-01/clip-1.mp4")
    dag = deployment.feed(
        name="kept",
        start_date="2024-03-01",
        source={"uri": prefix + "{{ data_interval_start | ds }}/"},
        receipts="s3://media/receipts",
    )
    ran = deployment.run(dag, AFTER)
    assert ran.summary["receipts"].startswith("s3://media/receipts/kept/runs/")
    assert deployment.s3.client.size("media", ran.summary["receipts"].removeprefix("s3://media/")) > 100


def test_housekeeping_shows_what_broke_off_and_deletes_only_when_told(deployment, monkeypatch) -> None:
    # Sessions made here must outlast the days that only the server's clock is put forward.
    deployment.connect(extra={"session_lifetime": 30 * 86400})
    client = KalturaHook().get_conn()
    (ours,) = prepare(client, [SourceItem(uri="s3://media/abandoned.mp4", size=1000, validator="x")])
    other = client.call("uploadToken", "add", {"uploadToken": {"fileName": "not-ours.mp4"}})
    deployment.sandbox.control.advance_clock(3 * 86400)
    dag = runpy.run_path(str(DAGS / "kaltura_housekeeping.py"))["dag"]

    with monkeypatch.context() as some:
        some.setattr("kaltura_provider.operators.housekeeping._MAX_NAMED", 1)
        assert len(deployment.run(dag).xcom("leftovers")) == 1
    shown = deployment.run(dag)
    found = shown.xcom("leftovers")
    assert shown.xcom("leftovers", "counts") == {"found": 2, "deleted": 0}
    assert {item["token_id"] for item in found if item["kind"] == "token"} == {ours.token_id}
    assert {item["entry_id"] for item in found if item["kind"] == "entry"} == {ours.entry_id}
    assert [entry["id"] for entry in deployment.sandbox.control.entries()] == [ours.entry_id]

    deleted = deployment.run(dag, delete=True)
    assert all(item["deleted"] for item in deleted.xcom("leftovers"))
    assert deleted.xcom("leftovers", "counts") == {"found": 2, "deleted": 2}
    assert deployment.sandbox.control.entries() == []
    assert client.call("uploadToken", "get", {"uploadTokenId": other["id"]})["id"] == other["id"]
