"""Feeds of every type of source under a real scheduler: twice, with tasks that are killed, and beside a large run."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from kaltura_provider.feeds.feed_plan import plan_feed
from kaltura_provider.feeds.schema import Feed
from tests.integration.scheduler.live import BUCKET, Live, Run, kill, picture
from tests.integration.scheduler.rules import NAMES, flavors_and_files, rule_feeds, store_all

# Starting Airflow on a busy machine takes minutes.
pytestmark = pytest.mark.timeout(600)

DAY = "{{ data_interval_start | ds }}"
SLOW = {"bandwidth": 100_000}
SLOWER = {"bandwidth": 40_000}
LENGTH = 1_200_000  # 12 s at that speed
CROWD = 8
# Without an end, Airflow would start a run of yesterday by itself.
PREFIX = {"name": "prefix", "schedule": "@daily", "end_date": "2024-12-31"}


def feeds(bucket: str, site: str) -> list[dict[str, Any]]:
    common = {"start_date": "2024-03-01", "schedule": None, "retries": 0, "metadata": {"name": "{{ asset.name }}"}}
    folder = f"s3://{bucket}"
    return [
        {**common, **PREFIX, "retries": 3, "source": {"type": "s3_prefix", "uri": f"{folder}/daily/{DAY}/"}},
        {
            **common,
            "name": "web",
            "retries": 3,
            "source": {"type": "urls", "urls": [f"{site}/{DAY}.png", f"{folder}/web/{DAY}.png"]},
        },
        {
            **common,
            "name": "inbox",
            "source": {"type": "s3_new", "uri": f"{folder}/inbox/", "stable_for": "PT0.2S"},
            "upload": SLOW,
        },
        {**common, "name": "rows", "source": {"type": "manifest", "uri": f"{folder}/lists/{DAY}.csv"}, "upload": SLOW},
        {
            **common,
            "name": "crowd",
            "source": {"type": "s3_prefix", "uri": f"{folder}/crowd/"},
            "batch_size": 1,
            "upload": SLOWER,
        },
        *rule_feeds(bucket, site),
    ]


def put_all(live: Live) -> dict[str, list[str]]:
    """Store what the feeds bring in; return the expected content by the names of the entries."""
    contents = {name: picture(LENGTH, number) for number, name in enumerate(("n1.png", "n2.png", "r1.png", "r2.png"))}
    contents |= {name: picture(2000, 10 + number) for number, name in enumerate(("p1.png", "p2.png", "w2.png"))}
    for name in ("n1.png", "n2.png"):
        live.put(f"inbox/{name}", contents[name])
    rows = [live.put(f"rows/{name}", contents[name]) for name in ("r1.png", "r2.png")]
    live.put("lists/2024-03-01.csv", "".join(f"{row}\n" for row in ["url", *rows]).encode())
    for name in ("p1.png", "p2.png"):
        live.put(f"daily/2024-03-01/{name}", contents[name])
    (live.folder / "site" / "2024-03-01.png").write_bytes(contents["w2.png"])
    on_s3 = picture(3000, 20)
    live.put("web/2024-03-01.png", on_s3)
    digests = {name: [hashlib.sha256(content).hexdigest()] for name, content in contents.items()}
    return digests | {"2024-03-01.png": [*digests.pop("w2.png"), hashlib.sha256(on_s3).hexdigest()]}


def start(live: Live, name: str, again: str = "none") -> Run:
    if name == "prefix":
        return live.backfill("kaltura_feed_prefix", "2024-03-01", again)
    date = {} if name == "inbox" else {"date": "2024-03-01"}
    return live.start(f"kaltura_feed_{name}", **date)


def unfinished(live: Live) -> int:
    """Return the number of uploads under way: their tokens are there, and their content is not."""
    return sum(token["status"] in (0, 1) for token in live.control.tokens())


def kill_while_sending(live: Live, runs: list[Run]) -> None:
    """SIGKILL the process that sends the bytes of each run, once there are uploads under way."""
    left = list(runs)

    def kill_those_that_send() -> bool:
        for run in list(left):
            tasks = run.running("batch.ingest")
            if tasks and unfinished(live):
                kill(tasks[0]["pid"])
                left.remove(run)
        return not left

    live.wait("feeds that send", 120, kill_those_that_send, live.control.tokens)


def to_bring(live: Live, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Return what a backfill of the day would bring in: items and bytes."""
    live.use_connections(monkeypatch)
    (feed,) = [feed for feed in feeds("media", live.site) if feed["name"] == "prefix"]
    plan = plan_feed(Feed.model_validate(feed), dt.date(2024, 3, 1))
    return plan.to_bring, plan.bytes


