"""Feeds: YAML descriptions of recurring ingests, and the DAGs they become."""

from __future__ import annotations

__all__ = ["schema", "load", "discover", "form", "pipeline", "summary", "dag"]
