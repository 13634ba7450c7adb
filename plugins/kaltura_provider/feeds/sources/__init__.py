"""Where a feed's media comes from: one module for each ``source.type``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from kaltura_provider.feeds.fields import RENDERED
from kaltura_provider.feeds.sources.found import Found, FoundItem, Search
from kaltura_provider.feeds.sources.s3_prefix import S3Prefix

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SOURCE_TYPES", "Found", "FoundItem", "Search", "Source", "rendered_source"]

SOURCE_TYPES = ("s3_prefix",)
"""What ``source.type`` may be; the first is the default."""

Source = S3Prefix
"""The ``source`` of a feed."""


def rendered_source(fields: Mapping[str, Any]) -> Source:
    """Return a source whose templates have been rendered.

    :raises ValueError: a field does not fit; the message names it.
    """
    try:
        return TypeAdapter(Source).validate_python(dict(fields), context={RENDERED: True})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["source", *(str(part) for part in first["loc"] if part not in SOURCE_TYPES)])
        raise ValueError(f"{where} {first['input']!r} {first['msg'].removeprefix('Value error, ')}") from None
