"""The API v3: declared types, services and actions, and the path from a request to a result."""

from __future__ import annotations

__all__: list[str] = []
