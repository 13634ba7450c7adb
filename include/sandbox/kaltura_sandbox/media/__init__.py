"""Running ffmpeg: analysing, converting, taking pictures."""

from __future__ import annotations

__all__: list[str] = []
