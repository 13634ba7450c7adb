"""The sandbox's own page: entries as a person sees them."""

from __future__ import annotations

__all__: list[str] = []
