"""The score of a replay: how many steps agree, and a table that says why the others do not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.player import Verdict

__all__ = ["agreement", "report"]


def agreement(verdicts: Sequence[Verdict]) -> float:
    """Return the share of steps that agree, 0 to 1; 0 of nothing is 0."""
    return sum(verdict.agrees for verdict in verdicts) / len(verdicts) if verdicts else 0.0


def report(verdicts: Sequence[Verdict], skipped: Mapping[str, str]) -> str:
    """Return a line per recording and one per step that does not agree."""
    total = Counter(verdict.step.recording for verdict in verdicts)
    agreed = Counter(verdict.step.recording for verdict in verdicts if verdict.agrees)
    lines = [f"{name:<34} {agreed[name]:>4} of {total[name]:>4} agree" for name in total]
    lines.append(f"{'all':<34} {agreed.total():>4} of {total.total():>4} agree ({agreement(verdicts):.1%})")
    lines += [f"not replayed: {name}: {reason}" for name, reason in skipped.items()]
    for verdict in verdicts:
        if not verdict.agrees:
            lines.append(f"{verdict.step.name} {verdict.step.title}")
            lines += [f"    {difference}" for difference in verdict.differences]
    return "\n".join(lines)
