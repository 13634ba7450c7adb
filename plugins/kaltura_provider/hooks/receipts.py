"""Open the place where receipts are kept: a local folder or an S3 prefix."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LocalReceipts", "ReceiptSink", "S3Receipts", "receipt_sink"]


class ReceiptSink(Protocol):
    """Stores receipts; ``path`` is relative, with ``/`` between its parts."""

    def write(self, path: str, content: bytes) -> str:
        """Store ``content`` at ``path``, replacing what was there, and return the full location."""

    def read(self, folder: str) -> Iterator[bytes]:
        """Yield the content of each file directly in a folder, which is relative and ends with ``/``."""


@dataclass(frozen=True, slots=True)
class LocalReceipts:
    """Receipts in a local folder. A reader never sees half a receipt."""

    root: Path | str

    def write(self, path: str, content: bytes) -> str:
        """Write a temporary file and rename it; raises :class:`OSError`."""
        target = Path(self.root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            part.write_bytes(content)
            part.replace(target)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
        return str(target)

    def read(self, folder: str) -> Iterator[bytes]:
        """Yield the files; raises :class:`OSError`."""
        place = Path(self.root) / folder
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if not path.name.startswith("."):
                yield path.read_bytes()


@dataclass(frozen=True, slots=True)
class S3Receipts:
    """Receipts under a prefix of a bucket, written through an S3 client."""

    client: Any
    bucket: str
    prefix: str = ""

    def write(self, path: str, content: bytes) -> str:
        """Put the object; raises whatever the client raises."""
        key = self._key(path)
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType="application/json")
        return f"s3://{self.bucket}/{key}"

    def read(self, folder: str) -> Iterator[bytes]:
        """Yield the objects; raises whatever the client raises."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._key(folder))
        for page in pages:
            for item in page.get("Contents", ()):
                yield self.client.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read()

    def _key(self, path: str) -> str:
        return "/".join(part for part in (self.prefix.strip("/"), path) if part)


def receipt_sink(root: str, *, aws_conn_id: str = "aws_default") -> ReceiptSink:
    """Return the receipt sink for an address.

    :param root: ``s3://bucket/prefix``, ``file:///path`` or an absolute path.
    :raises KalturaConfigurationError: the address is none of these, or a folder that this deployment does not allow.
    """
    from kaltura_provider.hooks.local_files import allowed_path
    from kaltura_provider.hooks.sources import s3_client

    if root.startswith("s3://"):
        bucket, _, prefix = root.removeprefix("s3://").partition("/")
        return S3Receipts(s3_client(aws_conn_id), bucket, prefix)
    return LocalReceipts(allowed_path(root, "receipts"))
