"""Tag, copy and delete objects in S3, only as long as they hold the bytes that the caller has seen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["S3Changes", "changing"]

_MAX_TAGS = 10
# To compare two objects, a part of each is in memory.
_PART = 4 * 1024 * 1024
_NOT_AS_SEEN = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")
# Answers of stores that cannot say that nothing may be there.
_NOT_KNOWN = ("501", "NotImplemented", "InvalidArgument", "InvalidRequest")
_FORBIDDEN = ("403", "AccessDenied", "Forbidden")
# The requests that make an object of a copy. The name of the event ends with that of the operation.
_COMPLETES_A_COPY = ("provide-client-params.s3.CopyObject", "provide-client-params.s3.CompleteMultipartUpload")


class S3Changes:
    """Changes objects through one client. Safe to use from several threads.

    Every method may be called again after it was interrupted. An object that is gone is left as it is.

    :param client: a client for this object alone: its copies never replace an object.
    :raises SourceError: S3 refuses, cannot be reached, or the object has changed.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._only_new = True
        for event in _COMPLETES_A_COPY:
            client.meta.events.register(event, self._ask_for_a_new_object)

    def head(self, uri: str) -> dict[str, Any] | None:
        """Return size (``ContentLength``) and ``ETag`` of an object; ``None`` if it is gone."""
        from kaltura_provider.upload.sources.errors import SourceNotFound
        from kaltura_provider.upload.sources.s3_errors import source_errors

        try:
            with source_errors(uri):
                return dict(self._client.head_object(**_where(uri)))
        except SourceNotFound:
            return None

    def tag(self, uri: str, tags: Mapping[str, str]) -> None:
        """Add tags to an object, and keep its others."""
        with changing(uri, "tagged", "s3:GetObjectTagging and s3:PutObjectTagging"):
            found = self._client.get_object_tagging(**_where(uri))["TagSet"]
            known = {tag["Key"]: tag["Value"] for tag in found}
            if {**known, **tags} == known:
                return
            if len({**known, **tags}) > _MAX_TAGS:
                raise _refused(uri, f"has {len(known)} tags, and S3 allows {_MAX_TAGS}; remove some")
            wanted = [{"Key": key, "Value": value} for key, value in {**known, **tags}.items()]
            self._client.put_object_tagging(**_where(uri), Tagging={"TagSet": wanted})

    def delete(self, uri: str, etag: str) -> None:
        """Delete an object that has this ETag."""
        from botocore.exceptions import ClientError

        with changing(uri, "deleted", "s3:DeleteObject"):
            try:
                self._client.delete_object(**_where(uri), IfMatch=etag)
            except ClientError:
                if self.head(uri) is not None:
                    raise

    def is_at(self, uri: str, head: Mapping[str, Any], target: str) -> bool:
        """Tell whether a copy of an object that is as ``head`` says is at another place already.

        :raises SourceError: something else is there.
        """
        there = self.head(target)
        if there is None:
            return False
        if not self._is_same(uri, head, target, there):
            raise _refused(uri, f"cannot be moved: {target} exists and holds something else; remove it")
        return True

    def copy(self, uri: str, head: Mapping[str, Any], target: str) -> None:
        """Copy an object that is as ``head`` says to another place, where nothing is.

        Its metadata and tags go with it.
        """
        from botocore.exceptions import ClientError

        from kaltura_provider.upload.sources.s3_errors import error_code

        what, permission = f"copied to {target}", f"s3:GetObject on it, and s3:PutObject on {target}"
        with changing(uri, what, permission):
            try:
                self._copy(uri, head, target)
            except ClientError as error:
                if error_code(error) in _NOT_KNOWN and self._only_new:
                    self._only_new = False
                    self._copy(uri, head, target)
                # Also an answer that was lost, after which botocore asks again.
                elif error_code(error) not in _NOT_AS_SEEN or not self.is_at(uri, head, target):
                    raise
        there = self.head(target)
        if there is None or there["ContentLength"] != head["ContentLength"]:
            raise _refused(uri, f"was copied to {target}, and the copy is not whole; it stays where it is")

    def _copy(self, uri: str, head: Mapping[str, Any], target: str) -> None:
        said = {"CopySourceIfMatch": head["ETag"], "MetadataDirective": "COPY"}
        if head.get("TagCount"):
            # Of an object that is copied in parts, boto3 leaves the tags behind otherwise.
            said["TaggingDirective"] = "COPY"
        self._client.copy(_where(uri), **_where(target), ExtraArgs=said)

    def _ask_for_a_new_object(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """Have S3 refuse a copy to a place where something is, also if that came in the meantime."""
        if self._only_new and "IfNoneMatch" in model.input_shape.members:
            params["IfNoneMatch"] = "*"

    def _is_same(self, one: str, its: Mapping[str, Any], other: str, others: Mapping[str, Any]) -> bool:
        """Compare two objects. Only equal ETags say something: uploads in parts and KMS give equal bytes others."""
        size = its["ContentLength"]
        if size != others["ContentLength"]:
            return False
        return bool(its["ETag"] == others["ETag"]) or all(
            self._part(one, its, start) == self._part(other, others, start) for start in range(0, size, _PART)
        )

    def _part(self, uri: str, head: Mapping[str, Any], start: int) -> bytes:
        from kaltura_provider.upload.sources.s3_errors import source_errors

        wanted = {"Range": f"bytes={start}-{start + _PART - 1}", "IfMatch": head["ETag"]}
        with source_errors(uri):
            return bytes(self._client.get_object(**_where(uri), **wanted)["Body"].read())


@contextmanager
def changing(uri: str, what: str, permissions: str) -> Iterator[None]:
    """Raise the errors of S3 within the block as errors of the source.

    :param what: what is to be done with the object. :param permissions: what that takes.
    """
    from botocore.exceptions import ClientError

    from kaltura_provider.upload.sources.errors import SourceForbidden, SourceUnavailable
    from kaltura_provider.upload.sources.s3_errors import error_code, source_errors

    with source_errors(uri):
        try:
            yield
        except ClientError as error:
            code = error_code(error)
            if code in _NOT_AS_SEEN:
                text = f"was not {what}, because it or what is there has changed meanwhile; the next run tries again"
                raise SourceUnavailable(uri, text) from None
            if code in _FORBIDDEN:
                raise SourceForbidden(uri, f"may not be {what} ({code}); allow {permissions}") from None
            raise


def _where(uri: str) -> dict[str, str]:
    bucket, key = bucket_and_key(uri)
    return {"Bucket": bucket, "Key": key}


def _refused(uri: str, problem: str) -> Exception:
    from kaltura_provider.upload.sources.errors import SourceRefused

    return SourceRefused(uri, problem)
