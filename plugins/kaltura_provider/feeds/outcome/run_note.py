"""The result of a run in one line, which Airflow shows as the note of the run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["NOTE_KEY", "counted", "message_of_summary", "note_of_plan", "note_of_summary"]

NOTE_KEY = "kaltura_note"
"""XCom key of the note. The plugin copies it to the run when the run ends, since a task cannot write notes."""

# Airflow's database takes 1,000 characters.
_MAX_LENGTH = 900
# Decisions of the plan about items that a later run looks at again.
_LATER = ("waiting", "unstable")
_MAX_NAMED = 3
_MAX_REASON = 160
_MAX_LINES = 50
# Airflow shows notes as Markdown, and file names are data.
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~])")


def note_of_summary(summary: Mapping[str, Any]) -> str:
    """Return the note for a run: how many items are new, were there, or failed, and why the first ones failed."""
    failed: Sequence[Mapping[str, Any]] = summary["failed"]
    line = counted(summary)
    reasons = [_reason(item) for item in failed[:_MAX_NAMED]]
    if (more := _failed(summary) - _MAX_NAMED) > 0:
        reasons.append(f"and {more:,} more")
    return f"{line}{': ' if reasons else ''}{'; '.join(reasons)}"[:_MAX_LENGTH]


def message_of_summary(summary: Mapping[str, Any]) -> str:
    """Return the result of a run as plain text: the counts, then a line for each of the first failed items."""
    failed: Sequence[Mapping[str, Any]] = summary["failed"]
    lines = [
        f"  {item['uri']}: {item['step']} failed: {' '.join(str(item['reason']).split())}"
        for item in failed[:_MAX_LINES]
    ]
    left = _failed(summary) - len(lines)
    return "\n".join([counted(summary), *lines, *([f"  and {left:,} more"] if left else [])])


def counted(summary: Mapping[str, Any]) -> str:
    """Return how many items of a run are new, got new content, were there, were left alone, wait, or failed."""
    plan = summary.get("plan") or {}
    refilled, skipped = summary.get("refilled", 0), summary.get("skipped", 0)
    counts = (
        (summary["new"], "new"),
        (refilled, "with new content"),
        (summary["found"] - refilled - skipped, "already there"),
        (skipped, "skipped"),
        (sum(plan.get(decision, 0) for decision in _LATER), "waiting"),
        (_failed(summary), "failed"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in counts if count) or "nothing to ingest"


def _failed(summary: Mapping[str, Any]) -> int:
    """Return the number of failed items; a summary names only some of very many."""
    return int(summary.get("failed_count", len(summary["failed"])))


def note_of_plan(counts: Mapping[str, int], windows: int = 0) -> str:
    """Return the note for a dry run.

    :param windows: their number, for a dry run of several.
    """
    said = ", ".join(f"{count:,} {decision}" for decision, count in counts.items())
    many = f" of {windows:,} windows" if windows else ""
    return f"dry run{many}: {said or 'nothing to ingest'}"


def _reason(item: Mapping[str, Any]) -> str:
    name = str(item["uri"]).partition("?")[0].rstrip("/").rsplit("/", 1)[-1]
    reason = " ".join(str(item["reason"]).split())
    return f"{_plain(name)} ({item['step']}: {_plain(reason[:_MAX_REASON])})"


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
