"""The items of an XML document, read as data: without entities, without network, and with the line of each element."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from kaltura_provider.api.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["Element", "XmlItems"]

_DEEPEST = 50
_MOST_ELEMENTS = 20_000
_CHUNK = 64 * 1024
_SHOWN = 60
# expat puts it between the namespace and the local name of an element. It cannot be part of either.
_SEPARATOR = "\n"


@dataclass(slots=True)
class Element:
    """An element.

    :param name: the local name, without its prefix.
    :param namespace: the namespace; empty without one.
    :param line: the line of its start tag, counted from 1.
    :param text: its text, without that of its children.
    """

    name: str
    namespace: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text, without white space around it."""
        return "".join(self.parts).strip()

    def first(self, name: str) -> Element | None:
        """Return the first child with this local name, whatever its namespace."""
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> list[Element]:
        """Return the children with this local name, whatever their namespace."""
        return [child for child in self.children if child.name == name]


class XmlItems:
    """Reads the items of a document, one at a time.

    :param roots: the names that the root element may have.
    :param items: the names of items. An element within an item belongs to it.
    """

    def __init__(self, roots: Collection[str], items: Collection[str]) -> None:
        self._roots, self._items = roots, items
        self._open: list[Element] = []
        self._done: list[Element] = []
        self._depth = self._elements = 0
        self.outside: dict[str, int] = {}
        """Names of the elements outside items, each with the line of the first one."""
        self._parser = parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.StartDoctypeDeclHandler = self._doctype
        parser.SkippedEntityHandler = self._entity

    def read(self, content: bytes) -> Iterator[Element]:
        """Yield the items of a whole document.

        :raises ValueError: it is not well-formed XML, has another root, declares entities, or nests too deep; the
            message begins with the line.
        """
        try:
            for start in range(0, len(content), _CHUNK):
                self._parser.Parse(content[start : start + _CHUNK], False)
                yield from self._taken()
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise ValueError(f"line {error.lineno}: is not well-formed XML: {expat.ErrorString(error.code)}") from None
        except (LookupError, UnicodeError):
            raise ValueError("line 1: has an encoding that cannot be read; save the file as UTF-8") from None
        yield from self._taken()

    def _taken(self) -> list[Element]:
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        namespace, _, local = name.rpartition(_SEPARATOR)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"line {line}: is nested more than {_DEEPEST} levels deep")
        if self._depth == 1 and local not in self._roots:
            known = " or ".join(f"<{root}>" for root in self._roots)
            raise ValueError(f"line {line}: begins with <{printable(local, _SHOWN)}>, not with {known}")
        if not self._open and local not in self._items:
            self.outside.setdefault(printable(local, _SHOWN), line)
            return
        self._elements = self._elements + 1 if self._open else 1
        if self._elements > _MOST_ELEMENTS:
            raise ValueError(f"line {line}: the item has more than {_MOST_ELEMENTS:,} elements")
        plain = {key.rpartition(_SEPARATOR)[2]: value for key, value in attributes.items()}
        element = Element(local, namespace, line, plain)
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._open:
            element = self._open.pop()
            if not self._open:
                self._done.append(element)

    def _data(self, data: str) -> None:
        if self._open:
            self._open[-1].parts.append(data)

    def _doctype(self, _: str, __: str | None, ___: str | None, has_declarations: int) -> None:
        # A DOCTYPE that only names a document type declares nothing, and expat does not fetch it.
        if has_declarations:
            line = self._parser.CurrentLineNumber
            raise ValueError(f"line {line}: its DOCTYPE declares entities or elements, which are not read; remove it")

    def _entity(self, name: str, _: bool) -> None:
        line = self._parser.CurrentLineNumber
        raise ValueError(f"line {line}: has the entity &{printable(name, _SHOWN)};, which XML does not know")
