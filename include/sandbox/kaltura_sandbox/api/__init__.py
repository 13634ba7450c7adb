"""The API v3 machinery: declared types, services and actions, and the way from a request to a result."""

from __future__ import annotations

__all__: list[str] = []
