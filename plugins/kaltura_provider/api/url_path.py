"""The parts of every delivery URL: host, partner, and encoded ``/name/value`` pairs."""

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
    """Return ``https://cdn/p/102``, or with ``sub_partner`` ``https://cdn/p/102/sp/10200``.

    :raises KalturaConfigurationError: the host is not valid, or the partner id is not a number.
    """
    partner = number(partner_id, "partner_id", minimum=1)
    base = f"{normalize_host(cdn_host, field='CDN host')}/p/{partner}"
    return f"{base}/sp/{partner}00" if sub_partner else base


def optional(read: Callable[[object, str], ValueT], value: object, name: str) -> ValueT | None:
    """Check a value with a function of :mod:`~kaltura_provider.api.arguments`; return ``None`` if it is left out."""
    return None if value is None else read(value, name)


def file_name_value(file_name: str | None) -> str | None:
    """Return a checked file name. Web servers refuse an encoded slash."""
    if file_name is not None and (not file_name.strip(".") or "/" in file_name or "\\" in file_name):
        raise KalturaConfigurationError("file_name", file_name, "is not a plain file name", "leave out its folder")
    return file_name


def encode_referrer(referrer: str | None) -> str | None:
    """Return the referrer as the base64 text that delivery URLs carry.

    Its query is left out, and other characters are percent-encoded. The base64 text then has no slash, which would
    split the path. Access control only checks the host.

    :raises KalturaConfigurationError: the referrer is not an http or https URL.
    """
    if referrer is None:
        return None
    parts = urlsplit(referrer)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise KalturaConfigurationError(
            "referrer", referrer, "is not an http or https URL", "give a URL such as https://host/path"
        )
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
        value = int(value)  # a member of an enumeration would show its name
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return quote(str(value), safe=",")
