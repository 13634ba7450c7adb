"""The fields that sources of S3 objects share: where the objects are, and how they make up items."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from kaltura_provider.feeds.fields.types import Language, Patterns, SourceFields, Template, about, lasting
from kaltura_provider.feeds.outcome.aftercare import Aftercare
from kaltura_provider.feeds.sources.drop_folder import check_match, has_renditions

if TYPE_CHECKING:
    from kaltura_provider.feeds.sources.s3_objects import Selecting

__all__ = ["S3Fields", "check_prefix"]


def check_prefix(value: str) -> str:
    """Return the value if it is an S3 prefix.

    :raises ValueError: it is not.
    """
    if not re.match(r"s3://[^/\s]+(/|$)", value):
        raise ValueError("is not an S3 prefix; write s3://bucket/prefix/{{ data_interval_start | ds }}/")
    return value


class S3Fields(SourceFields):
    """Objects below an S3 prefix, selected and grouped."""

    uri: Annotated[Template, about("`s3://bucket/prefix/`; a Jinja template")]
    include: Annotated[
        Patterns,
        Field(min_length=1),
        about("Patterns for the part of the key after the prefix, such as `*.{mp4,mov}`; an object must fit one"),
    ] = ["*"]
    exclude: Annotated[
        Patterns, about("Patterns for the part of the key after the prefix; objects that fit one are left out")
    ] = []
    group_by: Annotated[
        Literal["stem", "none"],
        about(
            "How files make up items: `stem` takes the files beside a media file that have its name as its sidecar "
            "files, `none` takes each file alone",
            advanced=True,
        ),
    ] = "stem"
    caption_language: Annotated[
        Language,
        about(
            "Language of captions whose file names give none, as a name (`English`) or a BCP 47 code (`en`). A caption "
            "in this language is the default one",
            advanced=True,
        ),
    ] = "Undefined"
    wait_for: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(max_length=20),
        about(
            'Patterns for the names of the files that an item needs before it is ingested, such as `["*.srt"]`; '
            "`source` stands for the media file",
            advanced=True,
        ),
    ] = []
    wait_at_most: Annotated[
        dt.timedelta,
        lasting("P90D", like="P1D"),
        about(
            "How long an item waits for these files, counted from its newest file, before it fails: an ISO 8601 "
            "duration of at most `P90D`",
            advanced=True,
        ),
    ] = dt.timedelta(days=1)
    match: Annotated[
        str | None,
        about(
            "A regular expression for file names, as of a Kaltura drop folder; its groups `referenceId` and `userId` "
            "become fields of the entry, and `flavorName` says which rendition of it a file is",
            advanced=True,
        ),
    ] = None

    on_success: Annotated[
        Literal["keep", "tag", "move", "delete"],
        about(
            "What happens to the objects of an item once Kaltura holds it: `keep` them, `tag` them, `move` them to "
            "`move_to`, or `delete` them",
            advanced=True,
        ),
    ] = "keep"
    move_to: Annotated[
        Template | None,
        about("Where `on_success: move` moves objects: `s3://bucket/prefix/`; a Jinja template", advanced=True),
    ] = None
    on_failure: Annotated[
        Literal["keep", "tag", "move"],
        about(
            "What happens to the objects of an item that can never be ingested as it is: `keep` them, `tag` them, or "
            "`move` them to `move_failed_to`",
            advanced=True,
        ),
    ] = "keep"
    move_failed_to: Annotated[
        Template | None,
        about("Where `on_failure: move` moves objects: `s3://bucket/prefix/`; a Jinja template", advanced=True),
    ] = None

    _check_uri = field_validator("uri")(check_prefix)

    @field_validator("match")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            check_match(value)
        return value

    @model_validator(mode="after")
    def _groups_its_renditions(self) -> Self:
        if has_renditions(self.match) and self.group_by == "none":
            raise ValueError(
                "source.match has the group flavorName, which makes one item of several files, and source.group_by is "
                "none, which makes one of each; remove one of them"
            )
        return self

    @model_validator(mode="after")
    def _can_be_cared_for(self) -> Self:
        Aftercare(**self.aftercare)
        return self

    @property
    def aftercare(self) -> dict[str, Any]:
        """What happens to the objects after a run: see :class:`~kaltura_provider.feeds.outcome.aftercare.Aftercare`."""
        names = ("on_success", "on_failure", "move_to", "move_failed_to")
        return {"prefix": self.uri, **{name: getattr(self, name) for name in names}}

    @property
    def summary(self) -> str:
        """The source in one line of text."""
        return self.uri

    @property
    def selecting(self) -> Selecting:
        """How the objects are selected and grouped."""
        from kaltura_provider.feeds.sources.s3_objects import Selecting

        return Selecting(
            include=self.include,
            exclude=self.exclude,
            group_by=self.group_by,
            caption_language=self.caption_language,
            wait_for=self.wait_for,
            wait_at_most=self.wait_at_most,
            match=self.match,
        )
