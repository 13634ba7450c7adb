"""Tag, move and delete objects in S3, only as long as they hold the bytes that the caller has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["S3Changes"]

_MAX_TAGS = 10


class S3Changes:
    """Changes objects through one client. Safe to use from several threads.

    Every method may be called again after it was interrupted. An object that is gone is left as it is.

    :raises SourceError: S3 refuses, cannot be reached, or the object has changed.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

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
        from kaltura_provider.upload.sources.s3_errors import source_errors

        with source_errors(uri):
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
        from kaltura_provider.upload.sources.s3_errors import source_errors

        with source_errors(uri):
            self._client.delete_object(**_where(uri), IfMatch=etag)

    def move(self, uri: str, head: Mapping[str, Any], target: str) -> None:
        """Copy an object that is as ``head`` says to another place, and delete it once the copy is there."""
        from kaltura_provider.upload.sources.s3_errors import source_errors

        there = self.head(target)
        if there is not None and not _same(there, head):
            raise _refused(uri, f"cannot be moved: {target} exists and holds something else; remove it")
        if there is None:
            source = _where(uri)
            with source_errors(uri):
                copied = {"CopySourceIfMatch": head["ETag"], "MetadataDirective": "COPY"}
                self._client.copy(source, **_where(target), ExtraArgs=copied)
            there = self.head(target)
        if there is None or there["ContentLength"] != head["ContentLength"]:
            raise _refused(uri, f"was copied to {target}, and the copy is not whole; it stays where it is")
        self.delete(uri, str(head["ETag"]))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Compare two objects. The ETag of an object that was uploaded in parts says nothing about its copy."""
    comparable = not any("-" in str(head["ETag"]) for head in (one, other))
    return one["ContentLength"] == other["ContentLength"] and (not comparable or one["ETag"] == other["ETag"])


def _where(uri: str) -> dict[str, str]:
    bucket, key = bucket_and_key(uri)
    return {"Bucket": bucket, "Key": key}


def _refused(uri: str, problem: str) -> Exception:
    from kaltura_provider.upload.sources.errors import SourceRefused

    return SourceRefused(uri, problem)
