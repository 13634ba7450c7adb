"""Each mistake ends in one clear error, at once where no retry helps, and the next run, put right, simply works."""

from __future__ import annotations

import hashlib
import socket

import pytest


def assert_one_good_entry(deployment, clip: bytes) -> None:
    assert list(deployment.held().values()) == [hashlib.sha256(clip).hexdigest()]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("s3://nowhere/clip.mp4", ["s3://nowhere/clip.mp4", "bucket"]),
        ("s3://media/not/there.mp4", ["s3://media/not/there.mp4", "does not exist"]),
        ("https://127.0.0.1/clip.mp4", ["127.0.0.1", "KALTURA_ALLOWED_HOSTS"]),
    ],
)
def test_a_source_that_cannot_be_read_is_named(deployment, source: str, words: list[str]) -> None:
    ran = deployment.run(deployment.form(), sources=[source])
    assert ran.state == "failed"
    assert ran.tries["batch.ingest[0]"] == 1
    for word in words:
        assert word.lower() in ran.reason.lower()
    assert deployment.held() == {}
    assert deployment.sandbox.control.tokens() == []


@pytest.mark.parametrize("source", ["s3://media", "file:///not/there.mp4", "/etc/hosts", "clip.mp4"])
def test_what_is_no_source_here_ends_the_run_at_once(deployment, source: str) -> None:
    ran = deployment.run(deployment.form(), sources=[source])
    assert (ran.states["discover[-1]"], ran.tries["discover[-1]"]) == ("failed", 1)
    assert deployment.held() == {}
    # The summary, which people look at first, says why there was nothing to ingest.
    told, repeated = (ran.xcom(task_id, "kaltura_failure")["reason"] for task_id in ("discover", "summary"))
    assert repeated.endswith(told)
    assert deployment.sandbox.control.tokens() == []


def test_an_empty_file_makes_nothing_and_the_filled_one_goes_in(deployment, clips) -> None:
    uri = deployment.put("form/empty.mp4", b"")
    ran = deployment.run(deployment.form(), sources=[uri])
    assert "it is empty (0 bytes)" in ran.reason
    assert deployment.held() == {}
    deployment.put("form/empty.mp4", clips["clip-1.mp4"])
    assert deployment.run(deployment.form(), sources=[uri]).state == "success"
    assert_one_good_entry(deployment, clips["clip-1.mp4"])


def test_a_file_of_an_unknown_kind_says_what_to_set(deployment) -> None:
    ran = deployment.run(deployment.form(), sources=[deployment.put("form/file.xyz", b"what is it")])
    assert "media_type" in ran.reason
    assert deployment.held() == {}


def test_a_file_that_is_no_media_fails_with_kalturas_reason(deployment) -> None:
    # It looks like a film to whoever reads its first bytes only.
    content = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"nothing to see " * 5000
    ran = deployment.run(deployment.form(), sources=[deployment.put("form/fake.mp4", content)])
    assert ran.state == "failed"
    assert ran.tries["batch.ready[0]"] == 1
    assert "ERROR_CONVERTING" in ran.reason


def test_a_wrong_secret_is_said_at_once_and_the_next_run_works(deployment, clips) -> None:
    uri = deployment.put("form/clip.mp4", clips["clip-1.mp4"])
    deployment.connect(password="wrong")
    ran = deployment.run(deployment.form(), sources=[uri])
    assert ran.state == "failed"
    assert ran.tries["batch.ingest[0]"] == 1
    (failed,) = ran.summary["failed"]
    assert (failed["step"], failed["retry_helps"]) == ("ingest", False)
    assert "secret does not belong to partner" in failed["reason"]
    deployment.connect()
    assert deployment.run(deployment.form(), sources=[uri]).state == "success"
    assert_one_good_entry(deployment, clips["clip-1.mp4"])


def test_a_wrong_connection_is_said_in_the_summary_for_each_asset(deployment, clips) -> None:
    uris = [deployment.put(f"form/{name}", clips[name]) for name in ("clip-1.mp4", "clip-2.mp4")]
    deployment.connect(login="me")
    ran = deployment.run(deployment.form(), sources=uris)
    assert ran.state == "failed"
    assert [
        (item["step"], "login (partner id) is not a number" in item["reason"]) for item in ran.summary["failed"]
    ] == [("ingest", True)] * 2


def test_the_connection_test_says_who_we_are_or_what_is_wrong(deployment) -> None:
    from kaltura_provider.hooks.kaltura import KalturaHook

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}"
    cases = [
        ({}, True, ["102", "ADMIN"]),
        ({"password": "wrong"}, False, ["secret"]),
        ({"login": "999"}, False, ["999"]),
        ({"host": closed}, False, [closed]),
        ({"host": deployment.s3.url}, False, [deployment.s3.url]),
        ({"login": "me"}, False, ["partner id", "2 characters, not shown"]),
    ]
    for fields, good, words in cases:
        deployment.connect(**fields)
        ok, message = KalturaHook().test_connection()
        assert ok is good, message
        for word in words:
            assert word in message, message
        assert "\n" not in message
        assert "sandbox-admin" not in message


def test_an_unknown_bucket_of_a_feed_is_named_and_the_run_fails(deployment) -> None:
    dag = deployment.feed(name="lost", start_date="2024-03-01", source={"uri": "s3://no-such-bucket/x/"}, retries=2)
    ran = deployment.run(dag)
    assert ran.state == "failed"
    assert ran.tries["discover[-1]"] == 1
    assert ran.states["summary[-1]"] == "failed"


def test_a_folder_for_receipts_that_is_not_allowed_fails_before_anything_is_transferred(deployment, clips) -> None:
    uri = deployment.put("in/clip.mp4", clips["clip-1.mp4"])
    source = {"uri": uri.removesuffix("clip.mp4")}
    dag = deployment.feed(name="strict", start_date="2024-03-01", source=source, receipts="/srv/{{ ds }}", retries=2)
    ran = deployment.run(dag)
    assert ran.state == "failed"
    assert ran.tries["discover[-1]"] == 1
    reason = ran.xcom("discover", "kaltura_failure")["reason"]
    assert reason.startswith("receipts '/srv/20"), reason
    assert "KALTURA_ALLOWED_PATHS" in reason
    assert deployment.held() == {}


def test_a_category_that_would_become_others_is_refused(deployment, clips) -> None:
    uri = deployment.put("form/clip.mp4", clips["clip-1.mp4"])
    ran = deployment.run(deployment.form(), sources=[uri], categories=["Arts, Crafts>Pottery"])
    assert ran.state == "failed"
    assert ran.tries["discover[-1]"] == 1
    assert "'Arts, Crafts>Pottery' has a comma" in ran.xcom("discover", "kaltura_failure")["reason"]
    assert deployment.held() == {}
