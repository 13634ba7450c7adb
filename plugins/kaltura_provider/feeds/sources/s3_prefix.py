"""``s3_prefix``: all objects below a prefix, which usually contains the run's date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from kaltura_provider.feeds.fields.types import about
from kaltura_provider.feeds.sources.s3_fields import S3Fields

if TYPE_CHECKING:
    from kaltura_provider.feeds.sources.found import Found, Search

__all__ = ["S3Prefix"]


class S3Prefix(S3Fields):
    """All objects below an S3 prefix that contains the date of the run."""

    type: Annotated[Literal["s3_prefix"], about("`s3_prefix`")] = "s3_prefix"

    def find(self, search: Search) -> Found:
        """Return the objects.

        :raises SourceError: the bucket does not exist or cannot be listed.
        :raises ValueError: ``match`` takes too long.
        """
        from kaltura_provider.feeds.sources.s3_objects import objects_below

        return objects_below(self.uri, self.selecting, search)
