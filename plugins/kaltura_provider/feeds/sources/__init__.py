"""The sources of feeds: one module for each ``source.type``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter, ValidationError

from kaltura_provider.api.redaction import printable
from kaltura_provider.feeds.fields.types import RENDERED
from kaltura_provider.feeds.sources.found import Found, FoundItem, Search
from kaltura_provider.feeds.sources.manifest import Manifest
from kaltura_provider.feeds.sources.rss import Rss
from kaltura_provider.feeds.sources.s3_inventory import S3Inventory
from kaltura_provider.feeds.sources.s3_new import S3New
from kaltura_provider.feeds.sources.s3_prefix import S3Prefix
from kaltura_provider.feeds.sources.sqs import Sqs
from kaltura_provider.feeds.sources.urls import Urls

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SOURCE_TYPES", "Found", "FoundItem", "Search", "Source", "rendered_source"]

SOURCE_TYPES = ("s3_prefix", "s3_new", "urls", "manifest", "rss", "sqs", "s3_inventory")
"""The values of ``source.type``. The first is the default."""


AnySource = S3Prefix | S3New | Urls | Manifest | Rss | Sqs | S3Inventory


def _type_of(value: Any) -> Any:
    return value.get("type", SOURCE_TYPES[0]) if isinstance(value, dict) else getattr(value, "type", None)


Source = Annotated[
    Annotated[S3Prefix, Tag("s3_prefix")]
    | Annotated[S3New, Tag("s3_new")]
    | Annotated[Urls, Tag("urls")]
    | Annotated[Manifest, Tag("manifest")]
    | Annotated[Rss, Tag("rss")]
    | Annotated[Sqs, Tag("sqs")]
    | Annotated[S3Inventory, Tag("s3_inventory")],
    Discriminator(
        _type_of,
        custom_error_type="source_type",
        custom_error_message=f"is not a type of source; write one of {', '.join(SOURCE_TYPES)}",
    ),
]
"""The ``source`` of a feed. Its class depends on ``type``."""


def rendered_source(fields: Mapping[str, Any]) -> AnySource:
    """Return the source for fields with rendered templates.

    :raises ValueError: a field is not valid; the message names it.
    """
    try:
        return TypeAdapter[AnySource](Source).validate_python(dict(fields), context={RENDERED: True})
    except ValidationError as error:
        first = error.errors()[0]
        # The way begins with the type, whose name a field can have too.
        way = first["loc"][1:] if first["loc"][:1] and first["loc"][0] in SOURCE_TYPES else first["loc"]
        where = ".".join(["source", *map(str, way)])
        value = f" {printable(repr(first['input']))}" if isinstance(first["input"], str) else ""
        raise ValueError(f"{where}{value} {first['msg'].removeprefix('Value error, ')}") from None
