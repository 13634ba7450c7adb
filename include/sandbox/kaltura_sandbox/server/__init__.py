"""A small threaded HTTP/1.1 server that streams request bodies."""

from __future__ import annotations

__all__: list[str] = []
