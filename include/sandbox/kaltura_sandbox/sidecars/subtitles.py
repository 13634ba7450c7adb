"""Reading SRT and WebVTT, for the caption actions that answer in other formats."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Cue", "parse", "web_vtt"]

_TIMES = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})\s*-->\s*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})")


@dataclass(frozen=True, slots=True)
class Cue:
    """A text and when it is shown; milliseconds."""

    start: int
    end: int
    text: str


def parse(source: str) -> list[Cue]:
    """Return the cues of a caption file; other blocks are ignored."""
    cues = []
    for block in re.split(r"\r?\n\s*\r?\n", source.lstrip("\ufeff")):
        found = _TIMES.search(block)
        if found:
            parts = [int(part or 0) for part in found.groups()]
            text = block[found.end() :].partition("\n")[2].strip()
            cues.append(Cue(_milliseconds(parts[:4]), _milliseconds(parts[4:]), text.replace("\r", "")))
    return cues


def _milliseconds(parts: list[int]) -> int:
    hours, minutes, seconds, rest = parts
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def web_vtt(cues: list[Cue]) -> str:
    """Cues as WebVTT."""
    blocks = [f"{_clock(cue.start)} --> {_clock(cue.end)}\n{cue.text}\n" for cue in cues]
    return "WEBVTT\n\n" + "\n".join(blocks)


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
