"""Writes new feed files: valid feeds, with every common field explained."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import TYPE_CHECKING, Any

import yaml

from kaltura_provider.feeds.fields.problems import did_you_mean, plain
from kaltura_provider.feeds.files.field_docs import example, feed_fields, source_fields, source_types
from kaltura_provider.feeds.schema import Feed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaltura_provider.feeds.files.field_docs import FieldNote

__all__ = ["new_feed"]

_WIDTH = 100


def new_feed(name: str, kind: str, *, today: dt.date | None = None) -> str:
    """Return the text of a new feed file. Fields that it does not need are comments.

    :param kind: the ``source.type``. The values come from its example in docs/feeds.md.
    :param today: the ``start_date``; by default, the day it is.
    :raises ValueError: the name is not allowed, or there is no such type.
    """
    from pydantic import ValidationError

    kinds = source_types()
    if kind not in kinds:
        meant = did_you_mean(kind, kinds) or f"; write one of {', '.join(kinds)}"
        raise ValueError(f"type {kind!r} is not a type of source{meant}")
    values: dict[str, Any] = yaml.safe_load(example(kind))
    values |= {"name": name, "start_date": today or dt.datetime.now(dt.UTC).date()}
    try:
        Feed.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))} {plain(first, Feed)}") from None
    return "\n".join(_lines(values, kind)) + "\n"


def _lines(values: dict[str, Any], kind: str) -> Iterable[str]:
    yield f"# The DAG kaltura_feed_{values['name']}. docs/feeds.md describes all fields; check with: kaltura feeds lint"
    groups: dict[str, list[FieldNote]] = {}
    for note in feed_fields():
        if not note.advanced or note.name in values:
            groups.setdefault(note.name.partition(".")[0], []).append(note)
    for top, notes in groups.items():
        if top == "source":
            yield from ("", "source:", f"  type: {kind}")
            yield from _indented(_fields(source_fields(kind), values["source"]))
        elif "." in notes[0].name:
            yield ""
            yield from _group(top, notes, values.get(top))
        else:
            yield from _fields(notes, values)


def _group(top: str, notes: list[FieldNote], values: Mapping[str, Any] | None) -> Iterable[str]:
    if values:
        yield from (f"{top}:", *_indented(_fields(notes, values)))
    else:
        # A group without fields would be a mistake.
        every = {note.name.rpartition(".")[2]: note.value for note in notes}
        yield from _commented([f"{top}:", *_indented(_fields(notes, every))])


def _fields(notes: Iterable[FieldNote], values: Mapping[str, Any]) -> Iterable[str]:
    for note in notes:
        name = note.name.rpartition(".")[2]
        yield from _commented(textwrap.wrap(f"{note.meaning}.", _WIDTH))
        if name in values:
            yield from _dumped(name, values[name])
        else:
            yield from _commented(_dumped(name, note.value))


def _dumped(name: str, value: Any) -> list[str]:
    if value is None:
        return [f"{name}:"]
    if len(str(value)) >= _WIDTH:
        return yaml.safe_dump({name: value}, sort_keys=False, width=10_000).splitlines()
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return [f"{name}: {text.removesuffix('...' + chr(10)).strip()}"]


def _indented(lines: Iterable[str]) -> Iterable[str]:
    return (f"  {line}" for line in lines)


def _commented(lines: Iterable[str]) -> Iterable[str]:
    return (f"# {line}" for line in lines)
