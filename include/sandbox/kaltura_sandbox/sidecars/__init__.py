"""Thumbnails, captions and attachments: the assets beside an entry's flavors."""

from __future__ import annotations

__all__: list[str] = []
