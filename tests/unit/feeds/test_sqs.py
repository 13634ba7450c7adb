"""Event notifications of S3 in all their wrappings, and what a feed makes of them."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaltura_provider.feeds.files.load import FeedError, load_feed
from kaltura_provider.feeds.sources import Search, rendered_source
from kaltura_provider.hooks import listing
from kaltura_provider.hooks.listing import S3Object
from kaltura_provider.hooks.s3_events import CreatedObject, created_objects
from kaltura_provider.hooks.sqs import queue_region

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/arrivals"
KEY = "inbox/é +1 & 2.mp4"
ENCODED = "inbox/%C3%A9+%2B1+%26+2.mp4"


def record(key: str = ENCODED, name: str = "ObjectCreated:Put", source: str = "aws:s3") -> dict[str, Any]:
    found = {"key": key, "size": 12, "eTag": "abc"}
    return {"eventSource": source, "eventName": name, "s3": {"bucket": {"name": "media"}, "object": found}}


DIRECT = json.dumps({"Records": [record()]})
BRIDGE = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "media"}, "object": {"key": KEY, "size": 12, "etag": "abc"}},
}


@pytest.mark.parametrize(
    "body",
    [
        DIRECT,
        json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:x", "Message": DIRECT}),
        json.dumps(BRIDGE),
        json.dumps({"Records": [record(name="s3:ObjectCreated:CompleteMultipartUpload", source="minio:s3")]}),
    ],
    ids=("direct", "sns", "event-bridge", "minio"),
)
def test_every_way_an_event_comes(body: str) -> None:
    assert created_objects(body) == [CreatedObject("media", KEY, 12, "abc")]


@pytest.mark.parametrize(
    "body",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "media"},
        {"Records": [record(name="ObjectRemoved:Delete")]},
        BRIDGE | {"detail-type": "Object Deleted"},
        {"Records": []},
    ],
    ids=("test", "removed", "deleted", "empty"),
)
def test_other_events_name_nothing(body: dict[str, Any]) -> None:
    assert created_objects(json.dumps(body)) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("hello", "the message is not a JSON object: hello"),
        ("[]", "the message is not a JSON object"),
        ('{"a": 1}', "it has a, and neither Records nor detail-type"),
        ('{"Records": [1]}', "a record has no fields"),
        ('{"Records": [{"eventSource": "aws:sqs"}]}', "a record has eventSource"),
        ('{"Type": "Notification", "Message": "x"}', "the message in the SNS notification is not a JSON object"),
        (json.dumps({"Records": [record() | {"s3": None}]}), "it names no bucket and key"),
        (json.dumps(BRIDGE | {"source": "aws.ec2"}), "its source is aws.ec2"),
        ("[" * 100_000, "is not a JSON object"),
    ],
    ids=range(9),
)
def test_a_poison_message_says_what_it_is(body: str, problem: str) -> None:
    with pytest.raises(ValueError, match="is not an event of S3") as caught:
        created_objects(body)
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Records", "s3", "bucket", "object", "key", "name", "detail", "detail-type", "Message", "Type"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(JSON.map(json.dumps) | st.text(max_size=50))
@settings(max_examples=150, deadline=timedelta(seconds=5))
def test_any_message_is_read_or_rejected(body: str) -> None:
    try:
        objects = created_objects(body)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017
    else:
        assert all(one.bucket and one.key for one in objects)


def event(*keys: str, bucket: str = "media") -> dict[str, Any]:
    return {"message_id": "1", "objects": [CreatedObject(bucket, key, 9).to_dict() for key in keys]}


def test_a_run_takes_what_its_events_name_once_and_as_it_is_by_now(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ["inbox/a.mp4", "inbox/b.mov", "inbox/b.en.srt", "inbox/a.old.mp4", "inbox/c.mp4"]
    listed = []

    def list_s3(bucket: str, prefix: str, **_: Any) -> list[S3Object]:
        listed.append(prefix)
        return [S3Object(bucket, key, 5, f"etag of {key}") for key in there if key.startswith(prefix)]

    monkeypatch.setattr(listing, "list_s3", list_s3)
    fields = {"type": "sqs", "queue": QUEUE, "uri": "s3://media/inbox/"}
    events = [
        event("inbox/b.en.srt", "inbox/a.mp4"),  # b.mov came long before its caption
        event("inbox/a.mp4", "inbox/gone.mp4", "other/c.mp4"),
        event("inbox/a.mp4", bucket="secret"),
    ]
    found = rendered_source(fields).find(Search(events=events))
    assert listed == ["inbox/a.", "inbox/b.", "inbox/gone."]
    assert [(item.uri, item.size, item.etag) for item in found.items] == [
        ("s3://media/inbox/a.mp4", 5, "etag of inbox/a.mp4"),
        ("s3://media/inbox/b.mov", 5, "etag of inbox/b.mov"),
    ]
    assert [file["uri"] for file in found.items[1].sidecars] == ["s3://media/inbox/b.en.srt"]
    assert dict(found.left_out) == {
        "no longer there": ["s3://media/inbox/gone.mp4"],
        "not below the prefix": ["s3://media/other/c.mp4", "s3://secret/inbox/a.mp4"],
    }
    assert rendered_source(fields).find(Search()).items == []


def test_a_rendition_that_arrives_later_belongs_to_the_source_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ["inbox/a.mp4", "inbox/a_HD.mp4", "inbox/b.mp4"]
    listed = []

    def list_s3(bucket: str, prefix: str, **_: Any) -> list[S3Object]:
        listed.append(prefix)
        return [S3Object(bucket, key, 5, f"etag of {key}") for key in there if key.startswith(prefix)]

    monkeypatch.setattr(listing, "list_s3", list_s3)
    match = r"/^(?P<referenceId>[^_.]+)(_(?P<flavorName>[^.]+))?[.]\w{3,}$/"
    fields = {"type": "sqs", "queue": QUEUE, "uri": "s3://media/inbox/", "match": match}
    found = rendered_source(fields).find(Search(events=[event("inbox/a_HD.mp4")]))
    assert listed == ["inbox/"]
    (item,) = found.items
    assert item.uri == "s3://media/inbox/a.mp4"
    assert [(file["uri"], file["flavor"]) for file in item.sidecars] == [("s3://media/inbox/a_HD.mp4", "HD")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("schedule: '@daily'", "begins a run when messages arrive"),
        ("source: {type: sqs, queue: arrivals, uri: s3://media/}", "is not the URL of a queue"),
        ("source: {type: sqs, queue: 'https://h/q', uri: media}", "is not an S3 prefix"),
        ("source: {type: sqs, queue: 'https://h/q', uri: 's3://m/{{ ds }}/'}", "cannot be a template"),
        (
            "source: {type: sqs, queue: 'https://h/q', uri: 's3://m/', visibility_timeout: P2D}",
            "between PT1S and PT12H",
        ),
    ],
    ids=("schedule", "queue", "uri", "template", "timeout"),
)
def test_a_feed_that_cannot_work_says_why(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "feed.yaml"
    source = "" if line.startswith("source") else f"source: {{type: sqs, queue: '{QUEUE}', uri: 's3://media/'}}\n"
    path.write_text(f"name: a\nstart_date: 2024-03-01\n{source}{line}\n")
    with pytest.raises(FeedError, match=problem):
        load_feed(path)


def test_the_region_is_that_of_the_queue() -> None:
    assert queue_region(QUEUE) == "eu-west-1"
    assert queue_region("https://eu-west-1.queue.amazonaws.com/1/q") == "eu-west-1"
    assert queue_region("http://localhost:9324/000000000000/q") is None


def test_a_queue_that_cannot_be_read_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from kaltura_provider.hooks import sqs
    from kaltura_provider.triggers import sqs as trigger

    class Client:
        asked = 0

        def receive_message(self, **_: Any) -> dict[str, Any]:
            self.asked += 1
            if self.asked < 3:
                raise ConnectionError("no such host")
            return {"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": "b"}]}

    client = Client()
    monkeypatch.setattr(sqs, "sqs_client", lambda *_: client)
    monkeypatch.setattr(trigger, "_FIRST_PAUSE", 0.01)

    async def first() -> Any:
        async for message in trigger.SqsProducer(QUEUE, None, 30).open_stream():
            return message

    assert asyncio.run(asyncio.wait_for(first(), 10)) == (
        {"id": "m", "body": "b"}, {"Id": "m", "ReceiptHandle": "r"}
    )  # fmt: skip
    assert client.asked == 3
