"""Types of the fields of feed files: templates, patterns, lists, days, connection ids."""

from __future__ import annotations

import datetime as dt
import re
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.feeds.fields.patterns import check_pattern, split_patterns
from kaltura_provider.feeds.fields.templates import check_template
from kaltura_provider.feeds.fields.years import YEARS, YEARS_TEXT
from kaltura_provider.services.caption_language import language_name

__all__ = [
    "ADVANCED",
    "RENDERED",
    "SHOWN_DEFAULT",
    "Categories",
    "ConnectionId",
    "Count",
    "Day",
    "DocumentAddress",
    "Language",
    "Name",
    "Patterns",
    "SourceFields",
    "Strict",
    "Tags",
    "Template",
    "Templates",
    "about",
    "lasting",
    "without_credentials",
]

RENDERED = "rendered"
"""Key of the validation context. If set, templates have been rendered, so their texts are not compiled."""

ADVANCED, SHOWN_DEFAULT = "x-advanced", "x-default"
"""Keys in the JSON Schema: a field that few feeds need, and what stands for its default in docs/feeds.md."""

_LONGEST_TAG = 100


def about(text: str, *, advanced: bool = False, default: str | None = None) -> Any:
    """Describe a field, for docs/feeds.md, the JSON Schema and the files that ``feeds new`` writes.

    :param text: what the field means, with its unit. In Markdown, without a full stop at the end.
    :param advanced: whether few feeds need it.
    :param default: what happens without the field, where its default does not say so.
    """
    extra: dict[str, Any] = {}
    if advanced:
        extra[ADVANCED] = True
    if default is not None:
        extra[SHOWN_DEFAULT] = default
    return Field(description=text, json_schema_extra=extra or None)


def lasting(maximum: str, *, like: str, minimum: str | None = None) -> AfterValidator:
    """Check how long a duration is.

    :param maximum: the longest duration, in ISO 8601.
    :param like: an example for the error, in ISO 8601.
    :param minimum: the shortest duration, in ISO 8601. Without it, any duration of more than zero will do.
    """
    longest, shortest = _duration(maximum), _duration(minimum or "PT0S")
    bounds = f"between {minimum} and {maximum}" if minimum else f"more than nothing and at most {maximum}"

    def check(value: dt.timedelta) -> dt.timedelta:
        if not shortest <= value <= longest or (minimum is None and not value):
            raise ValueError(f"must be {bounds}; write it like {like}")
        return value

    return AfterValidator(check)


def _duration(text: str) -> dt.timedelta:
    return TypeAdapter(dt.timedelta).validate_python(text)


def _as_list(value: object) -> object:
    """Accept one word or comma separated words in place of a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _as_patterns(value: object) -> object:
    return split_patterns(value) if isinstance(value, str) else value


def _as_categories(value: object) -> object:
    """Accept one category in place of a list. Commas are refused, because they could separate several."""
    if isinstance(value, str):
        if "," in value:
            raise ValueError("has a comma; write a list with one category per line")
        return [value]
    return value


def _fit_kaltura(value: str) -> str:
    if "," in value:
        raise ValueError("has a comma, which separates categories in Kaltura; use a name without a comma")
    return value


def _usable(pattern: str, info: ValidationInfo) -> str:
    if not pattern.strip() and not (info.context or {}).get(RENDERED):
        raise ValueError("is not a pattern; write one such as *.mp4, or leave it out")
    check_pattern(pattern)
    return pattern


def _compiles(text: str, info: ValidationInfo) -> str:
    if not (info.context or {}).get(RENDERED):
        check_template(text)
    return text


def without_credentials(text: str) -> str:
    """Return an address, for a validator.

    :raises ValueError: it has a user name or password, which no run would send.
    """
    if re.match(r"https?://[^/?#\s{]*@", text):
        fix = "put them into an Airflow HTTP connection, and name it as connections.http"
        raise ValueError(f"has a user name or password, which others could read; {fix}")
    return text


def _is_an_address(text: str) -> str:
    # A template at the beginning is checked after rendering.
    if not re.match(r"(https?|s3)://[^/\s]|file:///|/|\{[{%]", text):
        raise ValueError("is not an address; write s3://bucket/key, https://host/file or file:///path")
    return text


def _short_enough(tag: str) -> str:
    if not 0 < len(tag) <= _LONGEST_TAG:
        raise ValueError(f"has {len(tag)} characters; Airflow allows 1 to {_LONGEST_TAG}")
    return tag


def _is_a_language(value: str) -> str:
    try:
        return language_name(value)
    except KalturaConfigurationError:
        raise ValueError("is not a language; give a name such as English or a code such as en") from None


def _in_range(day: dt.date) -> dt.date:
    if day.year not in YEARS:
        raise ValueError(f"is not {YEARS_TEXT}")
    return day


def _is_a_connection(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.:/-]{1,200}", value):
        raise ValueError("is not a valid connection id; use up to 200 letters, digits, and _ . : / -")
    return value


def _is_a_name(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("is not a name; write some letters or digits in one line")
    return value


def _kinds(annotation: Any) -> set[Any]:
    """Return the types of which a field can be, without what lists and mappings hold."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return set().union(*map(_kinds, get_args(annotation)))
    return {annotation} if isinstance(annotation, type) else set()


