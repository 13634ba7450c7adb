"""Read feed files from a folder. Problems name file, line and field, and do not affect other feeds."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kaltura_provider.feeds.fields.document import MAX_BYTES, Document, DocumentError
from kaltura_provider.feeds.fields.problems import Problem, plain, shortened, way_to
from kaltura_provider.feeds.schema import VERSION, Feed

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FeedError", "Feeds", "feeds_folder", "load_feed", "load_feeds", "load_files", "problem_of", "taken_name"]

_MAX_PROBLEMS = 20


class FeedError(ValueError):
    """Problems of feed files; as text one per line: ``file:line: field: problem``.

    :param heading: comes before them.
    """

    def __init__(self, *problems: Problem, heading: str = "") -> None:
        super().__init__(heading + "\n".join(map(str, problems)))
        self.problems = problems


@dataclass
class Feeds:
    """The valid feeds of a folder, their files by feed name, and the problems of all others."""

    feeds: list[Feed] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def feeds_folder(beside: str | Path) -> Path:
    """Return the folder of this deployment's feeds.

    This is ``KALTURA_FEEDS_FOLDER`` if it is set, else ``include/feeds`` beside the folder of the DAG file.

    :param beside: the path of the DAG file.
    """
    configured = os.environ.get("KALTURA_FEEDS_FOLDER")
    return Path(configured) if configured else Path(beside).resolve().parent.parent / "include" / "feeds"


def feed_files(folder: Path) -> list[Path]:
    """Return every ``*.yaml`` and ``*.yml`` file of a folder, by name.

    :raises FeedError: the folder cannot be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.name.lower().endswith((".yaml", ".yml")))
    except OSError as error:
        why = f"cannot be listed: {error.strerror}; give Airflow's user permission to read it"
        raise FeedError(Problem(folder, 0, why)) from None


def load_feeds(folder: Path, *, only: str | None = None) -> Feeds:
    """Read every ``*.yaml`` and ``*.yml`` file of a folder.

    :param only: the name of the one feed that is needed. Other feeds are only read if that is necessary to find it.
    :raises FeedError: the folder cannot be listed.
    """
    paths = feed_files(folder)
    if only is not None:
        found = load_files(path for path in paths if _mentions(path, only))
        if only in found.paths:
            return found
    return load_files(paths)


def _mentions(path: Path, name: str) -> bool:
    """Tell whether the text of a file contains a name. Parsing all feeds would cost each task 10 ms a feed."""
    try:
        return path.is_file() and name.encode() in path.read_bytes()
    except OSError:
        return False


def load_files(paths: Iterable[Path]) -> Feeds:
    """Read feed files."""
    result = Feeds()
    for path in paths:
        try:
            feed = load_feed(path)
        except FeedError as error:
            result.problems += error.problems
            continue
        if taken := result.paths.get(feed.name):
            result.problems.append(taken_name(path, feed.name, taken))
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
            raise DocumentError(1, "must have fields such as 'name:' and 'source:'; see docs/feeds.md")
        _check_version(document)
        return Feed.model_validate(document.data)
    except DocumentError as error:
        raise FeedError(Problem(path, error.line, str(error), error.field, error.column)) from None
    except ValidationError as error:
        problems = [_problem(path, document, item) for item in error.errors()[:_MAX_PROBLEMS]]
        raise FeedError(*sorted(problems, key=lambda one: (one.line, one.column))) from None
    except Exception as error:
        # An error in one file must not affect the others.
        why = f"cannot be used: {type(error).__name__}: {shortened(str(error))}"
        raise FeedError(Problem(path, 1, why)) from None


def taken_name(path: Path, name: str, other: Path) -> Problem:
    """Return the problem of a feed whose name another file has."""
    return problem_of(path, "name", f"{name!r} is the name of the feed in {other.name} too; choose another")


def problem_of(path: Path, field: str, problem: str) -> Problem:
    """Return a problem with a field of a file that could be read."""
    try:
        line, column = _document(path).position((field,))
    except DocumentError as error:
        line, column = error.line, error.column
    return Problem(path, line, problem, field, column)


def _document(path: Path) -> Document:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a file"
            fix = (
                f"remove it, or give it a name that does not end in {path.suffix}"
                if path.suffix
                else "give a feed file"
            )
            raise DocumentError(1, f"is {what}; {fix}")
        with path.open("rb") as file:
            return Document(file.read(MAX_BYTES + 1))
    except FileNotFoundError:
        if not path.is_symlink():
            raise DocumentError(1, "does not exist; correct the path") from None
        raise DocumentError(1, "is a link to a file that does not exist; remove or correct the link") from None
    except OSError as error:
        raise DocumentError(1, f"cannot be read: {error.strerror}") from None


def _check_version(document: Document) -> None:
    """Make sure that this package reads the version of a feed: fields of another version would only confuse.

    :raises DocumentError: it does not.
    """
    version = document.data.get("version", VERSION)
    if type(version) is int and version != VERSION:
        line, column = document.position(("version",))
        why = f"{version} is not a version that this package reads; write {VERSION}, or upgrade the package"
        raise DocumentError(line, why, column=column, field="version")


def _problem(path: Path, document: Document, item: Any) -> Problem:
    where = way_to(item, Feed)
    line, column = document.position(where, name=item["type"] == "extra_forbidden")
    name = shortened(".".join(str(part) for part in where)) or "feed"
    return Problem(path, line, plain(item, Feed), name, column)
