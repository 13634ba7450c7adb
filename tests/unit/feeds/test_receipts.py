from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from kaltura_provider.feeds.outcome.receipts import receipt, receipt_path, write_receipt, write_receipts, write_run
from kaltura_provider.hooks.destination import LocalFolder, S3Prefix
from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState, SourceItem
from kaltura_provider.upload.result import UploadResult


def ref(**values: Any) -> ItemRef:
    item = SourceItem(uri="s3://b/clip.mp4", size=10, validator="e")
    return ItemRef.of(item, values.pop("state", ItemState.DONE), **values)


UPLOAD = UploadResult("0_t", 10, "yZRlqg==", None, None, 14, 2, 3, 0.5, 3)


def test_a_receipt_says_all_that_is_known(tmp_path: Path) -> None:
    done = ref(entry_id="0_e", token_id="0_t", entry_status=2, made=True)
    values = receipt(
        done, feed="daily", date="2024-03-01", upload=UPLOAD, flavors=["Source"], attempts=2, seconds=1.23456
    )
    place = write_receipt(LocalFolder(tmp_path), values)
    assert place == str(tmp_path / "daily" / "2024-03-01" / f"{done.item_id}.json")
    read = json.loads(Path(place).read_text())
    assert read == {
        "version": 2, "formula": "kai2", "feed": "daily", "date": "2024-03-01", "uri": "s3://b/clip.mp4",
        "name": "clip.mp4", "kind": "video", "item_id": done.item_id, "content_id": done.content_id, "bytes": 10,
        "crc32c": "yZRlqg==", "bytes_sent": 14, "resumed_from": 2, "upload_seconds": 0.5, "state": "done",
        "found": False, "token_id": "0_t", "entry_id": "0_e", "status": "ready", "status_number": 2,
        "flavors": ["Source"], "attempts": 2,
        "seconds": 1.235,
    }  # fmt: skip


def test_a_failed_asset_has_a_receipt_too() -> None:
    values = receipt(ref(state=ItemState.FAILED, error=ItemError("busy", "wait", True)), feed="f", date="d")
    assert values["error"] == {"kind": "busy", "message": "wait", "retry_helps": True, "code": None}
    assert values["found"] is False


def test_a_receipt_is_rewritten_whole(tmp_path: Path) -> None:
    sink = LocalFolder(tmp_path)
    for note in ("a much longer first version", "b"):
        place = write_receipt(sink, receipt(ref(note=note), feed="f", date="d"))
    assert json.loads(Path(place).read_text())["note"] == "b"
    assert [path.name for path in (tmp_path / "f" / "d").iterdir()] == [Path(place).name]


def test_a_failed_write_leaves_the_old_receipt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = LocalFolder(tmp_path)
    place = Path(write_receipt(sink, receipt(ref(note="old"), feed="f", date="d")))

    def full(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        write_receipt(sink, receipt(ref(note="new"), feed="f", date="d"))
    assert json.loads(place.read_text())["note"] == "old"
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_run_has_one_line_an_asset(tmp_path: Path) -> None:
    values = [receipt(ref(note=str(n)), feed="f", date="d") for n in range(3)]
    place = write_run(LocalFolder(tmp_path), "f", "d", "scheduled__2024-03-02T00:00:00+00:00", values)
    assert Path(place).name == "scheduled__2024-03-02T00-00-00-00-00.jsonl"
    ((_, content),) = LocalFolder(tmp_path).read("f/runs/d/")
    assert [json.loads(line) for line in content.splitlines()] == values
    assert list(LocalFolder(tmp_path).read("f/runs/another/")) == []


def test_a_run_names_items_that_left_nothing_behind(tmp_path: Path) -> None:
    account = cast("Any", None)  # no entry, no links
    lost = [{"uri": "https://a/b.mp4?secret=1", "step": "ingest", "reason": "killed", "retry_helps": True}]
    window = ("2024-03-01T00:00:00+00:00", "2024-03-02T00:00:00+00:00")
    write_receipts(
        LocalFolder(tmp_path), [], account, feed="f", date="2024-03-01", run_id="r", window=window, lost=lost
    )
    ((_, content),) = LocalFolder(tmp_path).read("f/runs/2024-03-01/")
    line = json.loads(content)
    assert (line["state"], line["window_start"], line["error"]["message"]) == ("failed", window[0], "killed")
    assert "secret=1" not in line["uri"]


@pytest.mark.parametrize("feed", ["", "..", "../..", "///"])
def test_a_path_never_leaves_its_root(feed: str) -> None:
    with pytest.raises(ValueError, match="cannot be part of a receipt's path"):
        receipt_path(feed, "2024-03-01", "a" * 32)
    assert receipt_path("../etc", "2024-03-01", "a").split("/") == ["etc", "2024-03-01", "a.json"]


def test_s3_gets_whole_objects() -> None:
    class Client:
        def __init__(self) -> None:
            self.objects: dict[tuple[str, str], bytes] = {}

        def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803 - the names of boto3
            assert ContentType == "application/json"
            self.objects[Bucket, Key] = Body

    client = Client()
    place = write_receipt(S3Prefix(client, "bucket", "/receipts/"), receipt(ref(), feed="f", date="d"))
    [(key, body)] = client.objects.items()
    assert place == f"s3://{key[0]}/{key[1]}"
    assert key == ("bucket", f"receipts/f/d/{ref().item_id}.json")
    assert json.loads(body)["uri"] == "s3://b/clip.mp4"
