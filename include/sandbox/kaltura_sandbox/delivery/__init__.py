"""Delivery URLs, which need no API call: manifests, thumbnails, raw files and downloads below ``/p/``."""

from __future__ import annotations

__all__: list[str] = []
