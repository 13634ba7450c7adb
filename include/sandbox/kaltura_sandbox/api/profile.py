"""Response profiles: trimming what a reply shows."""

from __future__ import annotations

from typing import Any

from kaltura_sandbox.wire import php

__all__ = ["trim"]

_INCLUDE, _EXCLUDE = 1, 2
# Never left out: the client could not tell what it got.
_ALWAYS = frozenset({"objectType", "type"})


def trim(value: Any, profile: Any) -> Any:
    """Apply ``responseProfile[type]`` (1 include, 2 exclude) and ``[fields]`` to the objects of a result."""
    if not isinstance(profile, dict) or "fields" not in profile:
        return value
    fields = {name.strip() for name in php.to_str(profile["fields"]).split(",")}
    kind = php.to_int(profile.get("type", _INCLUDE))
    return _trim(value, fields, kind)


def _trim(value: Any, fields: set[str], kind: int) -> Any:
    if isinstance(value, list):
        return [_trim(item, fields, kind) for item in value]
    if not isinstance(value, dict):
        return value
    if str(value.get("objectType", "")).endswith("ListResponse"):
        return {name: _trim(item, fields, kind) if name == "objects" else item for name, item in value.items()}
    if kind == _EXCLUDE:
        return {name: item for name, item in value.items() if name not in fields or name in _ALWAYS}
    return {name: item for name, item in value.items() if name in fields or name in _ALWAYS}
