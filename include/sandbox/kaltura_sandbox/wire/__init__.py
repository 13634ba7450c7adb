"""What travels on the wire: parameters in, JSON, XML, PHP or JSONP out."""

from __future__ import annotations

__all__: list[str] = []
