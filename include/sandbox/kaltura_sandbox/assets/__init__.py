"""Assets of entries: flavors first of all, and what all kinds share."""

from __future__ import annotations

__all__: list[str] = []
