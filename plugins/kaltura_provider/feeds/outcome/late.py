"""Tells people that a run of a feed is late, by a deadline of Airflow and the feed's notifiers.

Airflow stores the deadline when it queues a run. Its scheduler notices when the deadline has passed, and its triggerer
calls :func:`notify_late`, whatever has become of the run.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from kaltura_provider.feeds.outcome.notify import LATE, notifier_class

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from airflow.sdk.definitions.deadline import DeadlineAlert

    from kaltura_provider.feeds.outcome.notify import Notification

__all__ = ["deadline_alert", "notify_late"]

log = logging.getLogger(__name__)

_STATES = {"queued": "it has not started", "running": "it is still running", "failed": "it failed"}


def deadline_alert(deadline: dt.timedelta | None, notifications: Sequence[Notification]) -> DeadlineAlert | None:
    """Return the deadline of the runs of a feed, or ``None`` if it has none.

    :param deadline: how long a run may take from when it is queued, which is when its interval has ended.
    """
    if deadline is None:
        return None
    from airflow.sdk.definitions.callback import AsyncCallback
    from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

    chosen = [one.model_dump(mode="json") for one in notifications if LATE in one.on]
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=deadline,
        callback=AsyncCallback(notify_late, kwargs={"notifications": chosen}),
    )


async def notify_late(notifications: Sequence[Mapping[str, Any]], context: Mapping[str, Any]) -> None:
    """Call notifiers for a run that has missed its deadline.

    The runs of a backfill wait for one another, so none of them is late.

    :param notifications: ``notifier`` and ``arguments`` of each.
    :param context: Airflow's, which has ``dag_run`` and ``deadline`` here.
    :raises RuntimeError: a notifier failed. The others were called.
    """
    if context["dag_run"]["run_type"] == "backfill":
        return
    message = _message(context)
    log.info("%s", message)
    failed = []
    for one in notifications:
        names = {**context, "run_message": message, "run_note": message}
        try:
            await _call(one["notifier"], one["arguments"], names)
        except Exception:
            log.exception("The notifier %s failed.", one["notifier"])
            failed.append(one["notifier"])
    if failed:
        raise RuntimeError(f"{', '.join(failed)} failed; the log of the triggerer says why")


async def _call(path: str, arguments: Mapping[str, Any], names: dict[str, Any]) -> None:
    from airflow.sdk import BaseNotifier

    kind = notifier_class(path)
    notifier: Any = kind(**arguments)
    if kind.async_notify is BaseNotifier.async_notify:
        await asyncio.to_thread(notifier, names)
    else:
        notifier.context = names
        await notifier


def _message(context: Mapping[str, Any]) -> str:
    run, due = context["dag_run"], str(context["deadline"]["deadline_time"])[:19].replace("T", " ")
    state = _STATES.get(str(run.get("state")), f"its state is {run.get('state')}")
    return f"{run['dag_id']} {run['dag_run_id']}: late: it was due at {due} UTC, and {state}"
