"""S3 sources with a real boto3 client against a server that answers as S3 does."""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.response import StreamingBody
from urllib3.exceptions import SSLError

from kaltura_provider.upload.checksum import crc32c, to_base64
from kaltura_provider.upload.sources.errors import (
    SourceArchived,
    SourceChanged,
    SourceEmpty,
    SourceForbidden,
    SourceNotFound,
    SourceNotMedia,
    SourceUnavailable,
)
from kaltura_provider.upload.sources.s3 import open_s3, s3_client_options

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    Site = Any

DATA = random.Random(8).randbytes(600_011)


@pytest.fixture
def client(site: Site) -> Any:
    options = s3_client_options() | {"retries": {"max_attempts": 1}, "s3": {"addressing_style": "path"}}
    return boto3.client(
        "s3",
        endpoint_url=site.url,
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
        region_name="us-east-1",
        config=Config(**options),
    )


def refuse(
    site: Site,
    status: int,
    code: str,
    message: str = "no",
    only: str = "GET HEAD",
    headers: dict[str, str] | None = None,
) -> None:
    """Answer an S3 error; HEAD has no body, as HTTP demands."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(0 if handler.command == "HEAD" else len(body)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    before = site.answer
    site.answer = lambda handler: answer(handler) if handler.command in only else before(handler)


def test_ranges_pinned_by_etag(site: Site, client: Any) -> None:
    site.serve(DATA, headers={"x-amz-checksum-crc32c": to_base64(crc32c(DATA)), "x-amz-checksum-type": "FULL_OBJECT"})
    source = open_s3(client, "bucket", "in/clip one.mp4")
    assert (source.name, source.size, source.validator) == ("clip one.mp4", len(DATA), "v1")
    assert source.uri == "s3://bucket/in/clip one.mp4"
    assert source.crc32c == crc32c(DATA)
    assert b"".join(source.read(0, len(DATA), 10_000)) == DATA
    assert b"".join(source.read(77, 100_000)) == DATA[77:100_077]
    assert site.seen[-1][2]["if-match"] == '"v1"'
    assert site.seen[0][2]["x-amz-checksum-mode"] == "ENABLED"


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({}, ""),
        ({"x-amz-checksum-crc32c": "AAAAAA==-3", "x-amz-checksum-type": "COMPOSITE"}, "CRC32C COMPOSITE"),
        ({"x-amz-checksum-crc32c": "AAAAAA==", "x-amz-checksum-type": "COMPOSITE"}, "CRC32C COMPOSITE"),
        (
            {"x-amz-checksum-crc64nvme": "AAAAAAAAAAA=", "x-amz-checksum-type": "FULL_OBJECT"},
            "CRC64NVME FULL_OBJECT",
        ),
    ],
)
def test_only_a_checksum_of_the_whole_object_counts(
    site: Site, client: Any, headers: dict[str, str], kept: str
) -> None:
    site.serve(DATA, headers=headers)
    source = open_s3(client, "bucket", "clip.mp4")
    assert (source.crc32c, source.checksums) == (None, kept)


def test_version_and_requester_pays_go_with_every_request(site: Site, client: Any) -> None:
    site.serve(DATA)
    source = open_s3(client, "bucket", "clip.mp4", version_id="v-7", request_payer=True)
    assert source.validator == "v-7"
    assert source.uri.endswith("?versionId=v-7")
    assert b"".join(source.read(0, 10)) == DATA[:10]
    assert all("versionId=v-7" in path for _, path, _ in site.seen)
    assert all(headers["x-amz-request-payer"] == "requester" for *_, headers in site.seen)
    assert all("if-match" not in headers for *_, headers in site.seen)


def test_broken_answers_are_gone_on_with(site: Site, client: Any) -> None:
    site.serve(DATA, cut_after=[100_000, 3])
    source = open_s3(client, "bucket", "clip.mp4")
    assert b"".join(source.read(0, len(DATA))) == DATA
    assert site.seen[2][2]["range"] == f"bytes=100000-{len(DATA) - 1}"


def test_broken_tls_is_gone_on_with_like_any_other_break(
    site: Site, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore translates some errors of urllib3 while a body is read, not this one."""
    site.serve(DATA)
    source = open_s3(client, "bucket", "clip.mp4")
    real, calls = StreamingBody.read, list[int]()

    def broken(self: Any, amount: int | None = None) -> bytes:
        calls.append(1)
        if len(calls) in (3, 5):
            raise (SSLError("bad record mac"), OSError("gone"))[len(calls) == 5]
        return bytes(real(self, amount))

    monkeypatch.setattr(StreamingBody, "read", broken)
    assert b"".join(source.read(0, len(DATA), 100_000)) == DATA
    assert [seen[2]["range"].partition("-")[0] for seen in site.seen[1:]] == ["bytes=0", "bytes=200000", "bytes=300000"]


