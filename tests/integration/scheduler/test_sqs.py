"""A feed that runs when objects arrive: SIGKILL of the triggerer between a message and its event loses nothing."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.integration.scheduler.live import Live, Run, picture

KEY = "arrivals/é +1.png"
LATE = "arrivals/late.png"


class Queue:
    """An SQS server with one queue. It can do something when it hands out messages, before they reach the receiver."""

    def __init__(self) -> None:
        app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, functools.partial(self._answer, app), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        address = f"http://127.0.0.1:{self._server.server_port}"
        self.client = boto3.client(
            "sqs", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.url = self.client.create_queue(QueueName="arrivals")["QueueUrl"]
        self.on_receive: Any = None
        self.handed_out = threading.Event()

    def _answer(self, app: Any, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        answer = b"".join(app(environ, start_response))
        if environ.get("HTTP_X_AMZ_TARGET", "").endswith(".ReceiveMessage") and b'"ReceiptHandle"' in answer:
            if self.on_receive is not None:
                self.on_receive()
                self.on_receive = None
            self.handed_out.set()
        return [answer]

    def send(self, body: Any) -> str:
        text = body if isinstance(body, str) else json.dumps(body)
        return str(self.client.send_message(QueueUrl=self.url, MessageBody=text)["MessageId"])

    def counts(self) -> tuple[int, int]:
        """Return the number of messages that wait, and of those that were handed out and not deleted."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


_QUEUE: list[Queue] = []


@pytest.fixture(scope="module", autouse=True)
def queue() -> Iterator[Queue]:
    _QUEUE.append(Queue())
    yield _QUEUE[0]
    _QUEUE.pop().stop()


def feeds(bucket: str, site: str) -> list[dict[str, Any]]:
    common = {"start_date": "2024-03-01", "retries": 0, "metadata": {"name": "{{ asset.name }}"}}
    prefix = f"s3://{bucket}/arrivals/"
    source = {"type": "sqs", "queue": _QUEUE[0].url, "uri": prefix, "visibility_timeout": "PT4S"}
    listed = {"type": "s3_new", "uri": prefix, "stable_for": "PT0S"}
    return [
        {**common, "name": "arrivals", "source": source},
        {**common, "name": "reconcile", "schedule": None, "source": listed},
    ]


def created(bucket: str, key: str) -> dict[str, Any]:
    found = {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/"), "size": 1, "eTag": "x"}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": found}]}


def runs(live: Live) -> list[Run]:
    found = live.airflow.get("dags/kaltura_feed_arrivals/dagRuns")["dag_runs"]
    return [Run(live, "kaltura_feed_arrivals", str(one["dag_run_id"])) for one in found]


@pytest.mark.timeout(600)
def test_a_triggerer_that_is_killed_with_a_message_in_hand_loses_nothing(live: Live, queue: Queue) -> None:
    content, late = picture(3000, 1), picture(4000, 2)
    live.put(KEY, content)
    triggerer = live.airflow.processes.recorded()["triggerer"]
    queue.on_receive = lambda: os.killpg(triggerer, signal.SIGKILL)
    queue.send(created("media", KEY))
    queue.send({"Type": "Notification", "Message": json.dumps(created("media", KEY))})
    assert queue.handed_out.wait(180), "no message was received"
    assert sum(queue.counts()) == 2  # the triggerer died with a message; it is still in the queue
    assert runs(live) == []
    live.airflow.start_part("triggerer")

    live.wait("a run", 240, lambda: runs(live), queue.counts)
    live.wait("an empty queue", 180, lambda: sum(queue.counts()) == 0, queue.counts)
    for run in runs(live):
        assert run.ended(180).state == "success", run.states()
    expected = {"é +1.png": [hashlib.sha256(content).hexdigest()]}
    assert live.held() == expected

    # What is not an event stays in the queue and is named in the log; an event that was lost is found by a listing.
    poison = queue.send("hello")
    live.put(LATE, late)
    log = live.airflow.home / "run" / "triggerer.log"
    live.wait("the rejection", 180, lambda: f"Message {poison}" in log.read_text(errors="replace"), queue.counts)
    listed = live.start("kaltura_feed_reconcile").ended(180)
    assert listed.state == "success", listed.states()
    assert live.held() == expected | {"late.png": [hashlib.sha256(late).hexdigest()]}
    assert sum(queue.counts()) == 1
