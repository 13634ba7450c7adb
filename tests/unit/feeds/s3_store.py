"""A client of S3 whose objects are in memory."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, MutableMapping
from typing import Any


class _Body(io.BytesIO):
    """The body of an answer of boto3."""

    def iter_chunks(self, chunk_size: int) -> Iterator[bytes]:
        return iter(lambda: self.read(chunk_size), b"")


class Store:
    """What the code asks of an S3 client, and how often."""

    def __init__(self) -> None:
        self.objects: MutableMapping[str, bytes] = {}
        self.reads: list[str] = []

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - the names of boto3
        self.reads.append(Key)
        content = self.objects[Key]
        return {"Body": _Body(content), "ContentLength": len(content), "ETag": hashlib.md5(content).hexdigest()}

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:  # noqa: N803 - the names of boto3
        return {"KeyCount": sum(key.startswith(Prefix) for key in self.objects)}

    def get_paginator(self, _: str) -> Store:
        return self

    def paginate(self, Bucket: str, Prefix: str, Delimiter: str) -> list[dict[str, Any]]:  # noqa: N803 - the names of boto3
        names = {key[len(Prefix) :].partition("/")[0] for key in self.objects if key.startswith(Prefix)}
        return [{"CommonPrefixes": [{"Prefix": f"{Prefix}{name}/"} for name in sorted(names)]}]
