"""What a recording holds: steps of request and reply, read from JSON and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Recording", "Step", "load_recordings", "objects_in"]

_ROUTE = re.compile(r"/service/([^/?]+)(?:/action/([^/?]+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """One request and the reply the real server gave to it."""

    recording: str
    index: int
    title: str
    request: dict[str, Any]
    response: dict[str, Any]
    after: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def name(self) -> str:
        """The name by which tables speak of this step: ``05#12``."""
        return f"{self.recording[:2]}#{self.index}"

    @property
    def fields(self) -> dict[str, Any]:
        return self.request.get("fields") or {}

    @property
    def files(self) -> dict[str, dict[str, Any]]:
        return self.request.get("files") or {}

    @property
    def reply(self) -> Any:
        """The JSON value of the reply; None where it was not JSON."""
        return self.response.get("json")

    @property
    def error_code(self) -> str:
        """The code of the error the real server answered with; empty on success."""
        if isinstance(self.reply, dict) and self.reply.get("objectType") == "KalturaAPIException":
            return str(self.reply["code"])
        return ""

    @cached_property
    def call(self) -> tuple[str, str]:
        """Service and action in lower case, from the path, the query or the fields."""
        parts = urlsplit(self.request["path"])
        if match := _ROUTE.search(parts.path):
            return match[1].lower(), (match[2] or "").lower()
        given = {**self.fields, **dict(parse_qsl(parts.query))}
        return str(given.get("service", "")).lower(), str(given.get("action", "")).lower()

    @cached_property
    def sent_values(self) -> frozenset[str]:
        """Every value of the request as text: what a reply may only repeat."""
        texts = re.findall(r'"([^"]*)"|(-?\d+)', json.dumps(self.request.get("json")))
        values = {str(value) for value in self.fields.values()} | {text or number for text, number in texts}
        return frozenset(values)


@dataclass(frozen=True)
class Recording:
    """One session with the real server."""

    name: str
    title: str
    steps: tuple[Step, ...]


def load_recordings(folder: Path) -> list[Recording]:
    """Read every recording of a folder that has steps, in the order of the file names.

    :raises FileNotFoundError: the folder holds none.
    """
    recordings = []
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("steps"):
            steps = tuple(_step(path.stem, index, raw) for index, raw in enumerate(data["steps"]))
            recordings.append(Recording(path.stem, str(data.get("title", "")), steps))
    if not recordings:
        raise FileNotFoundError(f"{folder} holds no recording: expected *.json files with a list of steps")
    return recordings


def objects_in(value: Any) -> list[dict[str, Any]]:
    """Every JSON object inside a value, the outer ones first."""
    if isinstance(value, dict):
        return [value] + [found for part in value.values() for found in objects_in(part)]
    if isinstance(value, list):
        return [found for part in value for found in objects_in(part)]
    return []


def _step(recording: str, index: int, raw: dict[str, Any]) -> Step:
    after = raw.get("db_after") or raw.get("server_state_after") or {}
    return Step(recording, index, raw["title"], raw["request"], raw["response"], after, str(raw.get("note", "")))
