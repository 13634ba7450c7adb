"""State on disk: one SQLite file, the uploaded bytes beside it."""

from __future__ import annotations

__all__: list[str] = []
