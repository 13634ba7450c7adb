"""The failed items of a run, as its summary names them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.xcom_parts import push_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["FAILED_KEY", "failure_message", "named_failures", "with_left"]

FAILED_KEY = "failed"
"""XComs with every failed item, if the result shortens the list. :func:`~.xcom_parts.pull_parts` reads them."""

_MAX_NAMED = 500
_MAX_REASON = 1000


def named_failures(context: Context, failed: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the part of the summary about failures, and push all of them if it cannot hold them."""
    from kaltura_provider.hooks.sources import shown_address

    named = [{**item, "uri": shown_address(item["uri"])} for item in failed]
    shown = [{**item, "reason": _shortened(item["reason"])} for item in _of_many_batches(named)]
    if len(shown) < len(named) or any(_shortened(item["reason"]) != item["reason"] for item in named):
        push_parts(context, FAILED_KEY, named)
    return {"failed": shown, "failed_count": len(named)}


def failure_message(shown: Sequence[Mapping[str, Any]], failed: int, count: int) -> str:
    """Return the error that names the items that failed, as far as the result of this task does."""
    lines = [f"  {item['uri']}: {item['step']} failed: {item['reason']}" for item in shown]
    left = failed - len(shown)
    more = [f"  and {left:,} more; the XComs of this task that begin with {FAILED_KEY}_ list all"] if left else []
    return "\n".join([f"{failed} of {count} items failed:", *lines, *more])


def _of_many_batches(failed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return at most 500 failures, of as many batches as possible: to start them again is to start their batches."""
    if len(failed) <= _MAX_NAMED:
        return failed
    before: Counter[int] = Counter()
    turns = []
    for place, item in enumerate(failed):
        turns.append((before[item["batch"]], place))
        before[item["batch"]] += 1
    return [failed[place] for _, place in sorted(turns)[:_MAX_NAMED]]


def _shortened(reason: str) -> str:
    return reason if len(reason) <= _MAX_REASON else f"{reason[:_MAX_REASON]}..."


def with_left(failed: Sequence[dict[str, Any]], left: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the failed items, each once, with those whose objects could not be tagged, moved or deleted.

    :param left: why not, by address.
    """
    both = [
        {**item, "reason": f"{item['reason']}; {left[item['uri']]}"} if item["uri"] in left else item for item in failed
    ]
    named = {item["uri"] for item in failed}
    only = [
        {"uri": uri, "step": "source", "reason": reason, "retry_helps": True, "batch": -1}
        for uri, reason in left.items()
        if uri not in named
    ]
    return [*both, *only]
