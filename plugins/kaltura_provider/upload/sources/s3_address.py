"""The parts of the address of an S3 object or prefix."""

from __future__ import annotations

__all__ = ["bucket_and_key"]


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Return the bucket and the key (or prefix) of ``s3://bucket/key``. Both are as written, and may be empty."""
    bucket, _, key = uri.partition(":")[2].removeprefix("//").partition("/")
    return bucket, key
