"""Sources opened with Airflow's connections: an S3 client from the amazon provider's hook, URLs, local files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaltura_provider.upload import Source

__all__ = ["list_s3", "open_source", "s3_client"]


def open_source(uri: str, *, aws_conn_id: str = "aws_default", version_id: str | None = None) -> Source:
    """Open a source by its address; nothing but its size and validators is read.

    :param uri: ``s3://bucket/key``, ``http(s)://...``, ``file:///path`` or an absolute path.
    :param version_id: a version of an S3 object.
    :raises SourceError: if there is no such thing, it may not be read, is empty or is no media.
    """
    from kaltura_provider.upload import SourceRefused, open_file, open_http, open_s3

    scheme = urlsplit(uri).scheme.lower()
    if scheme == "s3":
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return open_s3(s3_client(aws_conn_id), bucket, key, version_id=version_id)
    if scheme in ("http", "https"):
        return open_http(uri)
    if scheme == "file":
        return open_file(unquote(urlsplit(uri).path))
    if uri.startswith("/"):
        return open_file(uri)
    raise SourceRefused(f"source {uri!r} is no address we know: write s3://bucket/key, https://..., or file:///path")


def s3_client(aws_conn_id: str) -> Any:
    """Return a boto3 S3 client for an Airflow connection."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    return S3Hook(aws_conn_id=aws_conn_id).get_conn()


def list_s3(bucket: str, prefix: str, *, aws_conn_id: str = "aws_default") -> Iterator[str]:
    """Yield the keys of all objects below a prefix; the placeholders that consoles make for folders are left out.

    :raises SourceError: if the bucket does not exist or may not be listed.
    """
    from kaltura_provider.upload import list_objects

    yield from list_objects(s3_client(aws_conn_id), bucket, prefix)
