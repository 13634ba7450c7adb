"""Assets of entries: flavors, and the code that all kinds share."""

from __future__ import annotations

__all__: list[str] = []
