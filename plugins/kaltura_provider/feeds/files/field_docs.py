"""The fields of feed files as data: for docs/feeds.md, for editors (JSON Schema), and for new feeds."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from kaltura_provider.feeds.fields.types import ADVANCED, SHOWN_DEFAULT, Strict
from kaltura_provider.feeds.schema import Feed

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["FieldNote", "example", "feed_fields", "json_schema", "source_fields", "source_types"]

_EXAMPLES = Path(__file__).parent.with_name("examples")


@dataclass(frozen=True, slots=True)
class FieldNote:
    """One field.

    :param name: the way to the field, such as ``metadata.tags``.
    :param meaning: Markdown, without a full stop at the end.
    :param default: Markdown; empty if the field has no default because it is required.
    :param value: the default as YAML has it.
    """

    name: str
    meaning: str
    default: str
    value: Any
    required: bool
    advanced: bool


def source_types() -> dict[str, type[Strict]]:
    """Return the models of ``source``, by ``source.type``."""
    models = [get_args(part)[0] for part in get_args(Feed.model_fields["source"].annotation)]
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in models}


def feed_fields() -> list[FieldNote]:
    """Return the fields of a feed besides those of its source; those of groups such as ``metadata`` one by one."""
    return _notes(Feed)


def source_fields(kind: str) -> list[FieldNote]:
    """Return the fields of a type of source besides ``type``; raises :class:`KeyError` if there is no such type."""
    return [note for note in _notes(source_types()[kind]) if note.name != "type"]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of feed files, with which editors check and complete them."""
    schema = Feed.model_json_schema()
    _without_titles(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Kaltura feed", **schema}


def example(kind: str) -> str:
    """Return a complete feed with a type of source; raises :class:`FileNotFoundError` if there is none."""
    return (_EXAMPLES / f"{kind}.yaml").read_text(encoding="utf-8")


def _notes(model: type[Strict], prefix: str = "") -> list[FieldNote]:
    found = []
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Strict):
            found += _notes(annotation, f"{prefix}{name}.")
        else:
            found.append(_note(f"{prefix}{name}", field))
    return found


def _note(name: str, field: FieldInfo) -> FieldNote:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    required = field.is_required()
    value = None if required else _plain(field.get_default())
    shown = str(extra.get(SHOWN_DEFAULT) or _shown(value))
    return FieldNote(
        name, field.description or "", "" if required else shown, value, required, bool(extra.get(ADVANCED))
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dt.timedelta):
        from pydantic import TypeAdapter

        return TypeAdapter(dt.timedelta).dump_python(value, mode="json")
    return value


def _shown(value: Any) -> str:
    if value in (None, "", [], {}):
        return "none"
    return f"`{value}`" if isinstance(value, str | int) else f"`{json.dumps(value)}`"


def _without_titles(node: Any) -> None:
    """Remove the titles that pydantic makes of names: editors would show them instead of the names."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for part in node.values():
            _without_titles(part)
    elif isinstance(node, list):
        for part in node:
            _without_titles(part)
