"""An S3 object as a source: ranged GETs, pinned to one version or ETag."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from kaltura_provider.upload.checksum import from_base64
from kaltura_provider.upload.sources.base import WINDOW, exactly, steady
from kaltura_provider.upload.sources.errors import SourceChanged, SourceEmpty, SourceError, SourceUnavailable
from kaltura_provider.upload.sources.http_answer import Slice, check_not_compressed
from kaltura_provider.upload.sources.s3_errors import archived, error_code, source_error

if TYPE_CHECKING:
    from collections.abc import Generator

    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

__all__ = ["S3Source", "open_s3", "s3_client_options"]

_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


def s3_client_options() -> dict[str, Any]:
    """Return arguments for ``botocore.config.Config`` that suit many large ranged reads at once.

    A range of an object has no checksum of its own, so botocore has nothing to check; the content is compared with the
    CRC-32C of the whole object instead.
    """
    return {
        "max_pool_connections": 16,
        "connect_timeout": 10,
        "read_timeout": 60,
        "retries": {"mode": "standard", "max_attempts": 5},
        "response_checksum_validation": "when_required",
        "tcp_keepalive": True,
    }


class S3Source:
    """An object in S3. Every read is pinned to one version or ETag, so bytes of two contents never mix."""

    rewind: int | None = None
    checksums: str
    """Which checksums S3 keeps of the object, for the note on what was compared."""

    def __init__(self, client: S3Client, where: dict[str, Any], uri: str, head: dict[str, Any]) -> None:
        self._client = client
        self._where = where
        self.uri = uri
        self.name = str(where["Key"]).rsplit("/", 1)[-1] or "object"
        self.size = int(head["ContentLength"])
        self.etag = str(head.get("ETag", "")).strip('"')
        self.validator = str(where.get("VersionId") or self.etag)
        self.crc32c = _whole_checksum(head)
        self.checksums = _checksums(head)
        if self.etag and "VersionId" not in where:
            self._where = {**where, "IfMatch": f'"{self.etag}"'}

    def read(self, offset: int, length: int, window: int = WINDOW) -> Generator[bytes, None, None]:
        """Yield ``length`` bytes from ``offset`` on, over a connection of its own; resumes if that breaks.

        :raises SourceChanged: the object has changed since it was opened.
        """
        return steady(lambda start, left: self._get(start, left, window), offset, length, uri=self.uri)

    def _get(self, offset: int, length: int, window: int) -> Generator[bytes, None, None]:
        try:
            answer = self._client.get_object(**self._where, Range=f"bytes={offset}-{offset + length - 1}")
            with closing(answer["Body"]) as body:
                sent = int(answer["ContentLength"])
                first = _first_byte(answer.get("ContentRange", ""))
                if first != offset:
                    asked = f"bytes {offset}-{offset + length - 1}"
                    text = f"S3 answered a request for {asked} with {sent} bytes from {first} on"
                    raise SourceUnavailable(self.uri, text)
                yield from exactly(_windows(body, window), min(length, sent), self.uri)
        except ClientError as error:
            raise self._changed(error) or source_error(self.uri, error) from None
        except BotoCoreError as error:
            raise source_error(self.uri, error) from None
        except (HTTPError, OSError) as error:
            # botocore passes on errors it does not know, such as a broken TLS record.
            raise SourceUnavailable(self.uri, f"the connection to S3 broke ({type(error).__name__})") from None

    def _changed(self, error: ClientError) -> SourceError | None:
        if error_code(error) not in ("412", "PreconditionFailed", "416", "InvalidRange"):
            return None
        where = {name: value for name, value in self._where.items() if name != "IfMatch"}
        try:
            now = self._client.head_object(**where)
        except (ClientError, BotoCoreError) as gone:
            return source_error(self.uri, gone)
        found = f"{now['ETag']} with {now['ContentLength']} bytes"
        return SourceChanged(self.uri, f'"{self.etag}" with {self.size} bytes', found)

    def close(self) -> None:
        """Do nothing: the client belongs to the caller."""


def _first_byte(content_range: str) -> int:
    found = Slice.parse(content_range)
    return found.first if found else 0


def _windows(body: StreamingBody, window: int) -> Generator[bytes, None, None]:
    while data := body.read(window):
        yield data


def open_s3(
    client: S3Client,
    bucket: str,
    key: str,
    *,
    version_id: str | None = None,
    request_payer: bool = False,
) -> S3Source:
    """Open an S3 object.

    :param client: a boto3 client; :func:`s3_client_options` has suitable settings.
    :param version_id: read this version; otherwise the current content, pinned by its ETag.
    :param request_payer: agree to pay for the transfer if the bucket makes the requester pay.
    :raises SourceError: the object cannot be read; the message says why and what to do.
    """
    uri = f"s3://{bucket}/{key}" + (f"?versionId={version_id}" if version_id else "")
    where: dict[str, Any] = {"Bucket": bucket, "Key": key}
    if version_id:
        where["VersionId"] = version_id
    if request_payer:
        where["RequestPayer"] = "requester"
    head = _head(client, where, uri)
    storage = head.get("ArchiveStatus") or head.get("StorageClass", "STANDARD")
    locked = storage in _ARCHIVES or "ArchiveStatus" in head
    restore = head.get("Restore", "")
    if locked and 'ongoing-request="false"' not in restore:
        raise archived(uri, storage, restoring='ongoing-request="true"' in restore)
    check_not_compressed(head.get("ContentEncoding", ""), uri)
    source = S3Source(client, where, uri, head)
    if source.size == 0:
        raise SourceEmpty(uri)
    return source


def _head(client: S3Client, where: dict[str, Any], uri: str) -> dict[str, Any]:
    try:
        return dict(client.head_object(**where, ChecksumMode="ENABLED"))
    except ClientError as error:
        if error_code(error) not in ("400", "403", "404", "405"):
            raise source_error(uri, error) from None
    except BotoCoreError as error:
        raise source_error(uri, error) from None
    # An answer to HEAD has no body and gives no reason; GET names the bucket, key or permission that is missing.
    try:
        client.get_object(**where, Range="bytes=0-0")["Body"].close()
        return dict(client.head_object(**where))
    except (ClientError, BotoCoreError) as error:
        raise source_error(uri, error) from None


def _whole_checksum(head: dict[str, Any]) -> int | None:
    """Return the CRC-32C of the whole object; a composite one (of its parts' checksums) says nothing here."""
    text = head.get("ChecksumCRC32C")
    if not text or head.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT" or "-" in text:
        return None
    try:
        return from_base64(text)
    except ValueError:
        return None


def _checksums(head: dict[str, Any]) -> str:
    kind = head.get("ChecksumType", "")
    names = [name.removeprefix("Checksum") for name in head if name.startswith("Checksum") and name != "ChecksumType"]
    return ", ".join(f"{name} {kind}".strip() for name in sorted(names))
