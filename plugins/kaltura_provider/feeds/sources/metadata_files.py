"""Read the metadata of an entry from the JSON or YAML file beside its media file.

The contents are data: nothing in them is a template, and only fields with known names are used.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from kaltura_provider.feeds.fields.document import MAX_BYTES, Document, DocumentError
from kaltura_provider.feeds.fields.entry_fields import checked_fields
from kaltura_provider.feeds.sources.manifest_rows import field_of, is_plain

__all__ = ["MAX_BYTES", "read_metadata"]

_NOT_METADATA = ("action", "url", "entry_id")


def read_metadata(content: bytes, name: str, timezone: str = "UTC") -> tuple[dict[str, Any], list[str]]:
    """Return the fields of an entry that a file gives, checked, and the names in it that are not fields.

    The names are those of the columns of a manifest.

    :param name: the file name; ``.json`` is read as JSON, everything else as YAML.
    :param timezone: of dates without an offset.
    :raises ValueError: the file is too large, cannot be read, or has an invalid value; the message names the field.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"has more than {MAX_BYTES:,} bytes")
    data = _parsed_json(content) if name.lower().endswith(".json") else _parsed_yaml(content)
    if data is None:
        return {}, []
    if not isinstance(data, dict):
        raise ValueError("must hold fields such as title and tags")
    values: dict[str, Any] = {}
    unknown = []
    for key, value in data.items():
        field = field_of(str(key))
        if isinstance(value, dt.date):  # YAML has dates of its own
            value = value.isoformat()
        if field is None or field in _NOT_METADATA:
            unknown.append(str(key))
        elif field in values:
            raise ValueError(f"{key}: another field of the file means the same; remove one")
        elif not is_plain(value):
            raise ValueError(f"{key}: is not a text, a number or a list of texts")
        elif value not in (None, "", []):
            values[field] = value
    return checked_fields(values, timezone), unknown


def _parsed_json(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_each_once)
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8; save the file in this encoding") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: is not valid JSON: {error.msg}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice}: is given twice; remove one")
    return found


def _parsed_yaml(content: bytes) -> Any:
    try:
        return Document(content).data
    except DocumentError as error:
        raise ValueError(f"line {error.line}: {error}") from None
