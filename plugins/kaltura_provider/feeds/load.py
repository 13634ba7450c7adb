"""Read feed files from a folder. Problems name file, line and field, and do not affect other feeds."""

from __future__ import annotations

import datetime as dt
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kaltura_provider.api.redaction import redact
from kaltura_provider.feeds.document import MAX_BYTES, Document, DocumentError
from kaltura_provider.feeds.schema import Feed
from kaltura_provider.feeds.sources import SOURCE_TYPES

__all__ = ["FeedError", "Feeds", "feeds_folder", "load_feed", "load_feeds", "problem_of", "shortened"]

_MAX_PROBLEMS = 20
_MAX_SHOWN = 120


class FeedError(ValueError):
    """Problems of feed files, one per line: ``file:line: field: problem``."""


@dataclass
class Feeds:
    """The valid feeds of a folder, their files by feed name, and the problems of all others."""

    feeds: list[Feed] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def feeds_folder(beside: str | Path) -> Path:
    """Return the folder of this deployment's feeds.

    This is ``KALTURA_FEEDS_FOLDER`` if it is set, else ``include/feeds`` beside the folder of the DAG file.

    :param beside: the path of the DAG file.
    """
    configured = os.environ.get("KALTURA_FEEDS_FOLDER")
    return Path(configured) if configured else Path(beside).resolve().parent.parent / "include" / "feeds"


def load_feeds(folder: Path) -> Feeds:
    """Read every ``*.yaml`` and ``*.yml`` file of a folder."""
    result = Feeds()
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            feed = load_feed(path)
        except FeedError as error:
            result.problems.append(str(error))
            continue
        if taken := result.paths.get(feed.name):
            result.problems.append(f"{path}:1: name: {feed.name!r} is taken by {taken.name}; choose another")
            continue
        result.paths[feed.name] = path
        result.feeds.append(feed)
    return result


def load_feed(path: Path) -> Feed:
    """Read one feed file.

    :raises FeedError: the file is not valid YAML, or does not match the schema.
    """
    try:
        document = _document(path)
        if not isinstance(document.data, dict):
            raise DocumentError(1, "must hold fields such as 'name:' and 'source:'; see docs/feeds.md")
        return Feed.model_validate(document.data)
    except DocumentError as error:
        raise FeedError(f"{path}:{error.line}: {error}") from None
    except ValidationError as error:
        problems = [_problem(path, document, item) for item in error.errors()[:_MAX_PROBLEMS]]
        raise FeedError("\n".join(problems)) from None
    except Exception as error:
        # An error in one file must not affect the others.
        raise FeedError(f"{path}:1: cannot be used: {type(error).__name__}: {shortened(str(error))}") from None


def problem_of(path: Path, field: str, problem: str) -> str:
    """Return ``file:line: field: problem`` for a file that could be read."""
    try:
        line = _document(path).line((field,))
    except DocumentError as error:
        line = error.line
    return f"{path}:{line}: {field}: {problem}"


def shortened(text: str) -> str:
    """Return a text as one line of limited length."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]}..."


def _document(path: Path) -> Document:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a file"
            raise DocumentError(1, f"is {what}; remove it, or give it a name that does not end in {path.suffix}")
        with path.open("rb") as file:
            return Document(file.read(MAX_BYTES + 1))
    except FileNotFoundError:
        raise DocumentError(1, "is a link to a file that does not exist; remove or correct the link") from None
    except OSError as error:
        raise DocumentError(1, f"cannot be read: {error.strerror}") from None


def _field(item: Any) -> tuple[int | str, ...]:
    """Return the path of a field, without the type of the source that pydantic adds to it."""
    where = tuple(item["loc"])
    if item["type"] == "source_type":
        return (*where, "type")
    return where[:1] + where[2:] if where[:1] == ("source",) and where[1:2] and where[1] in SOURCE_TYPES else where


def _problem(path: Path, document: Document, item: Any) -> str:
    where = _field(item)
    message = item["msg"].removeprefix("Value error, ")
    value = item.get("input")
    if item["type"] == "source_type":
        value = value.get("type") if isinstance(value, dict) else None
    if item["type"] == "extra_forbidden":
        message = "is unknown; remove it or correct its name (docs/feeds.md lists all fields)"
    elif item["type"] == "missing":
        message = "is missing"
    elif isinstance(value, (str, int, float, dt.date)) and where:
        shown = str(value) if isinstance(value, dt.date) else repr(value)
        message = f"{shortened(redact(shown))} {message[0].lower()}{message[1:]}"
    name = shortened(".".join(str(part) for part in where)) or "feed"
    return f"{path}:{document.line(where)}: {name}: {message}"
