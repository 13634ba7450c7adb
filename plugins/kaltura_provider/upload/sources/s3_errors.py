"""What botocore's errors mean for somebody who wants an object: which to wait for, and what to do about the others."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from kaltura_provider.upload.sources.errors import (
    SourceArchived,
    SourceError,
    SourceForbidden,
    SourceNotFound,
    SourceUnavailable,
)

__all__ = ["archived", "error_code", "source_error"]

_NOT_FOUND = {
    "404": "there is no such object",
    "NotFound": "there is no such object",
    "NoSuchKey": "there is no such object",
    "NoSuchBucket": "there is no such bucket",
    "NoSuchVersion": "there is no such version of the object",
    "InvalidBucketName": "this is no possible name of a bucket",
}
_CREDENTIALS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity"})
_REGION = frozenset({"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})
# Temporary credentials run out in long uploads; the next attempt comes with new ones.
_PASSING = frozenset({"ExpiredToken", "RequestTimeout", "SlowDown", "ServiceUnavailable", "InternalError"})


def error_code(error: ClientError) -> str:
    """Return S3's code of an error, such as ``NoSuchKey``; a bare HTTP status where there was no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def source_error(uri: str, error: ClientError | BotoCoreError) -> SourceError:
    """Translate an error of botocore; the message never holds a signature."""
    if isinstance(error, ClientError):
        return _refusal(uri, error)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return SourceForbidden(uri, "there are no (complete) credentials: check the AWS connection")
    if isinstance(error, ParamValidationError):
        return SourceNotFound(uri, "this is no possible bucket and key")
    return SourceUnavailable(uri, f"S3 cannot be reached or broke off ({type(error).__name__})")


def _refusal(uri: str, error: ClientError) -> SourceError:
    code = error_code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    message = str(error.response.get("Error", {}).get("Message", ""))
    if code in _NOT_FOUND:
        return SourceNotFound(uri, _NOT_FOUND[code])
    if code == "InvalidObjectState":
        return archived(uri, "an archive class")
    if code in _PASSING or status >= 500 or status in (408, 429):
        return SourceUnavailable(uri, f"S3 answered {code or status}")
    if code.startswith("KMS") or "kms" in message.lower():
        return SourceForbidden(
            uri,
            f"S3 answered {code}: it is encrypted with a KMS key that these credentials may not use, or the key is "
            "disabled. Allow kms:Decrypt on the key to the AWS connection's identity",
        )
    if code in _REGION:
        return SourceForbidden(
            uri, f"S3 answered {code}: the bucket is in another region; set region_name in the AWS connection"
        )
    if code in _CREDENTIALS:
        return SourceForbidden(uri, f"S3 answered {code}: check the AWS connection's credentials")
    return SourceForbidden(
        uri,
        f"S3 answered {code or status}: allow s3:GetObject on it (and s3:ListBucket, without which a missing object "
        "looks forbidden); if the bucket makes the requester pay, add "
        '"service_config": {"s3": {"request_payer": "requester"}} to the AWS connection\'s extra',
    )


def archived(uri: str, storage_class: str) -> SourceArchived:
    """Build the error for an object that has to be restored first."""
    return SourceArchived(
        uri,
        f"it lies in {storage_class} and cannot be read before it is restored: run "
        "`aws s3api restore-object` (or a lifecycle rule), wait for it, then try again",
    )