def test_every_type_of_source_comes_once_whatever_is_killed(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = put_all(live)
    assert to_bring(live, monkeypatch) == (2, 4000)
    first = {name: start(live, name) for name in ("inbox", "rows", "prefix", "web")}
    slow = [first["inbox"], first["rows"]]
    kill_while_sending(live, slow)
    states = {name: run.ended().state for name, run in first.items()}
    expected_states = {"inbox": "failed", "rows": "failed", "prefix": "success", "web": "success"}
    assert states == expected_states, {name: (run.states(), run.failures()) for name, run in first.items()}

    for run in slow:
        run.clear("batch.ingest")
    assert {name: run.ended().state for name, run in first.items()} == dict.fromkeys(first, "success")
    assert {name: sorted(found) for name, found in live.held().items()} == {n: sorted(d) for n, d in expected.items()}

    third = {name: start(live, name, "completed") for name in first}
    assert {name: run.ended().state for name, run in third.items()} == dict.fromkeys(third, "success")
    summaries = {name: run.xcom("summary") for name, run in third.items()}
    assert {name: said["new"] for name, said in summaries.items()} == dict.fromkeys(third, 0)
    assert {name: sorted(found) for name, found in live.held().items()} == {n: sorted(d) for n, d in expected.items()}
    assert to_bring(live, monkeypatch) == (0, 0)
    # What is there needs no task: two instances and the group that has nothing to map.
    done = [ti for ti in third["prefix"].instances() if ti["state"] == "success"]
    assert len(done) == 2


def test_a_large_run_starves_nobody(live: Live) -> None:
    for number in range(CROWD):
        live.put(f"crowd/c{number}.png", picture(LENGTH, 100 + number))
    live.put("daily/2024-03-02/p3.png", picture(2000, 30))
    crowd = live.start("kaltura_feed_crowd")
    try:
        live.wait("the large run", 120, lambda: len(crowd.running("batch.ingest")) >= 4, crowd.states)
        others = [live.start("kaltura_feed_prefix", date="2024-03-02"), live.start("kaltura_housekeeping")]
        for run in others:
            live.wait(f"the start of {run.dag_id}", 60, lambda run=run: any(run.started()), run.states)
        sending = crowd.running("batch.ingest")
        assert sending, "the large run had ended before"
        assert len(sending) < 6 == live.airflow.get("pools/kaltura")["slots"]
        assert {ti["pool"] for ti in crowd.instances()} == {"kaltura"}
        for run in others:
            assert run.ended().state == "success"
    finally:
        live.airflow.send("PATCH", f"dags/kaltura_feed_crowd/dagRuns/{crowd.run_id}", {"state": "failed"})


def test_every_other_source_and_every_rule_for_files(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    address = urlsplit(live.site)
    webhook = {"connection_id": "webhook", "conn_type": "http", "host": address.hostname, "port": address.port}
    live.airflow.send("POST", "connections", webhook)
    live.use_connections(monkeypatch)
    expected = store_all(live)
    runs = {name: live.start(f"kaltura_feed_{name}") for name in NAMES}
    watch = live.start("kaltura_housekeeping")
    states = {name: run.ended(400).state for name, run in runs.items()}
    failures = {name: run.failures() for name, run in runs.items()}
    assert states == {**dict.fromkeys(NAMES, "success"), "drop": "failed", "strict": "failed"}, failures
    _check_drop(live, runs["drop"])
    reasons = {item["uri"].rsplit("/", 1)[-1]: item["reason"] for item in runs["strict"].xcom("summary")["failed"]}
    assert sorted(reasons) == ["cut.mp4", "page.mov"]
    assert "cannot become media" in reasons["cut.mp4"]
    assert "cannot become media" in reasons["page.mov"]
    # A rendition comes as the flavor that it is, a sidecar file as what it is, each once.
    beside = {
        "Episode": (["2"], ["caption_captionAsset"]),
        "Opening": ([], ["caption_captionAsset"]),
        "A talk": (["2"], ["attachment_attachmentAsset", "caption_captionAsset", "thumbAsset"]),
        **{name: ([], []) for name in ("a1.png", "a2.png", "good")},
    }
    assert _of(expected, live.held()) == expected
    assert _of(expected, flavors_and_files(live)) == beside

    # The same again brings nothing, and what has failed too often is set aside. A feed is removed meanwhile.
    assert watch.ended().state == "success", watch.states()
    assert watch.xcom("feeds") == []
    (live.folder / "feeds" / "short_lived.yaml").unlink()
    again = {name: live.start(f"kaltura_feed_{name}") for name in NAMES}
    watch = live.start("kaltura_housekeeping")
    states = {name: run.ended(400).state for name, run in again.items()}
    assert states == {**dict.fromkeys(NAMES, "success"), "strict": "failed"}
    (aside,) = again["drop"].xcom("summary")["set_aside"]
    assert aside["uri"].endswith("drop/hollow.mp4")
    assert "set aside (failures: 1)" in aside["reason"]
    assert _of(expected, live.held()) == expected
    assert _of(expected, flavors_and_files(live)) == beside
    assert watch.ended().state == "success", watch.states()
    assert watch.xcom("feeds") == ["short_lived"]


def _check_drop(live: Live, run: Run) -> None:
    """Check the objects of the drop folder after its first run, and what its webhook was told."""
    summary = run.xcom("summary")
    assert summary["plan"] == {"new": 2, "waiting": 1}
    assert [item["uri"] for item in summary["failed"]] == [f"s3://{BUCKET}/drop/hollow.mp4"]
    talk = ["talk.en.srt", "talk.json", "talk.mp4", "talk.pdf", "talk.png", "talk_2.mp4"]
    assert live.keys("done/") == talk
    assert live.keys("drop/") == ["hollow.mp4", "hollow.srt", "patient.mp4"]
    tags = live.s3.get_object_tagging(Bucket=BUCKET, Key="drop/hollow.mp4")["TagSet"]
    assert {"Key": "kaltura", "Value": "failed"} in tags
    live.wait("two messages", 120, lambda: len(live.posted) >= 2, lambda: live.posted)
    told = sorted(json.loads(text)["text"] for text in live.posted)
    (failed,) = [text for text in told if "drop/hollow.mp4: " in text]
    assert "1 new, 1 waiting, 1 failed" in failed
    (late,) = [text for text in told if "late: it was due at" in text]
    assert late.startswith(f"kaltura_feed_drop {run.run_id}: ")


def _of(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    return {name: found.get(name) for name in expected}
