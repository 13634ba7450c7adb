"""Reads the Dockerfile: its stages, and what each copies and runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

__all__ = ["ROOT", "Copy", "Run", "Stage", "ignored", "read_dockerfile"]

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Copy:
    """A COPY: from the repository, or from another stage."""

    sources: tuple[str, ...]
    target: str
    stage: str | None


@dataclass(frozen=True)
class Run:
    """One command of a RUN, as its words."""

    words: tuple[str, ...]


@dataclass
class Stage:
    """What one stage does, in its order."""

    name: str
    base: str
    steps: list[Copy | Run] = field(default_factory=list)
    user: str = "root"


def read_dockerfile(file: Path = ROOT / "Dockerfile") -> dict[str, Stage]:
    """Return the stages of a Dockerfile by their names."""
    stages: dict[str, Stage] = {}
    stage = None
    text = re.sub(r"^\s*#.*\n", "", file.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    for keyword, _, rest in (line.partition(" ") for line in text.splitlines() if line.strip()):
        if keyword == "FROM":
            base, _, name = rest.split()
            stage = stages[name] = Stage(name, base)
        elif stage is None:
            continue
        elif keyword == "COPY":
            stage.steps.append(_copy(rest.split()))
        elif keyword == "RUN":
            stage.steps += [Run(tuple(shlex.split(command))) for command in rest.split("&&")]
        elif keyword == "USER":
            stage.user = rest
    return stages


def _copy(words: Sequence[str]) -> Copy:
    options = [word for word in words if word.startswith("--")]
    *sources, target = [word for word in words if word not in options]
    stage = next((word.partition("=")[2] for word in options if word.startswith("--from=")), None)
    return Copy(tuple(sources), target, stage)


def ignored(path: str) -> bool:
    """Return whether .dockerignore keeps a path of the repository out of the build."""
    out = False
    for line in (ROOT / ".dockerignore").read_text().split():
        pattern = line.removeprefix("!")
        if any(fnmatch(part, pattern) for part in (path, *map(str, Path(path).parents))):
            out = not line.startswith("!")
    return out
