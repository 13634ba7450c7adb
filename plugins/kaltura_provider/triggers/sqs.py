"""Watches an SQS queue for event notifications of S3, for feeds that run when objects arrive.

A message is deleted only after Airflow has stored the event that was made of it. If the triggerer is killed before
that, the message becomes visible again, and is received once more. A message can therefore arrive twice, which changes
nothing: an object that is in Kaltura already needs no task.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent
from airflow.triggers.shared_stream import SharedStreamProducer, reject_shared_stream_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable, Sequence

    from airflow.triggers.shared_stream import AdvanceItem

__all__ = ["S3EventsTrigger", "SqsProducer"]

log = logging.getLogger(__name__)

_MESSAGES = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class S3EventsTrigger(BaseEventTrigger):
    """Yield an event for each message about objects that were created below a prefix.

    All triggers of one queue share one reader. Airflow stores the arguments in plain text; they hold no secret.

    :param queue: the URL of the queue.
    :param uri: ``s3://bucket/prefix``; objects elsewhere are ignored.
    :param aws_conn_id: the Airflow connection.
    :param visibility_timeout: seconds after which SQS hands out a message again that was not deleted.

    The payload of an event is ``{"message_id": ..., "objects": [{"bucket", "key", "size", "etag"}]}``. A message that
    is not an event notification of S3 is rejected: it is logged and stays in the queue, so that the queue's redrive
    policy moves it to its dead-letter queue.
    """

    def __init__(
        self, *, queue: str, uri: str, aws_conn_id: str | None = "aws_default", visibility_timeout: int = 600
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own signature
        self.queue = queue
        self.uri = uri
        self.aws_conn_id = aws_conn_id
        self.visibility_timeout = visibility_timeout

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow stores."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "queue": self.queue,
                "uri": self.uri,
                "aws_conn_id": self.aws_conn_id,
                "visibility_timeout": self.visibility_timeout,
            },
        )

    def shared_stream_key(self) -> Hashable:
        """Return what triggers have in common that share one reader."""
        return ("sqs", self.aws_conn_id, self.queue, self.visibility_timeout)

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> SqsProducer:
        """Return the reader of the queue."""
        return SqsProducer(kwargs["queue"], kwargs["aws_conn_id"], kwargs["visibility_timeout"])

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each message with objects below the prefix."""
        from kaltura_provider.api.redaction import printable
        from kaltura_provider.hooks.s3_events import created_objects

        async for message in shared_stream:
            try:
                objects = created_objects(message["body"])
            except ValueError as error:
                log.error("Message %s of %s %s", message["id"], printable(self.queue), error)
                reject_shared_stream_event()
                continue
            ours = [found.to_dict() for found in objects if found.uri.startswith(self.uri)]
            if ours:
                payload = {"message_id": message["id"], "objects": ours}
                yield TriggerEvent(payload)  # type: ignore[no-untyped-call]  # Airflow's own signature

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Refuse to run without the shared reader, which alone knows when a message may be deleted."""
        raise NotImplementedError("S3EventsTrigger needs Airflow's shared streams (3.3)")
        yield


class SqsProducer(SharedStreamProducer):
    """Receives the messages of a queue, and deletes those that Airflow has stored."""

    def __init__(self, queue: str, aws_conn_id: str | None, visibility_timeout: int) -> None:
        self._queue = queue
        self._aws_conn_id = aws_conn_id
        self._visibility_timeout = visibility_timeout
        self._client: Any = None
        self._pause = 0.0

    async def open_stream(self) -> AsyncIterator[tuple[Any, Any]]:
        """Yield messages without end. A queue that cannot be read is logged, and tried again later."""
        while True:
            for message in await self._received():
                event = {"id": message["MessageId"], "body": message.get("Body", "")}
                yield event, {"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]}
            if self._pause:
                await asyncio.sleep(self._pause)

    def get_advance_lane(self, broker_payload: Any) -> Hashable:
        """Return a lane for each message: none waits for another."""
        return str(broker_payload["Id"])

    async def advance(self, batch: Sequence[AdvanceItem]) -> None:
        """Delete the messages that every trigger has dealt with. SQS hands out all others again."""
        done = [item.broker_payload for item in batch if item.outcome.is_clean]
        for start in range(0, len(done), _MESSAGES):
            entries = [
                {"Id": str(number), "ReceiptHandle": payload["ReceiptHandle"]}
                for number, payload in enumerate(done[start : start + _MESSAGES])
            ]
            await self._delete(entries)

    async def _received(self) -> list[Any]:
        from kaltura_provider.api.redaction import printable
        from kaltura_provider.hooks.sqs import WAIT_SECONDS

        try:
            client = await self._connected()
            answer = await asyncio.to_thread(
                client.receive_message,
                QueueUrl=self._queue,
                MaxNumberOfMessages=_MESSAGES,
                WaitTimeSeconds=min(WAIT_SECONDS, self._visibility_timeout),
                VisibilityTimeout=self._visibility_timeout,
            )
        except Exception as error:
            self._client = None
            self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            log.error(
                "Queue %s cannot be read; trying again in %.0f s: %s",
                printable(self._queue), self._pause, printable(str(error)),
            )  # fmt: skip
            return []
        self._pause = 0.0
        return list(answer.get("Messages", ()))

    async def _delete(self, entries: list[dict[str, str]]) -> None:
        from kaltura_provider.api.redaction import printable

        try:
            client = await self._connected()
            answer = await asyncio.to_thread(client.delete_message_batch, QueueUrl=self._queue, Entries=entries)
            failed = [str(one.get("Message") or one.get("Code")) for one in answer.get("Failed", ())]
        except Exception as error:
            failed = [str(error)]
        for reason in failed:
            # Raising would end the reader. The message comes once more, and is deleted then.
            log.warning("A message stays in queue %s: %s", printable(self._queue), printable(reason))

    async def _connected(self) -> Any:
        from asgiref.sync import sync_to_async

        from kaltura_provider.hooks.sqs import sqs_client

        if self._client is None:
            self._client = await sync_to_async(sqs_client)(self._aws_conn_id, self._queue)
        return self._client
