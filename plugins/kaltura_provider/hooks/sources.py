"""Open sources with Airflow's connections: S3 objects, URLs and local files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from kaltura_provider.hooks.airflow_lock import AIRFLOW
from kaltura_provider.hooks.http_headers import connection_headers
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from airflow.sdk import Connection

    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.sources.http import Validators
    from kaltura_provider.upload.sources.policy import UrlPolicy

__all__ = [
    "ALLOWED_HOSTS",
    "PRESIGNED_SECONDS",
    "Sources",
    "import_address",
    "open_source",
    "presigned_seconds",
    "shown_address",
    "read_changed_document",
    "read_document",
    "s3_client",
    "shared_s3_client",
]

PRESIGNED_SECONDS = 86_400
"""How long the presigned URL of an S3 object is valid by default: Kaltura's import queue may start the fetch late."""

ALLOWED_HOSTS = "KALTURA_ALLOWED_HOSTS"
"""Environment variable with comma-separated host names that URLs may use even if their addresses are private."""

_PAYER = "x-amz-request-payer"


class Sources:
    """Opens the sources of one task, which share one S3 client. Safe to use from several threads.

    :param http_conn_id: the Airflow HTTP connection whose login, password and extra (headers) go with an
        ``http(s)`` request; to its own host only, if it names one.
    """

    def __init__(self, *, aws_conn_id: str | None = "aws_default", http_conn_id: str | None = None) -> None:
        self._aws_conn_id = aws_conn_id
        self._http_conn_id = http_conn_id
        self._client: Any = None

    @property
    def s3(self) -> Any:
        """The S3 client; the first use makes it, which takes a third of a second.

        :raises KalturaConfigurationError: the connection does not exist, or is not of type ``aws``.
        """
        with AIRFLOW:
            if self._client is None:
                self._client = shared_s3_client(self._aws_conn_id)
            return self._client

    def open(self, uri: str, *, version_id: str | None = None) -> Source:
        """Open a source by its address, as :func:`open_source` does."""
        from kaltura_provider.hooks.local_files import folder_policy
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.upload.sources.errors import SourceRefused
        from kaltura_provider.upload.sources.file import open_file
        from kaltura_provider.upload.sources.folders import is_local
        from kaltura_provider.upload.sources.s3 import open_s3

        if is_local(uri):
            return open_file(uri, folder_policy())
        uri = opened_address(uri)
        parts = _parts(uri)
        if parts.scheme == "s3":
            bucket, key = _bucket_and_key(uri)
            return open_s3(self.s3, bucket, key, version_id=version_id)
        if parts.scheme in ("http", "https"):
            return _open_url(uri, parts, self._http_conn_id)
        raise SourceRefused(shown_address(uri), f"is not an address this package can read; {_READABLE}")

    def import_address(
        self, uri: str, *, version_id: str | None = None, seconds: int = PRESIGNED_SECONDS
    ) -> tuple[str, tuple[str, ...]]:
        """Return how Kaltura itself can fetch a source, as :func:`import_address` does."""
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.upload.sources.errors import SourceRefused

        uri = opened_address(uri)
        parts = _parts(uri)
        if parts.scheme in ("http", "https"):
            headers = connection_headers(self._http_conn_id, uri)
            return _fetchable(uri), tuple(f"{name}: {value}" for name, value in headers.items())
        if parts.scheme != "s3":
            text = "Kaltura can only fetch https:// and s3:// sources; use KalturaUploadOperator for local files"
            raise SourceRefused(shown_address(uri), text)
        return self._presigned(uri, version_id, seconds)

    def _presigned(self, uri: str, version_id: str | None, seconds: int) -> tuple[str, tuple[str, ...]]:
        from airflow.sdk.log import mask_secret

        from kaltura_provider.upload.sources.errors import SourceRefused

        bucket, key = _bucket_and_key(uri)
        if "//" in key:
            text = "Kaltura's import replaces the double slash in its key by one slash; upload it instead"
            raise SourceRefused(shown_address(uri), text)
        wanted = {"Bucket": bucket, "Key": key} | ({"VersionId": version_id} if version_id else {})
        url = self.s3.generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)
        query = url.partition("?")[2]
        with AIRFLOW:
            mask_secret(query)
        # With signature version 4, the consent to pay is a signed header, which Kaltura must send too.
        signed = parse_qs(query).get("X-Amz-SignedHeaders", [""])[0].split(";")
        return url, (f"{_PAYER}: requester",) if _PAYER in signed else ()


