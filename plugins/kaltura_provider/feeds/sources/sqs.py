"""``sqs``: objects whose event notifications arrive in an SQS queue."""

from __future__ import annotations

import datetime as dt
import posixpath
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import field_validator

from kaltura_provider.feeds.fields.types import about, lasting
from kaltura_provider.feeds.sources.drop_folder import has_renditions
from kaltura_provider.feeds.sources.s3_fields import S3Fields
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from kaltura_provider.feeds.sources.found import Found, Search
    from kaltura_provider.hooks.listing import S3Object

__all__ = ["ELSEWHERE", "GONE", "Sqs"]

GONE = "no longer there"
ELSEWHERE = "not below the prefix"

_LISTED_AT_ONCE = 8


class Sqs(S3Fields):
    """Objects that S3 reports to an SQS queue, as soon as they arrive."""

    type: Annotated[Literal["sqs"], about("`sqs`")]
    queue: Annotated[
        str,
        about("The URL of the queue, which receives the events of a bucket from S3, through SNS, or from EventBridge"),
    ]
    uri: Annotated[str, about("`s3://bucket/prefix/`: only objects below it are taken")]
    visibility_timeout: Annotated[
        dt.timedelta,
        lasting("PT12H", like="PT10M", minimum="PT1S"),
        about(
            "After how long SQS hands out a message again that Airflow has not stored (ISO 8601, `PT1S` to `PT12H`)",
            advanced=True,
        ),
    ] = dt.timedelta(minutes=10)

    @field_validator("uri")
    @classmethod
    def _is_no_template(cls, value: str) -> str:
        if "{{" in value or "{%" in value:
            raise ValueError("cannot be a template, since the queue is watched between runs; write s3://bucket/prefix/")
        return value

    @field_validator("queue")
    @classmethod
    def _is_a_queue(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^/\s@?#]+/[^\s?#]{1,500}", value):
            raise ValueError("is not the URL of a queue; write https://sqs.eu-west-1.amazonaws.com/123456789012/name")
        return value

    @property
    def summary(self) -> str:
        """The source in one line of text."""
        return f"{self.queue} for {self.uri}"

    def watcher(self, aws_conn_id: str) -> Any:
        """Return the trigger that watches the queue, for Airflow's triggerer."""
        from kaltura_provider.triggers.sqs import S3EventsTrigger

        return S3EventsTrigger(
            queue=self.queue,
            uri=self.uri,
            aws_conn_id=aws_conn_id,
            visibility_timeout=int(self.visibility_timeout.total_seconds()),
        )

    def find(self, search: Search) -> Found:
        """Return the items that the objects in the run's events belong to, each once, as they are by now.

        :raises SourceError: the bucket cannot be listed.
        """
        from kaltura_provider.feeds.sources.s3_objects import media_of
        from kaltura_provider.hooks.s3_events import CreatedObject

        created = [CreatedObject(**one) for event in search.events for one in event.get("objects") or ()]
        named = {one.uri for one in created}
        ours = {uri for uri in named if uri.startswith(self.uri)}
        # A sidecar file that arrives later belongs to an item that is there already.
        listed = _with_files_beside(ours, search, whole_folders=has_renditions(self.match))
        objects = listed if self.group_by == "stem" else [one for one in listed if one.uri in ours]
        groups = [
            group for group in self.selecting.groups(objects, self.uri) if any(one.uri in ours for one in group.objects)
        ]
        found = media_of(groups, self.uri, self.selecting, search)
        found.place = f"in {len(search.events)} events of {self.queue}"
        there = {one.uri for one in listed}
        for reason, uris in ((GONE, ours - there), (ELSEWHERE, named - ours)):
            if uris:
                found.left_out[reason] += sorted(uris)
        return found


def _with_files_beside(uris: set[str], search: Search, *, whole_folders: bool) -> list[S3Object]:
    """Return the objects at these addresses that are there, and those beside them with the same name up to a dot.

    :param whole_folders: return all objects beside them instead.
    """
    from kaltura_provider.api.threads import in_threads
    from kaltura_provider.hooks.listing import list_s3

    def listed(place: tuple[str, str]) -> list[S3Object]:
        return list(list_s3(*place, aws_conn_id=search.aws_conn_id))

    places = sorted({_folder(uri) if whole_folders else _stem(uri) for uri in uris})
    found = in_threads(listed, places, workers=_LISTED_AT_ONCE)
    return list({one.uri: one for part in found for one in part}.values())


def _folder(uri: str) -> tuple[str, str]:
    """Return the bucket of an object, and the beginning of its key up to the last slash."""
    bucket, key = bucket_and_key(uri)
    return bucket, key[: key.rfind("/") + 1]


def _stem(uri: str) -> tuple[str, str]:
    """Return the bucket of an object, and the beginning of its key up to the first dot in its name."""
    bucket, key = bucket_and_key(uri)
    folder, name = posixpath.split(key)
    stem, dot, _ = name.partition(".")
    return bucket, key[: len(key) - len(name)] + stem + dot if folder or name else key
