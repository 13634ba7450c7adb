"""As much of an S3 client as putting samples takes: signature version 4 over the standard library."""

from __future__ import annotations

import hashlib
import hmac
import http.client
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["S3Client", "S3Error"]

_REGION, _SERVICE = "us-east-1", "s3"
_EMPTY = hashlib.sha256(b"").hexdigest()


class S3Error(Exception):
    """The S3 server refused a request."""


@dataclass(frozen=True, slots=True)
class S3Client:
    """Requests to an S3 server on loopback."""

    host: str
    port: int
    access_key: str
    secret_key: str = field(repr=False)

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket; one that exists already is left as it is."""
        status = self._request("PUT", f"/{bucket}")
        if status not in (200, 409):
            raise S3Error(f"PUT /{bucket}: HTTP {status}")

    def put_file(self, bucket: str, key: str, path: Path) -> None:
        """Store a file as an object."""
        status = self._request("PUT", f"/{bucket}/{quote(key)}", path)
        if status != 200:
            raise S3Error(f"PUT /{bucket}/{key}: HTTP {status}")

    def size(self, bucket: str, key: str) -> int | None:
        """Return the length of an object, or None if it does not exist."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            path = f"/{bucket}/{quote(key)}"
            connection.request("HEAD", path, headers=self._sign("HEAD", path, _EMPTY))
            reply = connection.getresponse()
            reply.read()
            return int(reply.headers["Content-Length"]) if reply.status == 200 else None
        finally:
            connection.close()

    def _request(self, method: str, path: str, file: Path | None = None) -> int:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            if file is None:
                connection.request(method, path, headers=self._sign(method, path, _EMPTY))
            else:
                with file.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                    stream.seek(0)
                    headers = self._sign(method, path, digest) | {"Content-Length": str(file.stat().st_size)}
                    connection.request(method, path, stream, headers)
            reply = connection.getresponse()
            reply.read()
            return reply.status
        finally:
            connection.close()

    def _sign(self, method: str, path: str, digest: str) -> dict[str, str]:
        """Return the headers of a request without query, signed."""
        now = datetime.now(UTC)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        headers = {"host": f"{self.host}:{self.port}", "x-amz-content-sha256": digest, "x-amz-date": stamp}
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{digest}"
        scope = f"{day}/{_REGION}/{_SERVICE}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, _REGION, _SERVICE, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return headers
