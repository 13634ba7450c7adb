"""The wire format: parameters of requests, and replies as JSON, XML, PHP or JSONP."""

from __future__ import annotations

__all__: list[str] = []
