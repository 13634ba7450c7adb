"""Recognize Kaltura sessions in text."""

from __future__ import annotations

import base64
import binascii
import re

__all__ = ["is_session_text"]

_SESSION_V1 = re.compile(rb"[0-9a-f]{40}\|")


def is_session_text(text: str) -> bool:
    """Return whether ``text`` has the format of a Kaltura session (version 1 or 2), valid or not."""
    alphabet = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
    # The first bytes identify even a session that was cut off, so decode whole groups only.
    try:
        head = base64.b64decode(alphabet[:56] if len(alphabet) >= 56 else alphabet[: len(alphabet) // 4 * 4])
    except (ValueError, binascii.Error):
        return False
    return head.startswith(b"v2|") or _SESSION_V1.match(head) is not None
