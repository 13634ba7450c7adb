"""Translate botocore's errors: which are transient, and what to do about the others."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from urllib3.exceptions import HTTPError

from kaltura_provider.upload.sources.errors import (
    SourceArchived,
    SourceError,
    SourceForbidden,
    SourceNotFound,
    SourceUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["archived", "error_code", "source_error", "source_errors"]

_NOT_FOUND = {
    "404": "the object does not exist",
    "NotFound": "the object does not exist",
    "NoSuchKey": "the object does not exist",
    "NoSuchBucket": "the bucket does not exist",
    "NoSuchVersion": "this version of the object does not exist",
    "InvalidBucketName": "the bucket name is not valid",
}
_CREDENTIALS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity"})
_REGION = frozenset({"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})
# Temporary credentials expire during long uploads; the next attempt gets new ones. Throttling comes from S3 or,
# behind the prefix "KMS.", from the service that holds the key.
_PASSING = frozenset(
    {
        "BandwidthLimitExceeded",
        "DependencyTimeoutException",
        "ExpiredToken",
        "InternalError",
        "KMSInternalException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TokenRefreshRequired",
        "TooManyRequests",
        "TooManyRequestsException",
    }
)
_CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})
_KMS = "KMS."
_KMS_TROUBLE = {
    "DisabledException": "its KMS key is disabled. Enable the key",
    "InvalidStateException": "its KMS key cannot be used, perhaps because it is due for deletion. Restore the key",
    "KMSInvalidStateException": "its KMS key cannot be used, perhaps because it is due for deletion. Restore the key",
    "NotFoundException": "its KMS key does not exist, or no longer exists. Restore the key, or write the object again",
}


def error_code(error: ClientError) -> str:
    """Return S3's code of an error, such as ``NoSuchKey``; a bare HTTP status where there was no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def source_error(uri: str, error: ClientError | BotoCoreError) -> SourceError:
    """Translate an error of botocore; the message never contains a signature."""
    if isinstance(error, ClientError):
        return _refusal(uri, error)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return SourceForbidden(uri, "the credentials are missing or incomplete: check the AWS connection")
    if isinstance(error, ParamValidationError):
        return SourceNotFound(uri, "the bucket or key is not valid")
    return SourceUnavailable(uri, f"the connection to S3 failed ({type(error).__name__})")


@contextmanager
def source_errors(uri: str) -> Iterator[None]:
    """Raise the errors of S3 within the block as errors of the source.

    :raises SourceError: S3 refuses, cannot be reached, or its answer breaks off.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise source_error(uri, error) from None
    except Boto3Error as error:
        raise SourceUnavailable(uri, str(error)) from None
    except (HTTPError, OSError) as error:
        raise SourceUnavailable(uri, f"the answer broke off ({type(error).__name__})") from None


def _refusal(uri: str, error: ClientError) -> SourceError:
    for judge in (_about_passing, _about_the_version, _about_encryption, _about_the_request):
        found = judge(uri, error)
        if found is not None:
            return found
    return SourceForbidden(
        uri,
        f"S3 answered {_shown(error)}: allow s3:GetObject on it (and s3:ListBucket, without which a missing object "
        "looks forbidden); if the bucket makes the requester pay, add "
        '"service_config": {"s3": {"request_payer": "requester"}} to the AWS connection\'s extra',
    )


def _about_passing(uri: str, error: ClientError) -> SourceError | None:
    code, status = error_code(error), _status(error)
    if code.removeprefix(_KMS) in _PASSING:
        whose = "the KMS key of the object is throttled or failing" if code.startswith(_KMS) else "S3 is busy"
        if code in ("ExpiredToken", "TokenRefreshRequired"):
            whose = "the temporary credentials have expired"
        return SourceUnavailable(uri, f"{whose} (S3 answered {code}); this is transient")
    if status >= 500 or status in (408, 429):
        return SourceUnavailable(uri, f"S3 answered {_shown(error)}; this is transient")
    if code in _CLOCK:
        return SourceUnavailable(
            uri,
            f"S3 answered {code}: this worker's clock is wrong by minutes. Synchronize it; another worker may succeed",
        )
    return None


def _about_the_version(uri: str, error: ClientError) -> SourceError | None:
    code, message = error_code(error), _message(error)
    headers: dict[str, Any] = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if str(headers.get("x-amz-delete-marker", "")).lower() == "true":
        return SourceNotFound(
            uri,
            "it was deleted and has a delete marker. Remove the marker, or give the version to read",
        )
    if code == "InvalidArgument" and "version" in message:
        return SourceNotFound(uri, "the version id is not valid; copy it from the bucket's list of versions")
    if code in _NOT_FOUND:
        return SourceNotFound(uri, _NOT_FOUND[code])
    if code == "InvalidObjectState":
        return archived(uri, "an archive class")
    return None


def _about_encryption(uri: str, error: ClientError) -> SourceError | None:
    code, message = error_code(error), _message(error)
    if code == "SSEEncryptedObject" or (code == "InvalidRequest" and "server side encryption" in message):
        return SourceForbidden(
            uri,
            "it is encrypted with a key that only the caller holds (SSE-C), which an upload cannot pass on. Copy it "
            "to an object encrypted with SSE-S3 or SSE-KMS",
        )
    if code.removeprefix(_KMS) in _KMS_TROUBLE and code.startswith(_KMS):
        return SourceForbidden(uri, f"S3 answered {code}: {_KMS_TROUBLE[code.removeprefix(_KMS)]}")
    if code.startswith("KMS") or "kms" in message:
        return SourceForbidden(
            uri,
            f"S3 answered {code}: it is encrypted with a KMS key that these credentials cannot use. Allow kms:Decrypt "
            "on the key to the AWS connection's identity",
        )
    return None


def _about_the_request(uri: str, error: ClientError) -> SourceError | None:
    code = error_code(error)
    if code in _REGION:
        return SourceForbidden(
            uri, f"S3 answered {code}: the bucket is in another region; set region_name in the AWS connection"
        )
    if code in _CREDENTIALS:
        return SourceForbidden(uri, f"S3 answered {code}: check the AWS connection's credentials")
    return None


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", "")).lower()


def _shown(error: ClientError) -> str:
    return error_code(error) or str(_status(error))


def archived(uri: str, storage_class: str, *, restoring: bool = False) -> SourceArchived:
    """Build the error for an object that has to be restored first.

    :param restoring: its restore has begun.
    """
    if restoring:
        return SourceArchived(
            uri,
            f"it is being restored from {storage_class}, which takes minutes to hours; try again then",
            restoring=True,
        )
    return SourceArchived(
        uri,
        f"it is archived ({storage_class}) and has to be restored first: run `aws s3api restore-object` (or use a "
        "lifecycle rule), wait until it is done, then try again",
    )
