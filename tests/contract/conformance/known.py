"""The steps that cannot be replayed, and those known to differ: each with its reason."""

from __future__ import annotations

__all__ = ["DIFFERENT", "SKIPPED"]

# Step -> why it is not sent at all.
SKIPPED: dict[str, str] = {}

# Step -> why the sandbox answers otherwise.
DIFFERENT: dict[str, str] = {}