def test_replaced_object_names_both(site: Site, client: Any) -> None:
    site.serve(DATA)
    source = open_s3(client, "bucket", "clip.mp4")
    site.serve(DATA[:50], etag='"v2"')
    refuse(site, 412, "PreconditionFailed", only="GET")
    with pytest.raises(SourceChanged) as caught:
        list(source.read(0, 10))
    assert caught.value.expected == f'"v1" with {len(DATA)} bytes'
    assert caught.value.found == '"v2" with 50 bytes'
    assert caught.value.permanent


def test_object_that_vanished(site: Site, client: Any) -> None:
    site.serve(DATA)
    source = open_s3(client, "bucket", "clip.mp4")
    refuse(site, 404, "NoSuchKey")
    with pytest.raises(SourceNotFound):
        list(source.read(0, 10))


@pytest.mark.parametrize(
    ("status", "code", "message", "error", "says"),
    [
        (404, "NoSuchKey", "no", SourceNotFound, "the object does not exist"),
        (404, "NoSuchBucket", "no", SourceNotFound, "the bucket does not exist"),
        (403, "AccessDenied", "Access Denied", SourceForbidden, "service_config"),
        (403, "AccessDenied", "not authorized to perform: kms:Decrypt", SourceForbidden, "kms:Decrypt"),
        (400, "KMS.DisabledException", "key is disabled", SourceForbidden, "KMS key"),
        (403, "InvalidObjectState", "archived", SourceArchived, "restore-object"),
        (403, "SignatureDoesNotMatch", "no", SourceForbidden, "credentials"),
        (400, "ExpiredToken", "no", SourceUnavailable, "ExpiredToken"),
        (503, "SlowDown", "no", SourceUnavailable, "503|SlowDown"),
        (400, "KMS.ThrottlingException", "Rate exceeded", SourceUnavailable, "KMS key.*throttled"),
        (400, "KMS.KMSInternalException", "no", SourceUnavailable, "KMS key"),
        (400, "KMS.NotFoundException", "no", SourceForbidden, "key does not exist"),
        (400, "KMS.KMSInvalidStateException", "pending deletion", SourceForbidden, "due for deletion"),
        (400, "ThrottlingException", "Rate exceeded", SourceUnavailable, "busy"),
        (403, "RequestTimeTooSkewed", "The difference is too large", SourceUnavailable, "clock"),
        (
            400,
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided",
            SourceForbidden,
            "SSE-C",
        ),
        (400, "InvalidArgument", "Invalid version id specified", SourceNotFound, "version id"),
        (404, "NoSuchVersion", "no", SourceNotFound, "this version of the object does not exist"),
        (400, "ExpiredToken", "no", SourceUnavailable, "temporary credentials have expired"),
    ],
)
def test_refusals_say_what_to_do(
    site: Site, client: Any, status: int, code: str, message: str, error: type[Exception], says: str
) -> None:
    refuse(site, status, code, message)
    with pytest.raises(error, match=says) as caught:
        open_s3(client, "bucket", "clip.mp4")
    assert "s3://bucket/clip.mp4" in str(caught.value)
    assert "AKIA" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "version"), [(404, "NoSuchKey", None), (405, "MethodNotAllowed", "v-of-the-marker")]
)
def test_deleted_object_of_a_versioned_bucket_says_so(
    site: Site, client: Any, status: int, code: str, version: str | None
) -> None:
    refuse(site, status, code, headers={"x-amz-delete-marker": "true"})
    with pytest.raises(SourceNotFound, match="delete marker"):
        open_s3(client, "bucket", "clip.mp4", version_id=version)


