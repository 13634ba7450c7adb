"""Parse a YAML document with limits on size, depth and characters, and find the line of each field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_BYTES", "Document", "DocumentError"]

MAX_BYTES = 1024 * 1024
"""Maximum size of a document."""

_MAX_NODES = 20_000
_MAX_LEVELS = 20
# PostgreSQL cannot store NUL, no database stores lone surrogates, and no field of a feed needs the others.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class DocumentError(ValueError):
    """A problem of a document, with its line and column (from 1).

    :param field: the field that is wrong, if it is a single one.
    """

    def __init__(self, line: int, problem: str, *, column: int = 1, field: str | None = None) -> None:
        super().__init__(problem)
        self.line = line
        self.column = column
        self.field = field


class Document:
    """One YAML document. ``data`` is its content.

    :raises DocumentError: the document is not valid YAML, too large, nested too deeply, or repeats a key.
    """

    def __init__(self, content: bytes) -> None:
        if len(content) > MAX_BYTES:
            raise DocumentError(1, f"has more than {MAX_BYTES:,} bytes; a feed needs a few hundred")
        text = _decoded(content)
        try:
            _measure(text)
            loader = _Loader(text)
            try:
                self._root = loader.get_single_node()
                _check(self._root)
                self.data: Any = None if self._root is None else loader.construct_document(self._root)
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            # Something missing at the end belongs to the last line, not to the line after it.
            last = len(text.splitlines()) - 1
            line = min(mark.line, last) + 1 if mark else 1
            column = mark.column + 1 if mark and mark.line <= last else 1
            raise DocumentError(line, f"is not valid YAML: {error.problem}", column=column) from None
        except yaml.YAMLError as error:
            raise DocumentError(_line_of(text, error), f"is not valid YAML: {' '.join(str(error).split())}") from None

    def position(self, where: tuple[int | str, ...], *, name: bool = False) -> tuple[int, int]:
        """Return line and column of a field, or of its innermost parent that the document has.

        They are those of its value, if that begins in the line of its name.

        :param name: return those of its name.
        """
        node = self._root
        if node is None:
            return 1, 1
        mark = node.start_mark
        for part in where:
            if isinstance(node, yaml.MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
                if found is None:
                    break
                key, node = found
                beside = node.start_mark.line == key.start_mark.line and not name
                mark = node.start_mark if beside else key.start_mark
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                mark = node.start_mark
        return mark.line + 1, mark.column + 1


_MERGE, _TEXT = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:str"


class _Loader(yaml.CSafeLoader):
    """Loads a scalar that only looks like a date or a number (2024-02-30) as text, and the names of fields too.

    In YAML 1.1, the name ``on`` is the value true.
    """

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Make names such as ``on``, ``1.5`` and ``2024-03-01`` text before a mapping is built."""
        for key, _ in node.value:
            if key.tag != _MERGE:
                key.tag = _TEXT
        super().flatten_mapping(node)


def _or_text(construct: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def constructed(loader: Any, node: Any) -> Any:
        try:
            made = construct(loader, node)
            str(made)  # Python does not write out integers of more than 4,300 digits, which hexadecimal ones can have
        except (ValueError, OverflowError):
            return str(node.value)
        return made

    return constructed


for _tag in ("int", "float", "timestamp"):
    _full = f"tag:yaml.org,2002:{_tag}"
    _Loader.add_constructor(_full, _or_text(yaml.constructor.SafeConstructor.yaml_constructors[_full]))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DocumentError(line, "is not UTF-8; save the file in this encoding") from None


def _measure(text: str) -> None:
    """Check the depth and size of a document before it is processed recursively.

    An alias counts as much as the value it refers to.
    """
    sizes: dict[str, int] = {}
    # For each open collection: its anchor, and the number of nodes before it.
    levels: list[tuple[str | None, int]] = []
    nodes = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = levels.pop()
            if anchor is not None:
                sizes[anchor] = nodes - before
        elif isinstance(event, yaml.NodeEvent):
            nodes += _size(event, sizes, line)
            if isinstance(event, yaml.CollectionStartEvent):
                levels.append((event.anchor, nodes - 1))
            elif event.anchor is not None and not isinstance(event, yaml.AliasEvent):
                sizes[event.anchor] = 1
        if len(levels) > _MAX_LEVELS:
            raise DocumentError(line, f"is nested more than {_MAX_LEVELS} levels deep; a feed needs 3")
        if nodes > _MAX_NODES:
            raise DocumentError(line, f"has more than {_MAX_NODES:,} values, counting those that aliases refer to")


def _size(event: yaml.NodeEvent, sizes: dict[str, int], line: int) -> int:
    if not isinstance(event, yaml.AliasEvent):
        return 1
    if event.anchor not in sizes:
        raise DocumentError(line, f"the alias *{event.anchor} does not refer to an earlier anchor; write out the value")
    return sizes[event.anchor]


def _check(root: yaml.Node | None) -> None:
    """Check that no key is repeated and that every character can be stored."""
    pending = [] if root is None else [root]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
            pending += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif found := _UNWANTED.search(str(node.value)):
            what = f"holds the character U+{ord(found[0]):04X}, which is not allowed in a feed; remove it"
            raise DocumentError(node.start_mark.line + 1, what, column=node.start_mark.column + 1)


def _check_keys(node: yaml.MappingNode) -> None:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise DocumentError(line, "has a list or mapping in place of a field name; write 'name: value'")
        if key.value in lines and key.value != "<<":
            first = lines[key.value]
            why = f"is already set in line {first}; remove one"
            raise DocumentError(line, why, column=key.start_mark.column + 1, field=_short(key.value))
        lines.setdefault(key.value, line)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."


def _line_of(text: str, error: yaml.YAMLError) -> int:
    position = getattr(error, "position", None)
    return text[:position].count("\n") + 1 if isinstance(position, int) else 1
