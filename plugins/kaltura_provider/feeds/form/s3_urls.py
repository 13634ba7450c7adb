"""Read the ways in which people copy the address of an S3 object: from the AWS console, as an ARN, or as a URL."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["plain_address"]

# AWS names its endpoints like this: https://docs.aws.amazon.com/general/latest/gr/s3.html
_CONSOLE = re.compile(r"(?:[a-z0-9-]{1,63}\.)?console\.aws\.amazon\.com")
_ENDPOINT = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.)?"
    r"s3(?:[.-]dualstack)?(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
)
_CONSOLE_PATH = re.compile(r"/s3/(?P<what>object|buckets)/(?P<bucket>[^/]+)/?")


def plain_address(line: str) -> str:
    """Return ``s3://bucket/key`` for another spelling of the address of an S3 object or folder.

    The spellings are URLs of objects and folders in the AWS console, ARNs (``arn:aws:s3:::bucket/key``), and path-style
    and virtual-hosted URLs of Amazon S3. Any other address is returned unchanged, and so is a presigned URL, which
    needs no other credentials.
    """
    if arn := re.fullmatch(r"arn:aws[a-z-]*:s3:::(.+)", line):
        return f"s3://{arn[1]}"
    try:
        parts = urlsplit(line)
        host = (parts.hostname or "").lower()
    except ValueError:
        return line
    if parts.scheme not in ("http", "https"):
        return line
    if _CONSOLE.fullmatch(host):
        return _from_console(parts.path, parts.query) or line
    endpoint = _ENDPOINT.fullmatch(host)
    if endpoint is None or parts.query or "@" in parts.netloc:
        return line
    path = unquote(parts.path.lstrip("/"))
    return f"s3://{endpoint['bucket']}/{path}" if endpoint["bucket"] else f"s3://{path}"


def _from_console(path: str, query: str) -> str | None:
    found = _CONSOLE_PATH.fullmatch(path)
    if found is None:
        return None
    key = parse_qs(query).get("prefix", [""])[0]
    return f"s3://{unquote(found['bucket'])}/{key}"
