"""What all delivery URLs are made of: host, partner, and ``/name/value`` pairs fit for a web server."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit

from kaltura_provider.api.arguments import number
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.service_url import normalize_host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["delivery_base", "encode_referrer", "file_name_value", "optional", "path_pairs"]

ValueT = TypeVar("ValueT")


def delivery_base(cdn_host: str, partner_id: int | str, *, sub_partner: bool = False) -> str:
    """Return ``https://cdn/p/102``, with ``sub_partner`` ``https://cdn/p/102/sp/10200``.

    :raises KalturaConfigurationError: the host is none, or the partner id is no number.
    """
    partner = number(partner_id, "partner_id", minimum=1)
    base = f"{normalize_host(cdn_host, field='CDN host')}/p/{partner}"
    return f"{base}/sp/{partner}00" if sub_partner else base


def optional(read: Callable[[object, str], ValueT], value: object, name: str) -> ValueT | None:
    """Return what a reader of :mod:`~kaltura_provider.api.arguments` makes of a value; ``None`` of one left out."""
    return None if value is None else read(value, name)


def file_name_value(file_name: str | None) -> str | None:
    """Return a file name, checked: web servers refuse an encoded slash."""
    if file_name is not None and (not file_name.strip(".") or "/" in file_name or "\\" in file_name):
        raise KalturaConfigurationError("file_name", file_name, "is no plain file name", "leave its folder out")
    return file_name


def encode_referrer(referrer: str | None) -> str | None:
    """Return the referrer as the base64 text that delivery URLs carry.

    Its query is left out and other characters are percent-encoded: what is left encodes to base64 without a slash,
    which would split the path; access control looks at the host only.

    :raises KalturaConfigurationError: it is no http or https URL.
    """
    if referrer is None:
        return None
    parts = urlsplit(referrer)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise KalturaConfigurationError("referrer", referrer, "is no URL", "give https://host/path")
    host = parts.netloc.rpartition("@")[2].encode("idna").decode()
    plain = f"{parts.scheme}://{host}{quote(parts.path, safe='/%')}"
    return base64.b64encode(plain.encode()).decode()


def path_pairs(pairs: Mapping[str, object]) -> str:
    """Return ``/name/value`` for every value that is not ``None``, in order, percent-encoded."""
    return "".join(f"/{name}/{_text(value)}" for name, value in pairs.items() if value is not None)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        value = int(value)  # an enumeration's member shows its name otherwise
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return quote(str(value), safe=",")
