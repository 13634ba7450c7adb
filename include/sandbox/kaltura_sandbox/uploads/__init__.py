"""Upload tokens: their life cycle, how chunks become a file, and the objects they are attached to."""

from __future__ import annotations

__all__: list[str] = []
