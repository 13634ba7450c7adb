"""Write files to a local folder or below an S3 prefix, for receipts and for results that are too long for XCom.

This does not use Airflow's ``ObjectStoragePath``, which needs ``s3fs`` for S3 and writes local files in place, so a
reader could see half a file.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kaltura_provider.hooks.s3_changes import changing
from kaltura_provider.upload.sources.s3_address import bucket_and_key
from kaltura_provider.upload.sources.s3_errors import source_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

__all__ = ["Destination", "LocalFolder", "S3Prefix", "destination"]


class Destination(Protocol):
    """A place for files. Paths are relative, with ``/`` between their parts. Errors of the storage are passed on."""

    def write(self, path: str, content: bytes) -> str:
        """Store ``content`` at ``path``, replacing an earlier file, and return the full location."""

    def staged(self, path: str) -> AbstractContextManager[Path]:
        """Return a context with a local file to write. Without an error, it replaces ``path`` at the end."""

    def read(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield the location and content of each file directly in a folder, whose path ends with ``/``."""


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A local folder. A file is renamed when it is complete, so readers never see half of it."""

    root: Path

    def write(self, path: str, content: bytes) -> str:
        """Write a file."""
        with self.staged(path) as file:
            file.write_bytes(content)
        return str(self.root / path)

    @contextmanager
    def staged(self, path: str) -> Iterator[Path]:
        """Yield a file in the folder of ``path``."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".kaltura-") as folder:
            file = Path(folder, target.name)
            yield file
            file.replace(target)

    def read(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield the files in the order of their names."""
        place = self.root / folder
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if path.is_file() and not path.name.startswith("."):
                yield str(path), path.read_bytes()


@dataclass(frozen=True, slots=True)
class S3Prefix:
    """Objects below a prefix of a bucket, through an S3 client.

    :raises SourceError: S3 refuses, or cannot be reached.
    """

    client: Any
    bucket: str
    prefix: str = ""

    def write(self, path: str, content: bytes) -> str:
        """Put an object."""
        key = self._key(path)
        with changing(f"s3://{self.bucket}/{key}", "written", "s3:PutObject"):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType="application/json")
        return f"s3://{self.bucket}/{key}"

    @contextmanager
    def staged(self, path: str) -> Iterator[Path]:
        """Yield a temporary file, and upload it."""
        with tempfile.TemporaryDirectory(prefix="kaltura-") as folder:
            file = Path(folder, Path(path).name)
            yield file
            with changing(f"s3://{self.bucket}/{self._key(path)}", "written", "s3:PutObject"):
                self.client.upload_file(str(file), self.bucket, self._key(path))

    def read(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield the objects in the order of their keys."""
        place = {"Bucket": self.bucket, "Prefix": self._key(folder)}
        with source_errors(f"s3://{self.bucket}/{self._key(folder)}"):
            for page in self.client.get_paginator("list_objects_v2").paginate(**place):
                for item in page.get("Contents", ()):
                    answer = self.client.get_object(Bucket=self.bucket, Key=item["Key"])
                    yield f"s3://{self.bucket}/{item['Key']}", answer["Body"].read()

    def _key(self, path: str) -> str:
        return "/".join(part for part in (self.prefix.strip("/"), path) if part)


def destination(root: str, *, argument: str, aws_conn_id: str = "aws_default") -> Destination:
    """Return the destination for an address.

    :param root: ``s3://bucket/prefix``, ``file:///path`` or an absolute path.
    :param argument: the name of the argument, for errors.
    :raises KalturaConfigurationError: the address is none of these, or a folder that this deployment does not allow.
    """
    from kaltura_provider.hooks.local_files import allowed_path
    from kaltura_provider.hooks.sources import shared_s3_client

    if root.startswith("s3://"):
        bucket, prefix = bucket_and_key(root)
        return S3Prefix(shared_s3_client(aws_conn_id), bucket, prefix)
    return LocalFolder(allowed_path(root, argument))
