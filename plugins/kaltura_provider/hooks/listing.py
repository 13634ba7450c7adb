"""List an S3 prefix with an Airflow connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from kaltura_provider.upload.sources.errors import SourceError

__all__ = ["S3Object", "first_bytes", "list_s3", "read_objects"]

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object in a listing. ``size`` is in bytes, ``etag`` has no quotes.

    ``restored`` says that an archived object has a copy that can be read.
    """

    bucket: str
    key: str
    size: int
    etag: str = ""
    modified: datetime | None = None
    storage_class: str = "STANDARD"
    restored: bool = False

    @property
    def uri(self) -> str:
        """The S3 URI of the object."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def archived(self) -> bool:
        """Whether it cannot be read before somebody restores it."""
        return self.storage_class in ("GLACIER", "DEEP_ARCHIVE") and not self.restored


def list_s3(bucket: str, prefix: str, *, aws_conn_id: str = "aws_default") -> Iterator[S3Object]:
    """Yield all objects below a prefix, in the order of their keys.

    :raises SourceError: the bucket does not exist, or the connection is not allowed to list it.
    """
    from kaltura_provider.hooks.sources import shared_s3_client
    from kaltura_provider.upload.sources.s3_errors import source_errors

    pages = (
        shared_s3_client(aws_conn_id)
        .get_paginator("list_objects_v2")
        .paginate(Bucket=bucket, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"])
    )
    with source_errors(f"s3://{bucket}/{prefix}"):
        for page in pages:
            for item in page.get("Contents", ()):
                yield S3Object(
                    bucket,
                    item["Key"],
                    int(item["Size"]),
                    item.get("ETag", "").strip('"'),
                    item.get("LastModified"),
                    item.get("StorageClass", "STANDARD"),
                    restored="RestoreExpiryDate" in item.get("RestoreStatus", {}),
                )


def first_bytes(objects: list[S3Object], length: int, *, aws_conn_id: str = "aws_default") -> list[bytes | None]:
    """Return the first bytes of each object, ``None`` if it cannot be read. Reads several objects at a time."""
    from botocore.exceptions import BotoCoreError, ClientError

    from kaltura_provider.api.threads import in_threads
    from kaltura_provider.hooks.sources import shared_s3_client

    client = shared_s3_client(aws_conn_id)

    def read(item: S3Object) -> bytes | None:
        try:
            answer = client.get_object(Bucket=item.bucket, Key=item.key, Range=f"bytes=0-{length - 1}")
            return bytes(answer["Body"].read(length))
        except (ClientError, BotoCoreError, OSError):
            return None

    return in_threads(read, objects, workers=_AT_ONCE)


def read_objects(uris: Sequence[str], limit: int, *, aws_conn_id: str = "aws_default") -> list[bytes | SourceError]:
    """Return the content of each object, or why it cannot be read. Reads several objects at a time.

    :param uris: S3 URIs. :param limit: how many bytes to read of each at most; one more shows that there are more.
    """
    from kaltura_provider.api.threads import in_threads
    from kaltura_provider.hooks.sources import shared_s3_client
    from kaltura_provider.upload.sources.errors import SourceError
    from kaltura_provider.upload.sources.s3_errors import source_errors

    client = shared_s3_client(aws_conn_id)

    def read(uri: str) -> bytes | SourceError:
        bucket, key = bucket_and_key(uri)
        try:
            with source_errors(uri):
                return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read(limit + 1))
        except SourceError as error:
            return error

    return in_threads(read, uris, workers=_AT_ONCE)
