"""Open sources with Airflow's connections: S3 objects, URLs and local files."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from kaltura_provider.hooks.airflow_lock import AIRFLOW
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from airflow.sdk import Connection

    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.sources.http import Validators

__all__ = [
    "ALLOWED_HOSTS",
    "PRESIGNED_SECONDS",
    "Sources",
    "import_address",
    "open_source",
    "presigned_seconds",
    "printable",
    "read_changed_document",
    "read_document",
    "s3_client",
]

PRESIGNED_SECONDS = 86_400
"""How long the presigned URL of an S3 object is valid by default: Kaltura's import queue may start the fetch late."""

ALLOWED_HOSTS = "KALTURA_ALLOWED_HOSTS"
"""Environment variable with comma-separated host names that URLs may use even if their addresses are private."""

# Airflow's HttpHook takes these fields of an HTTP connection's extra as options. All other fields are headers.
_REQUEST_OPTIONS = frozenset(
    {
        "stream",
        "cert",
        "proxies",
        "proxy",
        "timeout",
        "verify",
        "verify_ssl",
        "allow_redirects",
        "max_redirects",
        "trust_env",
        "check_response",
        "srv_lookup",
    }
)
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
                self._client = s3_client(self._aws_conn_id)
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
        raise SourceRefused(printable(uri), f"is not an address this package can read; {_READABLE}")

    def import_address(
        self, uri: str, *, version_id: str | None = None, seconds: int = 86400
    ) -> tuple[str, tuple[str, ...]]:
        """Return how Kaltura itself can fetch a source, as :func:`import_address` does."""
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.upload.sources.errors import SourceRefused

        uri = opened_address(uri)
        parts = _parts(uri)
        if parts.scheme in ("http", "https"):
            headers = _headers(self._http_conn_id, uri)
            return _fetchable(uri), tuple(f"{name}: {value}" for name, value in headers.items())
        if parts.scheme != "s3":
            text = "Kaltura can only fetch https:// and s3:// sources; use KalturaUploadOperator for local files"
            raise SourceRefused(printable(uri), text)
        return self._presigned(uri, version_id, seconds)

    def _presigned(self, uri: str, version_id: str | None, seconds: int) -> tuple[str, tuple[str, ...]]:
        from airflow.sdk.log import mask_secret

        from kaltura_provider.upload.sources.errors import SourceRefused

        bucket, key = _bucket_and_key(uri)
        if "//" in key:
            text = "Kaltura's import replaces the double slash in its key by one slash; upload it instead"
            raise SourceRefused(printable(uri), text)
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

    :param uri: ``s3://bucket/key``, ``http(s)://...``, ``file:///path`` or an absolute path; Local files must
        be in a folder that this deployment allows (:mod:`kaltura_provider.hooks.local_files`).
    :param http_conn_id: an Airflow HTTP connection, whose login, password and headers (in its extra) are sent with
        ``http(s)`` requests. If it has a host, they are sent to that host only.
    :param version_id: the version of an S3 object.
    :raises SourceError: the source does not exist, cannot be read, is empty, or is not media.
    :raises KalturaConfigurationError: a connection does not exist, is of another type, or its headers are malformed.
    """
    return Sources(aws_conn_id=aws_conn_id, http_conn_id=http_conn_id).open(uri, version_id=version_id)


def _open_url(uri: str, parts: SplitResult, http_conn_id: str | None) -> Source:
    from kaltura_provider.upload.sources.errors import SourceRefused
    from kaltura_provider.upload.sources.http import open_http
    from kaltura_provider.upload.sources.policy import UrlPolicy

    if "@" in parts.netloc:
        raise SourceRefused(
            printable(uri),
            "it contains a user name or password, which others could read; put them into an HTTP connection, "
            "and give its id as http_conn_id",
        )
    hosts = os.environ.get(ALLOWED_HOSTS, "").split(",")
    policy = UrlPolicy.allowing(hosts, by=f"environment variable {ALLOWED_HOSTS}")
    return open_http(uri, headers=_headers(http_conn_id, uri), policy=policy)


_READABLE = "give s3://bucket/key, https://..., file:///path or an absolute path"


def printable(uri: str) -> str:
    """Return an address for logs and errors: without user and password, and with the values of its query hidden.

    In S3 keys and file names, ``?`` and ``@`` are ordinary characters.
    """
    from kaltura_provider.ingest.addresses import shown_address

    return shown_address(uri)


def _parts(uri: str) -> SplitResult:
    from kaltura_provider.upload.sources.errors import SourceRefused

    try:
        return urlsplit(uri)
    except ValueError:
        raise SourceRefused(printable(uri), f"is not a valid address; {_READABLE}") from None


def _bucket_and_key(uri: str) -> tuple[str, str]:
    from kaltura_provider.upload.sources.errors import SourceRefused

    bucket, key = bucket_and_key(uri)
    if not bucket or not key:
        raise SourceRefused(printable(uri), "does not name an object; give s3://bucket/key")
    return bucket, key


def s3_client(aws_conn_id: str | None) -> Any:
    """Return a boto3 S3 client for an Airflow connection, configured for many parallel range requests.

    As in Airflow's hooks, ``None`` stands for the worker's own credentials. The id of a connection that does not exist
    is an error.

    If the connection's extra has ``"service_config": {"s3": {"request_payer": "requester"}}``, the client agrees to pay
    for requests to requester-pays buckets.

    :raises KalturaConfigurationError: the connection does not exist, or is not of type ``aws``.
    """
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from botocore.config import Config

    from kaltura_provider.hooks.named_connections import named_connection
    from kaltura_provider.upload.sources.s3 import s3_client_options

    if aws_conn_id is not None:
        named_connection(aws_conn_id, "aws_conn_id")
    hook = S3Hook(aws_conn_id=aws_conn_id, config=Config(**s3_client_options()))
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
    from kaltura_provider.upload.sources.errors import SourceRefused, SourceTooLarge
    from kaltura_provider.upload.sources.http import Validators, read_http_if_changed
    from kaltura_provider.upload.sources.policy import UrlPolicy

    if uri.startswith(("http://", "https://")):
        uri = opened_address(uri)
        if "@" in _parts(uri).netloc:
            raise SourceRefused(printable(uri), "it has a user or password in it; put them into an HTTP connection")
        hosts = os.environ.get(ALLOWED_HOSTS, "").split(",")
        policy = UrlPolicy.allowing(hosts, by=f"environment variable {ALLOWED_HOSTS}")
        headers = _headers(http_conn_id, uri)
        return read_http_if_changed(uri, limit, known or Validators(), headers=headers, policy=policy)
    source = open_source(uri, aws_conn_id=aws_conn_id)
    try:
        if source.size > limit:
            raise SourceTooLarge(printable(uri), source.size, limit, "the limit")
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
        raise SourceRefused(printable(uri), f"its address {error.problem}: {error.fix}") from None


def _headers(http_conn_id: str | None, uri: str) -> dict[str, str]:
    if not http_conn_id:
        return {}
    with AIRFLOW:
        return _headers_of(http_conn_id, uri)


def _headers_of(http_conn_id: str, uri: str) -> dict[str, str]:
    from kaltura_provider.hooks.connection import extra_of
    from kaltura_provider.hooks.masking import mask_headers
    from kaltura_provider.hooks.named_connections import named_connection

    connection = named_connection(http_conn_id, "http_conn_id")
    _check_destination(connection, uri)
    headers = _said_headers(http_conn_id, extra_of(connection))
    if connection.login and "authorization" not in {name.lower() for name in headers}:
        basic = b64encode(f"{connection.login}:{connection.password or ''}".encode()).decode()
        headers["Authorization"] = f"Basic {basic}"
    mask_headers(headers)
    return headers


def _check_destination(connection: Connection, uri: str) -> None:
    """Check that the source is on the host, scheme and port of the HTTP connection, as far as it has them.

    :raises SourceRefused: the source is on another server.
    """
    from kaltura_provider.upload.sources.address import origin
    from kaltura_provider.upload.sources.errors import SourceRefused

    if not connection.host:
        return
    asked = origin(uri)
    scheme, _, place = connection.host.rpartition("://")
    scheme = (scheme or connection.schema or "").lower()
    place = place.partition("/")[0]
    own = origin(f"{scheme or asked[0]}://{place}")
    # Without a port, the scheme determines it. Without both, any port matches.
    port = connection.port or (own[2] if scheme or ":" in place else asked[2])
    if asked == (own[0], own[1], port):
        return
    raise SourceRefused(
        printable(uri),
        f"HTTP connection {connection.conn_id!r} is for {printable(connection.host)}, and its credentials are "
        "only sent there; give a connection for the host of this source, or none",
    )


def _said_headers(http_conn_id: str, extra: dict[str, Any]) -> dict[str, str]:
    """Return the headers in an HTTP connection's extra: at the top level, as for HttpHook, or below ``headers``."""
    below = extra.get("headers") or {}
    if not isinstance(below, dict):
        from kaltura_provider.api.errors import KalturaConfigurationError

        raise KalturaConfigurationError(
            f"headers in the extra of connection {http_conn_id}", None, "are not a mapping", 'write {"name": "value"}'
        )
    top = {name: value for name, value in extra.items() if name not in _REQUEST_OPTIONS and name != "headers"}
    return {
        _header_name(http_conn_id, str(name)): _header_value(http_conn_id, str(name), str(value))
        for name, value in {**top, **below}.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }


_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def _header_name(http_conn_id: str, name: str) -> str:
    from kaltura_provider.api.errors import KalturaConfigurationError

    if not _HEADER_NAME.fullmatch(name.strip()):
        raise KalturaConfigurationError(
            f"header {name!r} in connection {http_conn_id}",
            None,
            "is not a valid header name",
            "use a name such as X-Api-Key",
        )
    return name.strip()


def _header_value(http_conn_id: str, name: str, value: str) -> str:
    """Return a header's value without whitespace around it, such as the newline of a pasted key.

    :raises KalturaConfigurationError: the value cannot be sent. It is not shown, because it may be a secret.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError

    value = value.strip()
    if not _HEADER_VALUE.fullmatch(value):
        raise KalturaConfigurationError(
            f"the value of header {name} in connection {http_conn_id}",
            None,
            "has a line break, a control character or a character outside Latin-1, which HTTP cannot send",
            "correct it in the connection's extra",
        )
    return value
