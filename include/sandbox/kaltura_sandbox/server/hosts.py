"""Which ``Host`` headers are answered: a page that rebinds its name to this machine must not reach the sandbox."""

from __future__ import annotations

import re

__all__ = ["LOOPBACK", "host_name", "is_allowed"]

# IPv6 addresses without their brackets.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_HOST = re.compile(r"(?:\[(?P<ip6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d*)?")


def host_name(header: str) -> str:
    """Return the name or address in a ``Host`` header, in lower case and without its port; empty when malformed."""
    found = _HOST.fullmatch(header.strip().lower())
    return (found["ip6"] or found["name"]) if found else ""


def is_allowed(header: str | None, names: frozenset[str]) -> bool:
    """Whether a request with this ``Host`` header is answered.

    :param header: the header; None when the client sent none, which no browser does.
    :param names: host names that are allowed besides those of loopback, in lower case.
    """
    return header is None or host_name(header) in LOOPBACK | names
