"""Sources of bytes: S3 objects, HTTP(S) resources and local files, all read by offset."""

from __future__ import annotations

from kaltura_provider.upload.sources.base import Source

__all__ = ["Source"]
