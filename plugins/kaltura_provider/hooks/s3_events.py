"""Event notifications of S3 in messages of a queue: sent by S3 itself, through SNS, or by EventBridge."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from kaltura_provider.api.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CreatedObject", "created_objects"]

_LONGEST = 1024 * 1024
_MOST_RECORDS = 1000
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class CreatedObject:
    """An object that was created, as far as its event says. ``size`` is in bytes."""

    bucket: str
    key: str
    size: int | None = None
    etag: str = ""

    @property
    def uri(self) -> str:
        """The S3 URI of the object."""
        return f"s3://{self.bucket}/{self.key}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def created_objects(body: str) -> list[CreatedObject]:
    """Return the objects that a message says were created; none for events of other kinds, and for S3's test event.

    :raises ValueError: it is not an event notification of S3; says why.
    """
    if len(body) > _LONGEST:
        raise ValueError(f"has {len(body):,} characters; an event notification has at most {_LONGEST:,}")
    message = _mapping(body, "the message")
    if message.get("Type") == "Notification" and "Message" in message:
        message = _mapping(message["Message"], "the message in the SNS notification")
    if "detail-type" in message:
        return _of_event_bridge(message)
    if message.get("Event") == "s3:TestEvent":
        return []
    records = message.get("Records")
    if not isinstance(records, list):
        raise ValueError(f"is not an event of S3: it has {_names(message)}, and neither Records nor detail-type")
    if len(records) > _MOST_RECORDS:
        raise ValueError(f"has {len(records):,} records; at most {_MOST_RECORDS:,} are read")
    return [found for record in records if (found := _of_record(record)) is not None]


def _mapping(text: Any, what: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"is not an event of S3: {what} is not a JSON object: {printable(str(text), _SHOWN)}")
    return found


def _of_record(record: Any) -> CreatedObject | None:
    """Return the object of a record; S3 encodes keys as forms do."""
    if not isinstance(record, dict) or not str(record.get("eventSource") or "").endswith("s3"):
        raise ValueError(f"is not an event of S3: a record has {_names(record)}")
    # AWS writes ObjectCreated:Put, compatible stores s3:ObjectCreated:Put.
    if not str(record.get("eventName") or "").removeprefix("s3:").startswith("ObjectCreated:"):
        return None
    return _object(record.get("s3"), "eTag", encoded=True)


def _of_event_bridge(message: Mapping[str, Any]) -> list[CreatedObject]:
    """Return the object of an event of EventBridge, which has keys as they are."""
    if message.get("source") != "aws.s3":
        raise ValueError(f"is not an event of S3: its source is {printable(str(message.get('source')), _SHOWN)}")
    if message["detail-type"] != "Object Created":
        return []
    return [_object(message.get("detail"), "etag", encoded=False)]


def _object(said: Any, etag: str, *, encoded: bool) -> CreatedObject:
    try:
        bucket, found = said["bucket"]["name"], said["object"]
        key, size = found["key"], found.get("size")
    except (KeyError, TypeError, AttributeError):
        raise ValueError("is not an event of S3: it names no bucket and key") from None
    if not (isinstance(bucket, str) and bucket and isinstance(key, str) and key):
        raise ValueError("is not an event of S3: its bucket and key are not texts")
    if "/" in bucket:
        raise ValueError(f"is not an event of S3: {printable(bucket, _SHOWN)!r} is not the name of a bucket")
    known = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
    return CreatedObject(bucket, unquote_plus(key) if encoded else key, known, str(found.get(etag) or "").strip('"'))


def _names(value: Any) -> str:
    names = ", ".join(sorted(map(str, value))[:5]) if isinstance(value, dict) and value else "no fields"
    return printable(names, _SHOWN)
