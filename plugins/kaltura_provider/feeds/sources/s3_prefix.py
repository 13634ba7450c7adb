"""``s3_prefix``: all objects below a prefix, which usually contains the run's date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import field_validator

from kaltura_provider.feeds.fields import Patterns, Strict, Template

if TYPE_CHECKING:
    from kaltura_provider.feeds.sources.found import Found, Search

__all__ = ["S3Prefix", "check_prefix"]


def check_prefix(value: str) -> str:
    """Return a text if it is an S3 prefix.

    :raises ValueError: it is not an S3 prefix.
    """
    if not re.match(r"s3://[^/\s]+(/|$)", value):
        raise ValueError("is not an S3 prefix; write s3://bucket/prefix/{{ data_interval_start | ds }}/")
    return value


class S3Prefix(Strict):
    """All objects below an S3 prefix.

    ``uri`` is a Jinja template, so each run can list its own date:
    ``s3://bucket/incoming/{{ data_interval_start | ds }}/``. ``include`` and ``exclude`` are shell patterns
    (``*.{mp4,mov}``, ``**/*.mp4``) for the part of the key after the prefix.
    """

    remembers: ClassVar[bool] = False

    type: Literal["s3_prefix"] = "s3_prefix"
    uri: Template
    include: Patterns = ["*"]
    exclude: Patterns = []

    _check_uri = field_validator("uri")(check_prefix)

    @property
    def summary(self) -> str:
        """The source in one line of text."""
        return self.uri

    def find(self, search: Search) -> Found:
        """Return the objects.

        :raises SourceError: the bucket does not exist or cannot be listed.
        """
        from kaltura_provider.feeds.sources.s3_objects import objects_below

        return objects_below(self.uri, self.include, self.exclude, search)
