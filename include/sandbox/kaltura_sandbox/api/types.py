"""Declared value and object types: how request values are cast and checked, and how stored records are shown.

A record is a plain dict whose keys are Kaltura's property names (keys with a leading underscore are internal and
never shown).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.wire import php

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "ANY", "BOOL", "DOUBLE_TEXT", "FILE", "FLOAT", "INT", "INT_TEXT", "MULTI_LINGUAL", "NULLABLE_BOOL", "STRING",
    "TIME", "Access", "ArrayOf", "EnumType", "ObjectType", "ObjectValue", "Property", "Record", "Scalar",
    "StringEnumType", "Upload", "ValueType", "prop",
]  # fmt: skip

Record = dict[str, Any]

# A time within this many seconds of zero counts from now (`max_relative_time`, ten years).
MAX_RELATIVE_TIME = 315_360_000
_ILLEGAL_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a request, spooled to disk."""

    name: str
    path: str
    size: int
    content_type: str = "application/octet-stream"


class ValueType:
    """How one kind of value is read from a request and shown in a reply."""

    def load(self, raw: Any, name: str, now: int) -> Any:
        """Cast a request value; ``name`` is the parameter's, for errors, ``now`` the sandbox's time."""
        raise NotImplementedError

    def dump(self, value: Any) -> Any:
        """Turn a stored value into its JSON form."""
        return value

    @property
    def dumps_as_is(self) -> bool:
        """Whether a stored value is its own JSON form."""
        return False

    @property
    def takes_null(self) -> bool:
        """Whether a JSON ``null`` is cast like an empty value; otherwise it counts as not sent."""
        return False


class Scalar(ValueType):
    """A value with one cast for requests and one for replies."""

    def __init__(self, load: Callable[[Any], Any], dump: Callable[[Any], Any] | None = None) -> None:
        self._load, self._dump = load, dump

    def load(self, raw: Any, name: str, now: int) -> Any:
        """Cast by the type's own rule; a map or list is true or 1 if there is anything in it, as PHP has it."""
        return self._load(bool(raw) if isinstance(raw, dict | list) else raw)

    def dump(self, value: Any) -> Any:
        """Show the value as declared."""
        return self._dump(value) if self._dump else value

    @property
    def dumps_as_is(self) -> bool:
        """Whether values are shown without a cast."""
        return self._dump is None

    @property
    def takes_null(self) -> bool:
        """PHP casts null to 0, false or the empty string."""
        return True


class _String(Scalar):
    def load(self, raw: Any, name: str, now: int) -> Any:
        text = "" if isinstance(raw, Upload) else php.to_str(raw)
        if _ILLEGAL_XML.search(text):
            raise KalturaError("INVALID_PARAMETER_CHAR", name)
        return text


class _Time(Scalar):
    def load(self, raw: Any, name: str, now: int) -> Any:
        if raw == "" or raw is None or isinstance(raw, dict | list):
            return 0
        number = php.to_int(raw)
        return now + number if -MAX_RELATIVE_TIME <= number <= MAX_RELATIVE_TIME and number != -1 else number


class _MultiLingual(_String):
    """A text that may also come as a list of ``{"language": .., "value": ..}``; one language is kept."""

    def load(self, raw: Any, name: str, now: int) -> Any:
        if raw is None or raw in ({}, []):
            raise KalturaError("WRONG_REQUEST_LANGUAGE", "default")
        if not isinstance(raw, dict | list):
            return super().load(raw, name, now)
        texts = list(raw.values()) if isinstance(raw, dict) else raw
        if not all(isinstance(text, dict) and "value" in text for text in texts):
            raise KalturaError("PROPERTY_VALIDATION_WRONG_FORMAT", name, "KalturaMultiLingualStringArray")
        return super().load(texts[0]["value"], name, now)


class _File(Scalar):
    def load(self, raw: Any, name: str, now: int) -> Any:
        return raw

    @property
    def takes_null(self) -> bool:
        return False


