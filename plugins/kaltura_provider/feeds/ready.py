"""Waits for a batch as far as its run asks: until Kaltura has the content, or the entries are READY, or approved."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.xcom_parts import split_result
from kaltura_provider.sensors.base import SCHEDULER_MARGIN
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["WAIT_FOR", "KalturaBatchReadySensor"]

WAIT_FOR = ("sent", "ready", "approved")
"""How far a run waits: until Kaltura has the content, until the entries are READY, or until they are approved too."""

_OVER = ("failed", "skipped")
_READY_KEY = "ready"


class KalturaBatchReadySensor(KalturaEntryReadySensor):
    """Wait for the entries of a batch, then for the flavors that the run requires.

    :param wait_for: ``sent`` passes the items on without waiting; ``ready`` waits until their entries are READY;
        ``approved`` also waits until a moderator has approved them.
    :param flavor_params_ids: flavor params that every READY entry must have. An item whose entry does not get one of
        them fails.

    It waits in the triggerer, so that hours of waiting hold no worker slot. The other arguments and the result are
    :class:`~kaltura_provider.sensors.entry.KalturaEntryReadySensor`'s. A result of more than 48 KiB is returned as a
    reference to several XComs, which ``pull_results`` of :mod:`~kaltura_provider.hooks.xcom_parts` reads.
    """

    template_fields: Sequence[str] = (*KalturaEntryReadySensor.template_fields, "wait_for", "flavor_params_ids")

    def __init__(self, *, wait_for: str = "ready", flavor_params_ids: Any = (), **kwargs: Any) -> None:
        super().__init__(deferrable=True, **kwargs)
        self.wait_for = wait_for
        self.flavor_params_ids = flavor_params_ids

    def condition(self) -> dict[str, Any]:
        """Return the arguments of ``EntryReady``.

        :raises ValueError: ``wait_for`` is not one of the words.
        """
        return {**super().condition(), "moderation": "wait" if self._choice() == "approved" else self.moderation}

    def is_settled(self, reference: Mapping[str, Any]) -> bool:
        """Tell whether the run waits for nothing more of this item."""
        match self._choice():
            case "sent":
                return True
            case "approved":
                return False
        return super().is_settled(reference)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Return the result, or wait on for the required flavors."""
        return split_result(context, self._flavors(context, super().execute_complete(context, event)))

    def execute(self, context: Context) -> Any:
        """Wait in the triggerer."""
        return split_result(context, self._flavors(context, super().execute(context)))

    def flavors_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Return the result once the flavors are there. An item that does not get them has failed."""
        ti: Any = context["ti"]
        result = ti.xcom_pull(task_ids=ti.task_id, key=_READY_KEY, map_indexes=ti.map_index)
        failed: Mapping[str, str] = event.get("failed") or {}
        late: Mapping[str, str] = event.get("waiting") or {}
        if event["outcome"] == "error":
            from kaltura_provider.hooks.border import airflow_errors
            from kaltura_provider.waiting.polling.failures import error_from_json

            with airflow_errors(context):
                raise error_from_json(event["error"])
        return split_result(context, self.finish([_judged(ref, failed, late) for ref in result]))

    def _leave_result(self, context: Context, result: Any) -> None:
        super()._leave_result(context, split_result(context, result))

    def _choice(self) -> str:
        if self.wait_for not in WAIT_FOR:
            raise ValueError(f"wait_for {self.wait_for!r} is not known: use one of {', '.join(WAIT_FOR)}")
        return self.wait_for

    def _flavors(self, context: Context, result: Any) -> Any:
        """Defer once more if there are flavors to wait for."""
        from kaltura_provider.sensors.entry import listed
        from kaltura_provider.triggers.entry import KalturaFlavorReadyTrigger

        wanted = [int(number) for number in listed(self.flavor_params_ids or ())]
        ids = [ref["entry_id"] for ref in result if ref.get("entry_id") and ref.get("state") not in _OVER]
        if not wanted or not ids or self.wait_for == "sent":
            return result
        # Airflow's dag.test() forgets the arguments of a resumed method, and keeps XComs.
        context["ti"].xcom_push(key=_READY_KEY, value=result)
        now = time.time()
        self.defer(
            trigger=KalturaFlavorReadyTrigger(
                kaltura_conn_id=self.kaltura_conn_id,
                ids=ids,
                condition={"flavor_params_ids": wanted, "tags": [], "minimum": 0, "grace": self.grace},
                since=now,
                deadline=now + self.timeout,
                intervals=self.pace_steps(),
                allow_failed=True,
                stuck_after=self.stuck_seconds(),
                fail_when_stuck=self.fail_when_stuck,
                end_from_trigger=False,
            ),
            method_name="flavors_complete",
            timeout=timedelta(seconds=self.timeout) + SCHEDULER_MARGIN,
        )


def _judged(ref: dict[str, Any], failed: Mapping[str, str], late: Mapping[str, str]) -> dict[str, Any]:
    entry_id = str(ref.get("entry_id"))
    reason = failed.get(entry_id) or late.get(entry_id)
    if reason is None:
        return ref
    error = {"kind": "flavors", "message": f"a required flavor is missing: {reason}", "retry_helps": entry_id in late}
    return {**ref, "state": "failed", "error": error}
