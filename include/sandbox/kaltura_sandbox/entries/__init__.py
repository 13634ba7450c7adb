"""Entries: their types, properties, life, content and search."""

from __future__ import annotations

__all__: list[str] = []