def _whole(value: Any) -> Any:
    """PHP prints a double without a fraction as a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _nullable_bool(raw: Any) -> int:
    if isinstance(raw, str) and raw.lower() in ("true", "false"):
        return int(raw.lower() == "true")
    return php.to_int(raw)


STRING = _String(php.to_str)
INT = Scalar(php.to_int)
FLOAT = Scalar(php.to_float, _whole)
BOOL = Scalar(php.to_bool, bool)
NULLABLE_BOOL = Scalar(_nullable_bool)
TIME = _Time(php.to_int)
MULTI_LINGUAL = _MultiLingual(php.to_str)
FILE = _File(php.to_str)
ANY = _File(php.to_str)
# Numbers that the database driver hands back as text: 300000 reads "300000".
DOUBLE_TEXT = Scalar(php.to_float, php.to_str)
INT_TEXT = Scalar(php.to_int, php.to_str)


class EnumType(ValueType):
    """An enumeration of ints; plugins add string values to some."""

    def __init__(self, name: str, values: Iterable[int | str], *, as_text: bool = False) -> None:
        self.name = name
        self._values = {str(value): value for value in values}
        self._as_text = as_text

    def load(self, raw: Any, name: str, now: int) -> Any:
        """Check a value; unknown ones are ``INVALID_ENUM_VALUE``."""
        text = php.to_str(raw)
        if text not in self._values:
            raise KalturaError("INVALID_ENUM_VALUE", text, name, self.name)
        return self._values[text]

    @property
    def takes_null(self) -> bool:
        """Refuse null, which is not a member of any enumeration."""
        return True

    def dump(self, value: Any) -> Any:
        """Show the value; dynamic enumerations are text."""
        return php.to_str(value) if self._as_text else value


class StringEnumType(EnumType):
    """An enumeration of strings, or of ints that plugins extend (shown as text)."""

    def __init__(self, name: str, values: Iterable[int | str]) -> None:
        super().__init__(name, [str(value) for value in values], as_text=True)


class ArrayOf(ValueType):
    """A list of values; requests number its items, ``key[-]=`` is the empty list."""

    def __init__(self, item: ValueType) -> None:
        self._item = item

    def load(self, raw: Any, name: str, now: int) -> Any:
        """Read the items in the order of their keys."""
        if isinstance(raw, list):
            items = raw
        elif isinstance(raw, dict):
            items = [raw[key] for key in sorted((key for key in raw if key != "-"), key=php.to_int)]
        else:
            items = []
        return [self._item.load(item, name, now) for item in items]

    def dump(self, value: Any) -> Any:
        """Show each item."""
        return [self._item.dump(item) for item in value]


class Access(Flag):
    """Who may write a property, and when."""

    WRITE = 0
    READ_ONLY = auto()
    INSERT_ONLY = auto()
    ADMIN = auto()


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an object type."""

    name: str
    type: ValueType
    access: Access = Access.WRITE


def prop(name: str, type_: ValueType = STRING, access: Access = Access.WRITE) -> Property:
    """Declare a property."""
    return Property(name, type_, access)


@dataclass(slots=True)
class ObjectValue:
    """An object read from a request: its type and the properties that were sent (None = sent as null)."""

    type: ObjectType
    values: Record = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value sent, or the default."""
        value = self.values.get(name)
        return default if value is None else value

    def check_insert(self) -> None:
        """Refuse read-only properties, as every ``add`` does."""
        self._refuse(Access.READ_ONLY, {})

    def check_update(self, stored: Mapping[str, Any]) -> None:
        """Refuse read-only and insert-only properties unless they equal what is stored."""
        self._refuse(Access.READ_ONLY | Access.INSERT_ONLY, stored)

    def _refuse(self, access: Access, stored: Mapping[str, Any]) -> None:
        for name, value in self.values.items():
            declared = self.type.properties[name]
            if declared.access & access and (name not in stored or stored[name] != value):
                raise KalturaError("PROPERTY_VALIDATION_NOT_UPDATABLE", f"{self.type.name}::{name}")

    def require(self, *names: str) -> None:
        """Refuse an object that lacks one of these properties."""
        for name in names:
            if self.values.get(name) is None:
                raise KalturaError("PROPERTY_VALIDATION_CANNOT_BE_NULL", f"{self.type.name}::{name}")


class ObjectType(ValueType):
    """A Kaltura object type: its properties in order, those of its base first."""

    registry: dict[str, ObjectType] = {}  # noqa: RUF012 - the one registry of all types

    def __init__(
        self, name: str, *properties: Property, base: ObjectType | None = None, abstract: bool = False
    ) -> None:
        self.name, self.base, self.abstract = name, base, abstract
        self.properties: dict[str, Property] = dict(base.properties) if base else {}
        self.properties.update({declared.name: declared for declared in properties})
        self._shown: tuple[tuple[str, Callable[[Any], Any] | None], ...] = tuple(
            (declared.name, None if declared.type.dumps_as_is else declared.type.dump)
            for declared in self.properties.values()
        )
        ObjectType.registry[name] = self

    def is_a(self, other: ObjectType) -> bool:
        """Whether this type is ``other`` or derived from it."""
        return self is other or (self.base is not None and self.base.is_a(other))

    def resolve(self, raw: Any) -> ObjectType:
        """Return the type that a raw object names, if derived from this one; else this one, unless it is abstract."""
        named = self.registry.get(str(raw.get("objectType"))) if isinstance(raw, dict) else None
        chosen = named if named is not None and named.is_a(self) else self
        if chosen.abstract:
            raise KalturaError("OBJECT_TYPE_ABSTRACT", chosen.name)
        return chosen

    def load(self, raw: Any, name: str, now: int) -> ObjectValue:
        """Read an object; unknown properties are ignored, ``<name>__null`` sets null."""
        kind = self.resolve(raw)
        value = ObjectValue(kind)
        for key, item in raw.items() if isinstance(raw, dict) else ():
            if (declared := kind.properties.get(key)) is not None:
                if item is not None or declared.type.takes_null:
                    value.values[key] = declared.type.load(item, key, now)
            elif key.endswith("__null") and key[:-6] in kind.properties:
                value.values[key[:-6]] = None
        return value

    def dump(self, value: Any) -> Record:
        """Show a record: declared properties that are not null, then ``objectType``."""
        shown: Record = {}
        for name, dump in self._shown:
            if (item := value.get(name)) is not None:
                shown[name] = dump(item) if dump else item
        shown["objectType"] = self.name
        return shown
