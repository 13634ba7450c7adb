"""What the mapped tasks of a run returned: the latest reference of each item, and why items failed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import FAILURES_KEY
from kaltura_provider.hooks.border import FAILURE_KEY
from kaltura_provider.hooks.xcom_parts import pull_mapped, pull_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["RunResults", "opened"]

_STEPS = ("ingest", "ready")


class RunResults:
    """The results of the tasks that a run mapped over its batches. Addresses are decrypted, so that they compare.

    :param group_id: the mapped task group.
    :param batches: the items of each batch.
    """

    def __init__(self, context: Context, group_id: str, batches: Sequence[Sequence[dict[str, Any]]]) -> None:
        self._ti: Any = context["ti"]
        self._group_id = group_id
        self._batches = batches
        # Needed after a clear only; it costs a request for each instance.
        self._count = len(batches) if _was_cleared(context) else None

    @cached_property
    def known(self) -> dict[str, dict[str, Any]]:
        """The latest reference of each item by its address, with the step that returned it as ``last_step``."""
        known: dict[str, dict[str, Any]] = {}
        for step in _STEPS:
            for ref in pull_results(self._ti, f"{self._group_id}.{step}", count=self._count):
                uri = opened(ref["uri"])
                # An instance that was cleared and did not start again still has its old result.
                if step == _STEPS[0] or uri in known:
                    known[uri] = {**ref, "uri": uri, "last_step": step}
        return known

    @property
    def good(self) -> list[dict[str, Any]]:
        """The references of the items that passed the last step and do not wait for anything."""
        return [ref for ref in self.known.values() if _is_in(ref)]

    def failed(self) -> list[dict[str, Any]]:
        """Return the items that did not reach Kaltura, with ``step``, ``reason``, ``retry_helps`` and ``batch``."""
        good = {ref["uri"] for ref in self.good}
        missing = [item["uri"] for batch in self._batches for item in batch if item["uri"] not in good]
        if not missing:
            return []
        reasons = self._reasons()
        number_of = {item["uri"]: number for number, batch in enumerate(self._batches) for item in batch}
        return [
            {"uri": uri, **(reasons.get(uri) or _ended_silently(self.known.get(uri))), "batch": number_of[uri]}
            for uri in missing
        ]

    def _reasons(self) -> dict[str, dict[str, Any]]:
        """Return the most precise reason for each item: of its reference, of a try that named it, or of its task."""
        reasons = self._reasons_of_tasks()
        for step in _STEPS:
            for failures in self._pulled(step, FAILURES_KEY):
                for failure in failures:
                    uri = opened(failure["uri"])
                    reasons[uri] = {**failure, "uri": uri, "step": step}
        for uri, ref in self.known.items():
            if error := ref.get("error"):
                reasons[uri] = {
                    "uri": uri,
                    "step": ref.get("failed_step", ref["last_step"]),
                    "reason": error["message"],
                    "retry_helps": error["retry_helps"],
                    "kind": error.get("kind"),
                }
        return reasons

    def _reasons_of_tasks(self) -> dict[str, dict[str, Any]]:
        """Return why whole tasks failed, for each item of their batches."""
        reasons: dict[str, dict[str, Any]] = {}
        for step in _STEPS:
            for failure in self._pulled(step, FAILURE_KEY):
                cause = {"step": step, "reason": failure["reason"], "retry_helps": failure["retry_helps"]}
                # The first step that failed is the cause. Later ones had no input.
                for item in self._batches[failure["map_index"]]:
                    reasons.setdefault(item["uri"], {"uri": item["uri"], **cause})
        return reasons

    def _pulled(self, step: str, key: str) -> list[Any]:
        """Return the values that the mapped instances of a step pushed under a key."""
        return pull_mapped(self._ti, f"{self._group_id}.{step}", key, count=self._count)


def opened(uri: str) -> str:
    """Return an address with its secrets decrypted, to compare addresses: every encryption looks different."""
    from kaltura_provider.hooks.sealing import opened_address
    from kaltura_provider.upload.sources.errors import SourceRefused

    try:
        return opened_address(uri)
    except SourceRefused:
        return uri


def _was_cleared(context: Context) -> bool:
    """Tell whether tasks of this run were run again after a person cleared them, or a backfill reprocessed the run."""
    run: Any = context["dag_run"]
    ti: Any = context["ti"]
    return bool(getattr(run, "clear_number", 0)) or bool(ti.try_number > 1)


def _is_in(ref: Mapping[str, Any]) -> bool:
    """Return whether an item has passed the last step and is not waiting for anything."""
    return ref["last_step"] == _STEPS[-1] and ref.get("state") != "failed" and not ref.get("waiting")


def _ended_silently(ref: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the failure of an item whose task was killed or never ran, and therefore gave no reason."""
    step = _STEPS[min(_STEPS.index(ref["last_step"]) + 1, len(_STEPS) - 1)] if ref else _STEPS[0]
    return {"step": step, "reason": "the task ended without giving a reason; see its log", "retry_helps": True}
