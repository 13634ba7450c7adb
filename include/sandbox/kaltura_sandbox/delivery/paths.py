"""Delivery paths: ``/p/102/sp/10200/playManifest/entryId/0_x/format/url`` and the like."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

from kaltura_sandbox.wire.params import parse_query

__all__ = ["DeliveryPath", "parse"]


@dataclass(frozen=True, slots=True)
class DeliveryPath:
    """A parsed path: the action, its key/value pairs, and the segment that is left over at the end."""

    action: str
    params: dict[str, str] = field(default_factory=dict)
    tail: str = ""
    partner: str = ""

    def number(self, name: str, default: int = 0) -> int:
        """Return a whole number, as PHP reads one: the digits a text begins with; otherwise the default."""
        text = self.params.get(name, "").strip()
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
        end = next((at for at, letter in enumerate(digits) if not letter.isdigit()), len(digits))
        return sign * int(digits[:end]) if end else default


def parse(path: str, query: str) -> DeliveryPath | None:
    """Parse a path, or return None if it is not a delivery path. The partner in it is not compared with anything."""
    segments = [unquote(part) for part in path.split("/") if part]
    if len(segments) < 3 or segments[0] != "p":
        return None
    partner, segments = segments[1], segments[2:]
    if segments[0] == "sp":
        segments = segments[2:]
    if not segments:
        return None
    action, rest = segments[0], segments[1:]
    pairs = dict(parse_query(query)) | {rest[at]: rest[at + 1] for at in range(0, len(rest) - 1, 2)}
    return DeliveryPath(action, pairs, rest[-1] if len(rest) % 2 else "", partner)
