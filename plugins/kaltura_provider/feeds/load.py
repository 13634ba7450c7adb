"""Feed files read from a folder; what is wrong with one is said with file, line and field, and hides no other."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from kaltura_provider.feeds.schema import Feed

__all__ = ["FeedError", "Feeds", "feeds_folder", "load_feed", "load_feeds"]


class FeedError(ValueError):
    """What is wrong with feed files, one line a problem: ``file:line: field: problem``."""


@dataclass
class Feeds:
    """The good feeds of a folder, and what is wrong with the others."""

    feeds: list[Feed] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Make sure that every file could be used.

        :raises FeedError: naming every problem.
        """
        if self.problems:
            raise FeedError("\n".join(self.problems))


def feeds_folder(beside: str | Path) -> Path:
    """Return the folder of this deployment's feeds.

    :param beside: a DAG file; unless ``KALTURA_FEEDS_FOLDER`` says otherwise, the folder is ``../include/feeds``
        as seen from the one it is in.
    """
    told = os.environ.get("KALTURA_FEEDS_FOLDER")
    return Path(told) if told else Path(beside).resolve().parent.parent / "include" / "feeds"


def load_feeds(folder: Path) -> Feeds:
    """Read every ``*.yaml`` and ``*.yml`` file of a folder."""
    result = Feeds()
    names: dict[str, Path] = {}
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            feed = load_feed(path)
        except FeedError as error:
            result.problems.append(str(error))
            continue
        if feed.name in names:
            result.problems.append(f"{path}:1: name: {feed.name!r} is taken by {names[feed.name].name}; choose another")
            continue
        names[feed.name] = path
        result.feeds.append(feed)
    return result


def load_feed(path: Path) -> Feed:
    """Read one feed file.

    :raises FeedError: if it is no YAML or does not fit the schema.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise FeedError(f"{path}:1: cannot be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FeedError(f"{path}:{mark.line + 1 if mark else 1}: is no valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise FeedError(f"{path}:1: is no valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise FeedError(f"{path}:1: must hold fields such as 'name:' and 'source:'; see docs/feeds.md")
    try:
        return Feed.model_validate(data)
    except ValidationError as error:
        raise FeedError("\n".join(_problem(path, tree, item) for item in error.errors())) from None


def _problem(path: Path, tree: yaml.Node | None, item: Any) -> str:
    where = tuple(item["loc"])
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        message = "is unknown; remove it or correct its name (docs/feeds.md lists all fields)"
    elif item["type"] == "missing":
        message = "is missing"
    elif isinstance(item.get("input"), (str, int, float)):
        message = f"{item['input']!r} {message[0].lower()}{message[1:]}"
    name = ".".join(str(part) for part in where) or "feed"
    return f"{path}:{_line(tree, where)}: {name}: {message}"


def _line(node: yaml.Node | None, where: tuple[int | str, ...]) -> int:
    """Return the line of the innermost field on the way to ``where`` that the file has."""
    if node is None:
        return 1
    line = node.start_mark.line + 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