def open_source(
    uri: str, *, aws_conn_id: str = "aws_default", http_conn_id: str | None = None, version_id: str | None = None
) -> Source:
    """Open a source by its address. This only reads its size, its validators and its first bytes.

    :param uri: ``s3://bucket/key``, ``http(s)://...``, ``file:///path`` or an absolute path. Local files must
        be in a folder that this deployment allows (:mod:`kaltura_provider.hooks.local_files`).
    :param http_conn_id: an Airflow HTTP connection, whose login, password and headers (in its extra) are sent with
        ``http(s)`` requests. If it has a host, they are sent to that host only.
    :param version_id: the version of an S3 object.
    :raises SourceError: the source does not exist, cannot be read, is empty, or is not media.
    :raises KalturaConfigurationError: a connection does not exist, is of another type, or its headers are malformed.
    """
    return Sources(aws_conn_id=aws_conn_id, http_conn_id=http_conn_id).open(uri, version_id=version_id)


def _open_url(uri: str, parts: SplitResult, http_conn_id: str | None) -> Source:
    from kaltura_provider.upload.sources.http import open_http

    policy = _url_policy(uri, parts)
    return open_http(uri, headers=connection_headers(http_conn_id, uri), policy=policy)


def _url_policy(uri: str, parts: SplitResult) -> UrlPolicy:
    """Return which addresses a URL and its redirects may lead to.

    :raises SourceRefused: the URL contains a user name or password.
    """
    from kaltura_provider.upload.sources.errors import SourceRefused
    from kaltura_provider.upload.sources.policy import UrlPolicy

    if "@" in parts.netloc:
        raise SourceRefused(
            shown_address(uri),
            "it contains a user name or password, which others could read; put them into an HTTP connection, "
            "and give its id as http_conn_id",
        )
    hosts = os.environ.get(ALLOWED_HOSTS, "").split(",")
    return UrlPolicy.allowing(hosts, by=f"environment variable {ALLOWED_HOSTS}")


_READABLE = "give s3://bucket/key, https://..., file:///path or an absolute path"


def shown_address(uri: str) -> str:
    """Return an address for logs and errors: without user and password, and with the values of its query hidden.

    In S3 keys and file names, ``?`` and ``@`` are ordinary characters.
    """
    from kaltura_provider.upload.sources import address

    return address.shown_address(uri)


def _parts(uri: str) -> SplitResult:
    from kaltura_provider.upload.sources.errors import SourceRefused

    try:
        return urlsplit(uri)
    except ValueError:
        raise SourceRefused(shown_address(uri), f"is not a valid address; {_READABLE}") from None


def _bucket_and_key(uri: str) -> tuple[str, str]:
    from kaltura_provider.upload.sources.errors import SourceRefused

    bucket, key = bucket_and_key(uri)
    if not bucket or not key:
        raise SourceRefused(shown_address(uri), "does not name an object; give s3://bucket/key")
    return bucket, key


# By process, connection id, and what the client is made from. A process has few connections.
_clients: dict[tuple[Any, ...], Any] = {}
_MAX_CLIENTS = 20


def shared_s3_client(aws_conn_id: str | None) -> Any:
    """Return a client as :func:`s3_client` does, which others of this process use too.

    Making one takes a fifth of a second, and a backfill of years is planned with one listing a day. A connection that
    has changed gets another client. Who registers handlers of events needs a client of their own.

    :raises KalturaConfigurationError: the connection does not exist, or is not of type ``aws``.
    """
    with AIRFLOW:
        connection = _aws_connection(aws_conn_id)
        said = connection.get_uri() if connection else None
        environment = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))
        key = (os.getpid(), aws_conn_id, said, environment)
        if key not in _clients:
            made = _s3_client(aws_conn_id, connection)
            if len(_clients) >= _MAX_CLIENTS:
                _clients.clear()
            _clients[key] = made
        return _clients[key]


def s3_client(aws_conn_id: str | None) -> Any:
    """Return a boto3 S3 client for an Airflow connection, configured for many parallel range requests.

    As in Airflow's hooks, ``None`` stands for the worker's own credentials. The id of a connection that does not exist
    is an error.

    If the connection's extra has ``"service_config": {"s3": {"request_payer": "requester"}}``, the client agrees to pay
    for requests to requester-pays buckets.

    :raises KalturaConfigurationError: the connection does not exist, or is not of type ``aws``.
    """
    return _s3_client(aws_conn_id, _aws_connection(aws_conn_id))


