"""What the numbers of statuses mean, for people."""

from __future__ import annotations

from typing import Any

from kaltura_sandbox.web.html import Markup, badge

__all__ = ["asset_status", "entry_status", "moderation", "token_status"]

_ENTRY = {
    -2: ("error importing", "bad"),
    -1: ("error converting", "bad"),
    0: ("importing", "busy"),
    1: ("converting", "busy"),
    2: ("ready", "good"),
    3: ("deleted", ""),
    4: ("pending", ""),
    7: ("no content", ""),
}
_ASSET = {
    -1: ("error", "bad"),
    0: ("queued", "busy"),
    1: ("converting", "busy"),
    2: ("ready", "good"),
    3: ("deleted", ""),
    4: ("not applicable", ""),
    6: ("waits for conversion", "busy"),
    7: ("importing", "busy"),
}
_TOKEN = {
    0: ("pending", ""),
    1: ("partly uploaded", "busy"),
    2: ("full", "good"),
    3: ("closed", ""),
    5: ("deleted", ""),
}
_MODERATION = {1: "pending", 2: "approved", 3: "rejected", 4: "deleted", 5: "flagged", 6: "approved by default"}


def _label(table: dict[int, tuple[str, str]], status: Any) -> Markup:
    text, kind = table.get(status, (str(status), "bad" if isinstance(status, str) else ""))
    return badge(text, kind)


def entry_status(status: Any) -> Markup:
    """Return the label of an entry's status; plugin statuses are shown as they are."""
    return _label(_ENTRY, status)


def asset_status(status: Any) -> Markup:
    """Return the label of an asset's status."""
    return _label(_ASSET, status)


def token_status(status: Any) -> Markup:
    """Return the label of an upload token's status."""
    return _label(_TOKEN, status)


def moderation(status: Any) -> str:
    """Return a moderation status in words."""
    return _MODERATION.get(status, str(status))
