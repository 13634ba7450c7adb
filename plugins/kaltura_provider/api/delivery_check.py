"""Fetch a delivery URL as a player would, and describe what came back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests

from kaltura_provider.api.errors import KalturaConfigurationError, KalturaTransportError, TransportFault
from kaltura_provider.api.redaction import redact

__all__ = ["Delivered", "DeliveredKind", "DeliveryError", "fetch_delivery"]

_MOST = 2 * 1024 * 1024
_REASONS = {
    "1": "the entry does not exist",
    "2": "the entry is outside its schedule",
    "3": "the entry's access control refuses access",
    "4": "the text given as a session is not one",
    "5": "the file is missing",
    "6": "no flavor can be played: none is READY, or none has the tags that players ask for",
    "7": "the session is invalid",
    "9": "the entry is deleted or not approved",
    "11": "the server is still making the thumbnail",
    "12": "this kind of URL cannot deliver entries of this type",
    "13": "the entry is waiting for moderation",
    "31": "the session has expired",
    "58": "the entry is in the recycle bin",
}
_FOR_GOOD = frozenset({"1", "4", "12"})


class DeliveredKind(StrEnum):
    """What kind of content a delivery URL returned."""

    HLS = "hls"
    DASH = "dash"
    PICTURE = "picture"
    FILE = "file"


_EXPECTED = {
    DeliveredKind.HLS: "an HLS manifest",
    DeliveredKind.DASH: "a DASH manifest",
    DeliveredKind.PICTURE: "a picture",
    DeliveredKind.FILE: "a file",
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery URL returned. ``url`` has no secrets; ``size`` is in bytes, ``None`` if unknown."""

    url: str
    status: int
    content_type: str
    kind: DeliveredKind
    what: str
    size: int | None = None
    renditions: int | None = None


class DeliveryError(KalturaTransportError):
    """A delivery URL returned nothing that can be played or shown. ``reason`` is Kaltura's number for the cause."""

    reason = ""

    @property
    def retry_helps(self) -> bool:
        """Whether the URL may work later."""
        return self.reason not in _FOR_GOOD


def fetch_delivery(url: str, *, expected: DeliveredKind | None = None, timeout: float = 30.0) -> Delivered:
    """Fetch a URL, follow its redirects, and read enough to recognize the content.

    :param expected: the kind of content the URL must return.
    :param timeout: seconds to wait for a connection and for each next piece of data.
    :raises DeliveryError: the URL returned nothing, an error, or other content; names Kaltura's reason or the content.
    :raises KalturaConfigurationError: the URL is not an http or https URL.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise KalturaConfigurationError(
            "url", url, "is not an http or https URL", "give a URL such as https://host/path"
        )
    try:
        with requests.get(url, stream=True, timeout=timeout, headers={"Accept-Encoding": "identity"}) as reply:
            body = b"".join(_some(reply))
            found = _described(url, reply, body)
    except requests.RequestException as error:
        fault = TransportFault.TIMEOUT if isinstance(error, requests.Timeout) else TransportFault.CONNECT
        raise DeliveryError(f"{redact(url)} did not answer ({type(error).__name__})", fault=fault) from None
    if expected not in (None, found.kind):
        came = f"{found.what} ({found.content_type or 'no content type'}, {found.size} bytes{_beginning(body)})"
        raise _failure(f"{found.url}: {_EXPECTED[expected]} was expected, but the server sent: {came}", 200, "")
    return found


def _beginning(body: bytes) -> str:
    """Return the beginning of a text file, and nothing of other files."""
    try:
        text = " ".join(body[:60].decode("ascii").split())
    except ValueError:
        return ""
    return f", beginning with {redact(text)!r}" if text.isprintable() else ""


def _some(reply: requests.Response) -> Any:
    """Yield the body up to the size that is needed to recognize it."""
    taken = 0
    for piece in reply.iter_content(65536):
        yield piece
        taken += len(piece)
        if taken >= _MOST:
            return


def _described(url: str, reply: requests.Response, body: bytes) -> Delivered:
    shown = redact(url)
    number = _error_number(reply)
    if number or reply.status_code != 200 or not body:
        reason = _REASONS.get(number, reply.headers.get("X-Kaltura-App", "") or "the answer is empty")
        raise _failure(f"{shown}: HTTP {reply.status_code}, {redact(reason)}", reply.status_code, number)
    said = reply.headers.get("Content-Length", "")
    size = int(said) if said.isdecimal() else (len(body) if len(body) < _MOST else None)
    content_type = reply.headers.get("Content-Type", "").split(";")[0].strip().lower()
    made = partial(Delivered, url=shown, status=200, size=size, content_type=content_type)
    start = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"#EXTM3U"):
        what, count = _hls(shown, body)
        return made(kind=DeliveredKind.HLS, what=what, renditions=count)
    if b"<MPD" in start:
        count = len(re.findall(rb"<Representation[\s>]", body))
        if not count:
            raise _failure(f"{shown}: the DASH manifest has no renditions", 200, "6")
        return made(kind=DeliveredKind.DASH, what=f"DASH manifest with {count} renditions", renditions=count)
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise _failure(f"{shown}: the server sent a web page instead of content", 200, "")
    if content_type.startswith("image/"):
        return made(kind=DeliveredKind.PICTURE, what=f"{content_type.removeprefix('image/')} picture")
    return made(kind=DeliveredKind.FILE, what="file")


def _hls(shown: str, body: bytes) -> tuple[str, int | None]:
    """Return what an HLS manifest is, and how many renditions it has."""
    lines = body.decode("utf-8", "replace").splitlines()
    count = sum(line.startswith("#EXT-X-STREAM-INF") for line in lines) or None
    parts = [line for line in lines if line.strip() and not line.lstrip("\ufeff ").startswith("#")]
    if not parts:
        raise _failure(f"{shown}: the HLS manifest has no renditions", 200, "6")
    return f"HLS manifest with {count} renditions" if count else f"HLS playlist with {len(parts)} segments", count


def _error_number(reply: requests.Response) -> str:
    for name in ("X-Kaltura-App", "X-Kaltura"):
        if found := re.search(r"error[- ]+(\d+)", reply.headers.get(name, "")):
            return found[1]
    return ""


def _failure(message: str, status: int, number: str) -> DeliveryError:
    error = DeliveryError(message, fault=TransportFault.STATUS, status=status)
    error.reason = number
    return error