def _aws_connection(aws_conn_id: str | None) -> Connection | None:
    from kaltura_provider.hooks.named_connections import named_connection

    return None if aws_conn_id is None else named_connection(aws_conn_id, "aws_conn_id")


def _s3_client(aws_conn_id: str | None, connection: Connection | None) -> Any:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from botocore.config import Config

    from kaltura_provider.upload.sources.s3 import s3_client_options

    hook: Any = S3Hook(aws_conn_id=aws_conn_id, config=Config(**s3_client_options()))
    if connection is not None:
        # The hook would ask Airflow for it once more.
        hook.get_connection = lambda _: connection
    # For the user agent, the hook would read the source file of every frame of the stack to find the operator, which
    # takes a task as long as loading boto3.
    hook._get_caller = lambda *_: "kaltura_provider"
    client: Any = hook.get_conn()
    if hook.service_config.get("request_payer"):
        client.meta.events.register("provide-client-params.s3", _pay)
    return client


def _pay(params: dict[str, Any], model: Any, **_: Any) -> None:
    if "RequestPayer" in model.input_shape.members:
        params.setdefault("RequestPayer", "requester")


def import_address(
    uri: str,
    *,
    aws_conn_id: str = "aws_default",
    http_conn_id: str | None = None,
    version_id: str | None = None,
    seconds: int = PRESIGNED_SECONDS,
) -> tuple[str, tuple[str, ...]]:
    """Return a URL from which Kaltura can fetch a source, and the header lines to send. Both are secrets.

    :param seconds: how long the presigned URL of an S3 object is valid.
    :raises SourceRefused: Kaltura cannot reach this kind of source.
    :raises KalturaConfigurationError: a connection does not exist, is of another type, or its headers are malformed.
    """
    sources = Sources(aws_conn_id=aws_conn_id, http_conn_id=http_conn_id)
    return sources.import_address(uri, version_id=version_id, seconds=seconds)


def presigned_seconds(given: int | str) -> int:
    """Return the validity of a presigned URL in seconds, checked: AWS signs for a week at most.

    :raises KalturaConfigurationError: it is out of range; names the argument.
    """
    from kaltura_provider.api.arguments import number

    return number(given, "presigned_seconds", minimum=60, maximum=604_800)


def read_document(uri: str, limit: int, *, aws_conn_id: str = "aws_default", http_conn_id: str | None = None) -> bytes:
    """Return the whole content of a source that is not media, such as a list of media.

    :param limit: how many bytes it may have. The other arguments are those of :func:`open_source`.
    :raises SourceError: the source does not exist, cannot be read, or is larger.
    """
    content, _ = read_changed_document(uri, limit, aws_conn_id=aws_conn_id, http_conn_id=http_conn_id)
    return content or b""


def read_changed_document(
    uri: str,
    limit: int,
    known: Validators | None = None,
    *,
    aws_conn_id: str = "aws_default",
    http_conn_id: str | None = None,
) -> tuple[bytes | None, Validators]:
    """Return the content as :func:`read_document` does, and the validators to ask a web server with the next time.

    :param known: the validators of an earlier answer. If its content has not changed, ``None`` is returned as content.
        Sources other than web pages are always read.
    :raises SourceError: as :func:`read_document`.
    """
    from kaltura_provider.hooks.sealing import opened_address
    from kaltura_provider.upload.sources.errors import SourceTooLarge
    from kaltura_provider.upload.sources.http import Validators, read_http_if_changed

    if uri.startswith(("http://", "https://")):
        uri = opened_address(uri)
        policy = _url_policy(uri, _parts(uri))
        headers = connection_headers(http_conn_id, uri)
        return read_http_if_changed(uri, limit, known or Validators(), headers=headers, policy=policy)
    source = open_source(uri, aws_conn_id=aws_conn_id)
    try:
        if source.size > limit:
            raise SourceTooLarge(shown_address(uri), source.size, limit, "the limit")
        return b"".join(source.read(0, source.size)), Validators()
    finally:
        source.close()


def _fetchable(uri: str) -> str:
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.services.import_url import fetchable_url
    from kaltura_provider.upload.sources.errors import SourceRefused

    try:
        return fetchable_url(uri, "uri")
    except KalturaConfigurationError as error:
        raise SourceRefused(shown_address(uri), f"its address {error.problem}: {error.fix}") from None
