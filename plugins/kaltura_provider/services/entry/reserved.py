"""The adminTags of ingest. Everything that writes adminTags keeps them."""

from __future__ import annotations

import re

__all__ = ["is_mark"]

_MARK = re.compile(r"kai[0-9]+(:.*)?", re.IGNORECASE | re.DOTALL)


def is_mark(tag: str) -> bool:
    """Return whether an adminTag belongs to ingest: ``kai<n>``, alone or before a colon."""
    return _MARK.fullmatch(tag.strip()) is not None