# The errors of pydantic for values of other types.
_TYPE_ERRORS: dict[Any, Literal["int_type", "date_type", "datetime_type", "time_delta_type"]] = {
    int: "int_type",
    dt.date: "date_type",
    dt.datetime: "datetime_type",
    dt.timedelta: "time_delta_type",
}

_TextOrTexts = str | list[str]

Template = Annotated[str, Field(max_length=10_000), AfterValidator(_compiles)]
DocumentAddress = Annotated[
    Template,
    AfterValidator(_is_an_address),
    AfterValidator(without_credentials),
    about("`s3://...`, `https://...` or a local file below a folder in `KALTURA_ALLOWED_PATHS`; a Jinja template"),
]
Templates = Annotated[
    list[Template], Field(max_length=1000), BeforeValidator(_as_list, json_schema_input_type=_TextOrTexts)
]
Categories = Annotated[
    list[Annotated[Template, AfterValidator(_fit_kaltura)]],
    Field(max_length=1000),
    BeforeValidator(_as_categories, json_schema_input_type=_TextOrTexts),
]
Patterns = Annotated[
    list[Annotated[Template, AfterValidator(_usable)]],
    Field(max_length=1000),
    BeforeValidator(_as_patterns, json_schema_input_type=_TextOrTexts),
]
Tags = Annotated[
    list[Annotated[str, AfterValidator(_short_enough)]],
    Field(max_length=100),
    BeforeValidator(_as_list, json_schema_input_type=_TextOrTexts),
]
Day = Annotated[dt.date, AfterValidator(_in_range)]
ConnectionId = Annotated[str, AfterValidator(_is_a_connection)]
Language = Annotated[str, AfterValidator(_is_a_language)]
Count = Annotated[int, Field(ge=1, le=1000)]
Name = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_is_a_name)]
"""The name of something in Airflow, such as a pool."""


class Strict(BaseModel):
    """A part of a feed. Unknown fields are errors, and so are values that only another type would explain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse what pydantic would convert: ``yes`` to 1, and a plain number to seconds or to a day after 1970."""
        if isinstance(value, int | float):
            kinds = _kinds(cls.model_fields[str(info.field_name)].annotation)
            for kind in kinds & _TYPE_ERRORS.keys():
                if kind is not int or isinstance(value, bool):
                    raise PydanticCustomError(_TYPE_ERRORS[kind], "has another type")
        return value


class SourceFields(Strict):
    """What sources have in common."""

    remembers: ClassVar[bool] = False
    """Whether a run continues where the last one ended. Such a feed has one active run at a time."""

    @property
    def aftercare(self) -> dict[str, Any] | None:
        """What happens to the source after a run; ``None`` leaves it as it is."""
        return None
