"""Kaltura sessions: the KS strings, versions 1 and 2, and whether one is still good."""

from __future__ import annotations

__all__: list[str] = []
