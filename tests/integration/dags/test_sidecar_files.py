"""Feeds whose items are made of several files: what comes to Kaltura, and that it comes once."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow.sdk import DAG

AFTER = datetime(2024, 3, 2, tzinfo=UTC)
SRT = b"1\n00:00:00,000 --> 00:00:01,000\nHello\n"
SERVICES = {
    "captions": "caption_captionAsset",
    "attachments": "attachment_attachmentAsset",
    "thumbnails": "thumbAsset",
}


def png() -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 64, 36, 8, 2, 0, 0, 0)
    rows = b"".join(b"\x00" + b"\x20\x40\x60" * 64 for _ in range(36))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def feed(deployment, **fields: Any) -> DAG:
    source = {"uri": f"s3://media/{deployment.folder.name}/", **fields.pop("source", {})}
    said = {"name": "sidecars", "start_date": "2024-03-01", "retries": 0, "source": source}
    return deployment.feed(**{**said, **fields})


def assets(deployment, entry_id: str) -> dict[str, list[dict[str, Any]]]:
    """The sidecar assets of an entry that this package made, by kind."""
    from kaltura_provider.hooks.kaltura import KalturaHook

    client = KalturaHook().get_conn()
    return {
        kind: [
            asset
            for asset in client.call(service, "list", {"filter": {"entryIdEqual": entry_id}})["objects"]
            if "kai1:a:" in str(asset.get("partnerDescription"))
        ]
        for kind, service in SERVICES.items()
    }


def delete(deployment, name: str) -> None:
    from kaltura_provider.hooks.sources import s3_client

    s3_client("aws_default").delete_object(Bucket="media", Key=f"{deployment.folder.name}/{name}")


def the_entry(deployment) -> dict[str, Any]:
    (entry,) = deployment.sandbox.control.entries()
    return dict(deployment.sandbox.control.entry(entry["id"]))


def test_one_entry_has_all_files_of_its_name_once_and_a_done_run_asks_for_none(deployment, clips) -> None:
    deployment.put("talk.mp4", clips["clip-1.mp4"])
    metadata = {"title": "A talk of {{ ds }}", "tags": ["alpha", "beta"], "views": 3}
    deployment.put("talk.json", json.dumps(metadata).encode())
    deployment.put("talk.en.srt", SRT)
    deployment.put("talk.png", png())
    deployment.put("talk.pdf", b"%PDF-1.4 slides")

    ran = deployment.run(feed(deployment), AFTER)
    assert ran.state == "success", ran.states
    entry = the_entry(deployment)
    assert (entry["name"], entry["tags"]) == ("A talk of {{ ds }}", "alpha, beta")
    assert entry["content"]["sha256"] == hashlib.sha256(clips["clip-1.mp4"]).hexdigest()
    found = assets(deployment, entry["id"])
    (caption,), (attachment,), (thumbnail,) = found["captions"], found["attachments"], found["thumbnails"]
    assert (caption["language"], caption["label"], int(caption["isDefault"])) == ("English", "English", 1)
    assert attachment["filename"] == "talk.pdf"
    assert "default_thumb" in thumbnail["tags"]

    before = len(deployment.sandbox.control.log(5000))
    again = deployment.run(feed(deployment), AFTER)
    assert again.summary["plan"] == {"already there": 1}
    assert len(deployment.sandbox.control.log(5000)) - before <= 4
    assert assets(deployment, entry["id"]) == found

    # A file that arrives later comes to the entry that is there.
    deployment.put("talk.de.srt", SRT)
    late = deployment.run(feed(deployment), AFTER)
    assert late.summary["plan"] == {"new sidecar files": 1}
    assert late.state == "success", late.states
    languages = sorted(one["language"] for one in assets(deployment, entry["id"])["captions"])
    assert languages == ["English", "German"]
    assert the_entry(deployment)["content"] == entry["content"]
    assert deployment.run(feed(deployment), AFTER).summary["plan"] == {"already there": 1}


def test_the_trigger_form_takes_the_files_beside_a_source_if_asked(deployment, clips) -> None:
    uri = deployment.put("talk.mp4", clips["clip-1.mp4"])
    deployment.put("talk.en.srt", SRT)
    deployment.put("talk.png", png())
    deployment.put("talk.pdf", b"%PDF-1.4 slides")
    deployment.put("talker.srt", SRT)  # of another name
    plain = deployment.run(deployment.form(), sources=[uri])
    assert plain.state == "success", plain.states
    assert assets(deployment, the_entry(deployment)["id"]) == {"captions": [], "attachments": [], "thumbnails": []}

    ran = deployment.run(deployment.form(), sources=[uri], sidecars=True)
    assert ran.state == "success", ran.states
    assert ran.summary["plan"] == {"new sidecar files": 1}
    found = assets(deployment, the_entry(deployment)["id"])
    assert {kind: len(files) for kind, files in found.items()} == {"captions": 1, "attachments": 1, "thumbnails": 1}


def test_the_trigger_form_takes_sidecar_files_of_a_folder(deployment, clips) -> None:
    uri = deployment.put("day/talk.mp4", clips["clip-1.mp4"])
    deployment.put("day/talk.json", json.dumps({"title": "A talk"}).encode())
    deployment.put("day/talk.en.srt", SRT)
    folder = uri.rpartition("/")[0] + "/"
    ran = deployment.run(deployment.form(), sources=[folder], recursive=True, sidecars=True)
    assert ran.state == "success", ran.states
    entry = the_entry(deployment)
    assert entry["name"] == "A talk"
    assert [one["language"] for one in assets(deployment, entry["id"])["captions"]] == ["English"]


def test_a_file_that_cannot_be_used_is_named_and_the_media_goes_in(deployment, clips) -> None:
    deployment.put("talk.mp4", clips["clip-1.mp4"])
    deployment.put("talk.xx.srt", SRT)
    ran = deployment.run(feed(deployment), AFTER)
    assert ran.state == "failed"
    assert "'xx' in the name of the caption file is not a language" in ran.reason
    assert the_entry(deployment)["content"]["sha256"] == hashlib.sha256(clips["clip-1.mp4"]).hexdigest()


def test_metadata_that_is_wrong_or_late_or_has_changed(deployment, clips) -> None:
    deployment.put("talk.mp4", clips["clip-1.mp4"])
    deployment.put("talk.json", b'{"startDate": "soon"}')
    ran = deployment.run(feed(deployment), AFTER)
    assert ran.state == "failed"
    assert "talk.json: start_date 'soon' is not a date" in ran.reason
    assert deployment.sandbox.control.entries() == []

    delete(deployment, "talk.json")
    assert deployment.run(feed(deployment), AFTER).state == "success"
    assert the_entry(deployment)["name"] == "talk"

    for text, on_change, state, name, decision in (
        ("First", "keep", "success", "First", "new metadata"),
        ("Second", "fail", "failed", "First", "new metadata"),
        ("Second", "update", "success", "Second", "new metadata"),
    ):
        deployment.put("talk.json", json.dumps({"title": text}).encode())
        ran = deployment.run(feed(deployment, on_metadata_change=on_change), AFTER)
        assert (ran.state, ran.summary["plan"]) == (state, {decision: 1}), (text, on_change)
        assert the_entry(deployment)["name"] == name


def test_group_by_none_takes_each_file_alone(deployment, clips) -> None:
    deployment.put("talk.mp4", clips["clip-1.mp4"])
    deployment.put("talk.png", png())
    ran = deployment.run(feed(deployment, source={"group_by": "none"}), AFTER)
    assert ran.state == "success", ran.states
    assert [entry["name"] for entry in deployment.sandbox.control.entries()] == ["talk", "talk"]


def test_a_sidecar_file_makes_an_item_of_s3_new_new(deployment, clips) -> None:
    source = {"type": "s3_new", "stable_for": "PT0S"}
    deployment.put("talk.mp4", clips["clip-1.mp4"])
    dag = feed(deployment, source=source)
    first = deployment.run(dag)
    assert first.summary["plan"] == {"new": 1}, first.states
    assert deployment.run(dag).summary["plan"] == {"ignored": 1}
    deployment.put("talk.en.srt", SRT)
    assert deployment.run(dag).summary["plan"] == {"new sidecar files": 1}
    assert len(assets(deployment, the_entry(deployment)["id"])["captions"]) == 1


def test_an_item_of_a_drop_folder_waits_for_its_caption(deployment, clips) -> None:
    source = {
        "type": "s3_new",
        "stable_for": "PT0S",
        "wait_for": ["source", "*.srt"],
        "match": "/^(?P<referenceId>ref-[0-9]+)/",
    }
    deployment.put("ref-1.mp4", clips["clip-1.mp4"])
    deployment.put("other.mp4", clips["clip-2.mp4"])
    dag = feed(deployment, source=source)
    assert deployment.run(dag).summary["plan"] == {"waiting": 1, "ignored": 1}
    assert deployment.sandbox.control.entries() == []
    deployment.put("ref-1.en.srt", SRT)
    ran = deployment.run(dag)
    assert (ran.state, ran.summary["failed"]) == ("success", []), ran.states
    assert ran.summary["plan"] == {"new": 1, "ignored": 1}
    entry = the_entry(deployment)
    assert entry["referenceId"] == "ref-1"
    assert len(assets(deployment, entry["id"])["captions"]) == 1


def below(deployment, prefix: str = "") -> list[str]:
    from kaltura_provider.hooks.listing import list_s3

    start = f"{deployment.folder.name}/"
    return [item.key.removeprefix(start) for item in list_s3("media", f"{start}{prefix}")]


def test_objects_are_moved_once_kaltura_holds_them_and_failed_ones_apart(deployment, clips) -> None:
    home = f"s3://media/{deployment.folder.name}"
    source = {
        "uri": f"{home}/in/",
        "on_success": "move",
        "move_to": f"{home}/done/{{{{ data_interval_start | ds }}}}/",
        "on_failure": "move",
        "move_failed_to": f"{home}/bad/",
    }
    deployment.put("in/a/talk.mp4", clips["clip-1.mp4"])
    deployment.put("in/a/talk.en.srt", SRT)
    deployment.put("in/a/talk.json", b'{"title": "Talk"}')
    deployment.put("in/empty.mp4", b"")
    ran = deployment.run(feed(deployment, source=source), AFTER)
    assert (ran.state, ran.summary["new"]) == ("failed", 1), ran.states
    moved = [f"done/2024-03-01/a/talk.{end}" for end in ("en.srt", "json", "mp4")]
    assert below(deployment) == ["bad/empty.mp4", *moved]
    assert the_entry(deployment)["content"]["sha256"] == hashlib.sha256(clips["clip-1.mp4"]).hexdigest()


def test_objects_stay_where_kaltura_does_not_hold_exactly_them(deployment, clips) -> None:
    home = f"s3://media/{deployment.folder.name}/in/"
    deployment.put("in/talk.mp4", clips["clip-1.mp4"])
    assert deployment.run(feed(deployment, source={"uri": home}), AFTER).state == "success"
    deployment.put("in/talk.mp4", clips["clip-2.mp4"])
    source = {"uri": home, "on_success": "delete"}
    assert deployment.run(feed(deployment, source=source), AFTER).summary["plan"] == {"changed: skip": 1}
    assert below(deployment) == ["in/talk.mp4"]
    deployment.put("in/talk.mp4", clips["clip-1.mp4"])
    tagged = deployment.run(feed(deployment, source={"uri": home, "on_success": "tag"}), AFTER)
    assert tagged.summary["plan"] == {"already there": 1}
    assert tags(deployment, "in/talk.mp4") == {"kaltura": "ingested", "kaltura-entry": the_entry(deployment)["id"]}
    assert deployment.run(feed(deployment, source=source), AFTER).summary["plan"] == {"already there": 1}
    assert below(deployment) == []


def test_a_sidecar_file_that_changes_before_its_item_is_deleted_is_not_lost(
    deployment, clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kaltura_provider.feeds.outcome import aftercare

    corrected = SRT.replace(b"Hello", b"Hello everybody")

    def late(*args: Any) -> Any:
        deployment.put("in/talk.en.srt", corrected)
        deployment.put("in/talk.json", b'{"title": "Corrected"}')
        return care_for(*args)

    care_for = aftercare.care_for
    deployment.put("in/talk.mp4", clips["clip-1.mp4"])
    deployment.put("in/talk.en.srt", SRT)
    deployment.put("in/talk.json", b'{"title": "Talk"}')
    files = ["in/talk.en.srt", "in/talk.json", "in/talk.mp4"]
    source = {"uri": f"s3://media/{deployment.folder.name}/in/", "on_success": "delete"}
    dag = feed(deployment, source=source, receipts=str(deployment.folder / "receipts"))
    with monkeypatch.context() as patch:
        patch.setattr(aftercare, "care_for", late)
        ran = deployment.run(dag, AFTER)
    assert ran.state == "failed"
    assert "talk.en.srt has changed since it was ingested" in ran.reason
    receipt = json.loads(Path(ran.summary["receipts"]).read_text())
    assert (receipt["state"], receipt["note"], "error" in receipt) == ("done", ran.reason, False)
    assert below(deployment) == files
    # Kaltura keeps the caption that it has, so the other one is nowhere else.
    for _ in range(2):
        assert deployment.run(dag, AFTER).summary["plan"] == {"new sidecar files": 1}
        assert below(deployment) == files
    assert deployment.run(feed(deployment, source=source, if_exists="replace"), AFTER).state == "success"
    # So is the title.
    assert below(deployment) == files
    assert deployment.run(feed(deployment, source=source, on_metadata_change="update"), AFTER).state == "success"
    assert below(deployment) == []
    assert the_entry(deployment)["name"] == "Corrected"
    [caption] = assets(deployment, the_entry(deployment)["id"])["captions"]
    assert int(caption["sizeInBytes"]) == len(corrected)


def tags(deployment, name: str) -> dict[str, str]:
    from kaltura_provider.hooks.sources import s3_client

    where = {"Bucket": "media", "Key": f"{deployment.folder.name}/{name}"}
    found = s3_client("aws_default").get_object_tagging(**where)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_an_item_that_keeps_failing_is_set_aside_until_it_is_brought_back(
    deployment, clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kaltura_provider.feeds.files.load import load_feed
    from kaltura_provider.feeds.tasks.set_aside import redrive

    monkeypatch.setattr("kaltura_provider.hooks.xcom_parts.LARGEST", 100)
    source = {"type": "s3_new", "stable_for": "PT0S"}
    deployment.put("good.mp4", clips["clip-1.mp4"])
    deployment.put("bad.mp4", b"")
    dag = feed(deployment, source=source, max_failures=1)
    ran = deployment.run(dag)
    assert (ran.state, ran.summary["new"]) == ("failed", 1)
    ran = deployment.run(dag)
    assert ran.summary["plan"] == {"waiting": 1, "ignored": 1}
    (aside,) = ran.summary["set_aside"]
    assert "set aside (failures: 1), the last time because:" in aside["reason"]

    described = load_feed(deployment.folder / "feeds" / "feed.yaml")
    assert redrive(described, "other.mp4") == []
    assert redrive(described, "bad.mp4") == [aside["uri"]]
    assert deployment.run(dag).summary["plan"] == {"new": 1, "ignored": 1}
    # So does new content.
    deployment.put("bad.mp4", clips["clip-2.mp4"])
    ran = deployment.run(dag)
    assert (ran.state, ran.summary["new"]) == ("success", 1)
    assert "set_aside" not in ran.summary
