"""Ids in Kaltura's shapes: data centre 0, an underscore, then letters and digits."""

from __future__ import annotations

import random
import string

__all__ = ["new_object_id", "new_secret", "new_token_id"]

_LETTERS = string.ascii_lowercase + string.digits
_RANDOM = random.SystemRandom()


def new_object_id() -> str:
    """Return an entry's or asset's id: ``0_`` and 8 characters."""
    return "0_" + "".join(_RANDOM.choices(_LETTERS, k=8))


def new_secret() -> str:
    """32 hex digits."""
    return f"{_RANDOM.getrandbits(128):032x}"


def new_token_id() -> str:
    """Return an upload token's id: ``0_`` and 32 hex digits."""
    return "0_" + new_secret()
