"""Reads docker-compose.yml as Docker Compose does: merged, and with variables replaced."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FILE", "MissingVariable", "read_compose", "variables"]

FILE = Path(__file__).resolve().parent.parent / "docker-compose.yml"
_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}|(?P<bad>.))")


class MissingVariable(ValueError):
    """A variable without a default has no value."""


def read_compose(env: Mapping[str, str], file: Path = FILE) -> dict[str, Any]:
    """Return the content of a Compose file with the variables of ``env``.

    :raises MissingVariable: a variable that the file requires is not in ``env``.
    """
    return dict(_replaced(yaml.safe_load(file.read_text()), env))


def variables(file: Path = FILE) -> dict[str, str | None]:
    """Return every variable of a Compose file with its default, which is None if it is required."""
    text = "\n".join(line for line in file.read_text().splitlines() if not line.lstrip().startswith("#"))
    found = (match for match in _VARIABLE.finditer(text) if match["name"])
    return {match["name"]: match["rest"] if match["kind"] == "-" else None for match in found}


def _replaced(value: Any, env: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, env) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, env) for item in value]
    return _VARIABLE.sub(lambda match: _value(match, env), value) if isinstance(value, str) else value


def _value(match: re.Match[str], env: Mapping[str, str]) -> str:
    if match["escaped"]:
        return "$"
    if match["bad"]:
        raise ValueError(f"{match.string!r}: a single $ must be written as $$")
    if given := env.get(match["name"]):
        return given
    if match["kind"] == "-":
        return match["rest"]
    raise MissingVariable(f"{match['name']}: {match['rest']}")
