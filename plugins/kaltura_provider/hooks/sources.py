"""Sources opened with Airflow's connections: an S3 client from the amazon provider's hook, URLs, local files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaltura_provider.upload import Source

__all__ = ["ALLOWED_HOSTS", "import_address", "list_s3", "open_source", "s3_client"]

ALLOWED_HOSTS = "KALTURA_ALLOWED_HOSTS"
"""Environment variable with host names, comma separated, that URLs may name although their addresses are private."""


def open_source(
    uri: str, *, aws_conn_id: str = "aws_default", http_conn_id: str | None = None, version_id: str | None = None
) -> Source:
    """Open a source by its address; no more is read than its size, its validators and its first bytes.

    :param uri: ``s3://bucket/key``, ``http(s)://...``, ``file:///path`` or an absolute path.
    :param http_conn_id: the Airflow HTTP connection whose login, password and extra (headers) go with an
        ``http(s)`` request.
    :param version_id: a version of an S3 object.
    :raises SourceError: there is no such thing, it may not be read, is empty or is no media.
    """
    from kaltura_provider.upload import SourceRefused, UrlPolicy, open_file, open_http, open_s3

    parts = urlsplit(uri)
    if parts.scheme == "s3":
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not bucket or not key:
            raise SourceRefused(uri, "names no object; write s3://bucket/key")
        return open_s3(s3_client(aws_conn_id), bucket, key, version_id=version_id)
    if parts.scheme in ("http", "https"):
        policy = UrlPolicy.allowing(os.environ.get(ALLOWED_HOSTS, "").split(","))
        try:
            return open_http(uri, headers=_headers(http_conn_id), policy=policy)
        except SourceRefused as error:
            raise SourceRefused(error.uri, f"{error.message} (environment variable {ALLOWED_HOSTS})") from None
    if parts.scheme == "file" or uri.startswith("/"):
        return open_file(unquote(parts.path) if parts.scheme else uri)
    raise SourceRefused(uri, "is no address that can be read; write s3://bucket/key, https://... or file:///path")


def s3_client(aws_conn_id: str) -> Any:
    """Return a boto3 S3 client for an Airflow connection, set for many ranged reads at once."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from botocore.config import Config

    from kaltura_provider.upload import s3_client_options

    return S3Hook(aws_conn_id=aws_conn_id, config=Config(**s3_client_options())).get_conn()


def list_s3(bucket: str, prefix: str, *, aws_conn_id: str = "aws_default") -> Iterator[str]:
    """Yield the keys of all objects below a prefix, without the placeholders that consoles make for folders.

    :raises SourceError: the bucket does not exist or may not be listed.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from kaltura_provider.upload.sources.s3_errors import source_error

    pages = s3_client(aws_conn_id).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    try:
        for page in pages:
            yield from (item["Key"] for item in page.get("Contents", ()) if not item["Key"].endswith("/"))
    except (ClientError, BotoCoreError) as error:
        raise source_error(f"s3://{bucket}/{prefix}", error) from None


def import_address(
    uri: str,
    *,
    aws_conn_id: str = "aws_default",
    http_conn_id: str | None = None,
    version_id: str | None = None,
    seconds: int = 86400,
) -> tuple[str, tuple[str, ...]]:
    """Return the URL under which Kaltura itself can fetch a source, and header lines to send. Both are secrets.

    :param seconds: how long the presigned URL of an S3 object is valid.
    :raises SourceRefused: Kaltura cannot reach such a source.
    """
    from airflow.sdk.log import mask_secret

    from kaltura_provider.api.redaction import redact
    from kaltura_provider.upload import SourceRefused

    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        return _fetchable(uri), tuple(f"{name}: {value}" for name, value in _headers(http_conn_id).items())
    if parts.scheme != "s3":
        text = "Kaltura can fetch https:// and s3:// sources only; KalturaUploadOperator sends files"
        raise SourceRefused(redact(uri), text)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if "//" in key:
        raise SourceRefused(uri, "Kaltura's import makes one slash of the two in its key; upload it instead")
    wanted = {"Bucket": bucket, "Key": key} | ({"VersionId": version_id} if version_id else {})
    url = s3_client(aws_conn_id).generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)
    mask_secret(url.partition("?")[2])
    return url, ()


def _fetchable(uri: str) -> str:
    from kaltura_provider.api import KalturaConfigurationError
    from kaltura_provider.api.redaction import redact
    from kaltura_provider.ingest.fetching import fetchable_url
    from kaltura_provider.upload import SourceRefused

    try:
        return fetchable_url(uri, "uri")
    except KalturaConfigurationError as error:
        raise SourceRefused(redact(uri), f"its address {error.problem}: {error.fix}") from None


def _headers(http_conn_id: str | None) -> dict[str, str]:
    if not http_conn_id:
        return {}
    from base64 import b64encode

    from airflow.sdk import BaseHook
    from airflow.sdk.log import mask_secret

    connection = BaseHook.get_connection(http_conn_id)
    headers = {str(name): str(value) for name, value in (connection.extra_dejson.get("headers") or {}).items()}
    if connection.login:
        basic = b64encode(f"{connection.login}:{connection.password or ''}".encode()).decode()
        headers.setdefault("Authorization", f"Basic {basic}")
    for value in headers.values():
        mask_secret(value)
    return headers