def test_throttled_key_is_waited_for_while_reading(site: Site, client: Any) -> None:
    site.serve(DATA)
    source = open_s3(client, "bucket", "clip.mp4")
    whole = site.answer
    refuse(site, 400, "KMS.ThrottlingException", "Rate exceeded", only="GET")
    refusing, left = site.answer, [1]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (refusing if left else whole)(handler)
        left.clear()

    site.answer = answer
    assert b"".join(source.read(0, 100)) == DATA[:100]


def test_ranges_shorter_than_asked_for_are_continued(site: Site, client: Any) -> None:
    site.serve(DATA, maximum=100_000)
    source = open_s3(client, "bucket", "clip.mp4")
    assert b"".join(source.read(7, 350_000)) == DATA[7:350_007]
    site.answer = lambda handler: answer_slice(handler)
    with pytest.raises(SourceUnavailable, match="answered a request for bytes 0-9 with 10 bytes from 50 on"):
        next(source._get(0, 10, 10))


def answer_slice(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(206)
    handler.send_header("Content-Length", "10")
    handler.send_header("Content-Range", f"bytes 50-59/{len(DATA)}")
    handler.end_headers()
    handler.wfile.write(DATA[50:60])


def test_object_stored_compressed_is_refused_and_one_that_only_says_so_is_not(site: Site, client: Any) -> None:
    site.serve(DATA, headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceNotMedia, match="gzip"):
        open_s3(client, "bucket", "clip.mp4")
    site.serve(DATA, headers={"Content-Encoding": "aws-chunked"})
    assert open_s3(client, "bucket", "clip.mp4").size == len(DATA)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-storage-class": "GLACIER"},
        {"x-amz-storage-class": "DEEP_ARCHIVE"},
        {"x-amz-storage-class": "DEEP_ARCHIVE", "x-amz-restore": 'ongoing-request="true"'},
        {"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS"},
    ],
)
def test_archived_objects(site: Site, client: Any, headers: dict[str, str]) -> None:
    site.serve(DATA, headers=headers)
    restoring = "true" in headers.get("x-amz-restore", "")
    with pytest.raises(SourceArchived, match="being restored" if restoring else "restore-object") as caught:
        open_s3(client, "bucket", "clip.mp4")
    assert caught.value.permanent is not restoring


def test_restored_and_instant_archives_are_read(site: Site, client: Any) -> None:
    restored = {"x-amz-storage-class": "GLACIER", "x-amz-restore": 'ongoing-request="false", expiry-date="x"'}
    for headers in (restored, {"x-amz-storage-class": "GLACIER_IR"}):
        site.serve(DATA, headers=headers)
        assert b"".join(open_s3(client, "bucket", "clip.mp4").read(0, 5)) == DATA[:5]


def test_empty_object(site: Site, client: Any) -> None:
    site.serve(b"", ranges=False)
    with pytest.raises(SourceEmpty):
        open_s3(client, "bucket", "clip.mp4")


def test_no_credentials_and_no_server(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    without = boto3.client("s3", endpoint_url=site.url, region_name="us-east-1")
    with pytest.raises(SourceForbidden, match="credentials"):
        open_s3(without, "bucket", "clip.mp4")
    nobody = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 0}),
    )
    with pytest.raises(SourceUnavailable):
        open_s3(nobody, "bucket", "clip.mp4")


def test_base64_is_that_of_s3() -> None:
    # The checksum S3's documentation shows is base64 of the big-endian value.
    assert to_base64(crc32c(b"123456789")) == base64.b64encode(bytes.fromhex("e3069283")).decode()
