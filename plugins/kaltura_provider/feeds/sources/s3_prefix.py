"""``s3_prefix``: all objects below a prefix, which usually contains the run's date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import field_validator

from kaltura_provider.feeds.fields import (
    CAPTION_LANGUAGE,
    EXCLUDE,
    GROUP_BY,
    INCLUDE,
    Language,
    Patterns,
    Strict,
    Template,
    about,
)

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
    """All objects below an S3 prefix that contains the date of the run."""

    remembers: ClassVar[bool] = False

    type: Annotated[Literal["s3_prefix"], about("`s3_prefix`")] = "s3_prefix"
    uri: Annotated[Template, about("`s3://bucket/prefix/`; a Jinja template")]
    include: Annotated[Patterns, about(INCLUDE)] = ["*"]
    exclude: Annotated[Patterns, about(EXCLUDE)] = []
    group_by: Annotated[Literal["stem", "none"], about(GROUP_BY, advanced=True)] = "stem"
    caption_language: Annotated[Language, about(CAPTION_LANGUAGE, advanced=True)] = "Undefined"

    _check_uri = field_validator("uri")(check_prefix)

    @property
    def summary(self) -> str:
        """The source in one line of text."""
        return self.uri

    def find(self, search: Search) -> Found:
        """Return the objects.

        :raises SourceError: the bucket does not exist or cannot be listed.
        """
        from kaltura_provider.feeds.sources.s3_objects import Selecting, objects_below

        selecting = Selecting(self.include, self.exclude, self.group_by, self.caption_language)
        return objects_below(self.uri, selecting, search)
