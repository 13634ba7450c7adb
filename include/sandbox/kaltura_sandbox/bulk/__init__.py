"""Bulk upload: many entries from one file, each fetched by its URL."""

from __future__ import annotations

__all__: list[str] = []
