"""What is wrong with a feed file, in plain words: where, why, and what its author probably meant."""

from __future__ import annotations

import datetime as dt
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from kaltura_provider.api.redaction import redact
from kaltura_provider.feeds.fields.types import Strict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["Problem", "did_you_mean", "plain", "shortened", "way_to"]

_LONGEST = 120
_DATE = "must be a date such as 2024-03-01"
_MOMENT = "must be a date and time such as 2024-03-01T06:00"
_DURATION = "must be an ISO 8601 duration such as PT12H or P2D"
_WHOLE = "must be a whole number"

# By pydantic's type of error; a test makes every field fail in many ways to see that none is missing.
_PLAIN: dict[str, str | Callable[[Mapping[str, Any]], str]] = {
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), _DATE),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing"), _MOMENT),
    **dict.fromkeys(("time_delta_type", "time_delta_parsing"), _DURATION),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float", "finite_number"), _WHOLE),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "must be a group of fields"),
    "list_type": "must be a list",
    "string_type": "must be text; write it in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": lambda said: f"has more than {said['max_length']:,} characters; shorten it",
    "too_short": lambda said: f"must have at least {said['min_length']:,} item{'s' * (said['min_length'] != 1)}",
    "too_long": lambda said: f"has {said['actual_length']:,} items; at most {said['max_length']:,} are allowed",
    "greater_than_equal": lambda said: f"must be at least {said['ge']}",
    "less_than_equal": lambda said: f"must be at most {said['le']}",
    "literal_error": lambda said: f"must be {said['expected']}",
    "missing": "is missing; add it",
}
# These are about the field, whatever its value.
_WITHOUT_VALUE = ("missing", "extra_forbidden", "too_long", "too_short", "string_too_long", "string_too_short")


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a feed file.

    :param line: counted from 1, as is ``column``; 0 for a problem of a folder.
    :param field: the way to the field, such as ``metadata.tags.0``; ``None`` for a problem of the file itself.
    """

    path: Path
    line: int
    text: str
    field: str | None = None
    column: int = 1

    def __str__(self) -> str:
        """Return ``file:line: field: problem``."""
        return f"{self.path}:{self.line}: {self.said}" if self.line else f"{self.path}: {self.said}"

    @property
    def said(self) -> str:
        """The field and the problem."""
        return self.text if self.field is None else f"{self.field}: {self.text}"


def did_you_mean(text: object, options: Iterable[str]) -> str:
    """Return ``; did you mean 'this'?`` for an option that resembles a text, or nothing."""
    by_lower = {option.lower(): option for option in options}
    found = difflib.get_close_matches(str(text).strip().lower()[:_LONGEST], by_lower, n=1)
    return f"; did you mean {by_lower[found[0]]!r}?" if found else ""


def shortened(text: str) -> str:
    """Return a text as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def way_to(item: Mapping[str, Any], model: type[Strict]) -> tuple[int | str, ...]:
    """Return the way to the field of a pydantic error, as the document has it.

    Where a field may be one of several groups, as ``source``, pydantic puts the type of the group on the way too.
    """
    way: list[int | str] = []
    models = [model]
    for part in item["loc"]:
        tagged = [one for one in models if part in _types(one)] if len(models) > 1 else []
        if tagged:
            models = tagged
        else:
            models = _below(models, part)
            way.append(part)
    return (*way, "type") if item["type"] == "source_type" else tuple(way)


def plain(item: Mapping[str, Any], model: type[Strict]) -> str:
    """Return a pydantic error in plain words, with the value that is wrong.

    :param model: the model that was validated.
    """
    kind, value, said = item["type"], item.get("input"), item.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_field(item, model)
    if kind == "source_type":
        value = value.get("type") if isinstance(value, dict) else None
    text = _text(kind, item["msg"], said)
    if kind == "source_type":
        options = [str(name) for one in _below([model], item["loc"][-1]) for name in _types(one)]
        text += did_you_mean(value, options)
    if kind == "literal_error":
        text += did_you_mean(
            value, [option.strip(" '") for option in said["expected"].replace(" or ", ", ").split(",")]
        )
    if value is None and kind not in ("missing", "source_type"):
        return f"is empty; give it a value, or remove it ({text})"
    return text if kind in _WITHOUT_VALUE else f"{_shown(value)}{text}"


def _text(kind: str, message: str, said: Mapping[str, Any]) -> str:
    if kind in ("value_error", "source_type"):
        return message.removeprefix("Value error, ")
    found = _PLAIN.get(kind, "cannot be used; docs/feeds.md describes the field")
    return found if isinstance(found, str) else found(said)


def _shown(value: object) -> str:
    """Return a value and a space; nothing for a list or a group of fields."""
    if isinstance(value, dt.date):
        return f"{value} "
    return f"{shortened(redact(repr(value)))} " if isinstance(value, str | int | float) else ""


def _unknown_field(item: Mapping[str, Any], model: type[Strict]) -> str:
    *parents, name = way_to(item, model)
    siblings = _models_at(item["loc"][:-1], model)
    if meant := did_you_mean(name, {field for one in siblings for field in one.model_fields}):
        return f"is not a field{meant}"
    for place in () if parents else model.model_fields:
        if any(name in one.model_fields for one in _below([model], place)):
            return f"is not a field here; write it below '{place}:'"
    return "is not a field; remove it (docs/feeds.md lists all fields)"


def _models_at(loc: Iterable[int | str], model: type[Strict]) -> list[type[Strict]]:
    models = [model]
    for part in loc:
        models = [one for one in models if part in _types(one)] or _below(models, part)
    return models


def _below(models: Iterable[type[Strict]], name: object) -> list[type[Strict]]:
    """Return the groups of fields that a field may hold."""
    fields = [one.model_fields[str(name)] for one in models if str(name) in one.model_fields]
    return [found for field in fields for found in _groups(field.annotation)]


def _groups(annotation: Any) -> list[type[Strict]]:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return [annotation]
    return [found for part in get_args(annotation) for found in _groups(part)]


def _types(model: type[Strict]) -> tuple[Any, ...]:
    field = model.model_fields.get("type")
    return get_args(field.annotation) if field else ()
