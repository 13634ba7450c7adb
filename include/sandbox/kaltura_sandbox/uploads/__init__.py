"""Upload tokens: their life, the rules by which chunks are put together, and what they are attached to."""

from __future__ import annotations

__all__: list[str] = []
