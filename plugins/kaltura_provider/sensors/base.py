"""Base of the sensors: three ways to wait (deferrable, poke, reschedule) with the same outcome."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from kaltura_provider.hooks.authored import AuthoredTemplates
from kaltura_provider.hooks.masking import MaskedArguments
from kaltura_provider.waiting.polling.intervals import DEFAULT_INTERVALS, Intervals, jittered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.sensors.polling import PokeState
    from kaltura_provider.sensors.targets import Targets
    from kaltura_provider.triggers.base import KalturaTrigger

__all__ = ["KalturaSensor"]

T = TypeVar("T")

SCHEDULER_MARGIN = timedelta(seconds=30)
"""The trigger enforces the timeout, so that it can report what is missing. The scheduler's timeout is the fallback."""


class KalturaSensor(MaskedArguments, AuthoredTemplates, BaseSensorOperator):
    """Base of the Kaltura sensors.

    A sensor waits in the triggerer (``deferrable``), where all waits of one connection share their calls, or on a
    worker in ``mode`` ``"poke"`` or ``"reschedule"``. The outcome is the same.

    :param kaltura_conn_id: the Airflow connection of type ``kaltura``.
    :param deferrable: whether to wait in the triggerer. Default: Airflow's option ``[operators] default_deferrable``.
    :param poke_interval: seconds between two checks. Default: 5, 10, 30, then 60 s, by the age of the wait.
    :param intervals: pairs (from age, seconds between two checks), in place of ``poke_interval``.
    :param timeout: seconds (or a timedelta) from the start of the wait to ``AirflowSensorTimeout``, in every mode.
    :param allow_failed: whether the task succeeds even if an object failed. The result names it.
    :param stuck_after: seconds in one status after which an object counts as stuck. Default: depends on the status.
    :param fail_when_stuck: whether a stuck object fails. Otherwise the log reports it, with the usual cause.
    :param end_from_trigger: whether the triggerer ends a successful task, which saves a worker slot. Such a task
        returns nothing and updates no outlets.
    :raises ValueError: arguments exclude each other, or an interval is not positive.

    An object that failed permanently fails the task without a retry, unless ``allow_failed`` is set. The result is
    pushed to XCom first, so that later tasks can see which object it was.
    """

    template_fields: Sequence[str] = ("kaltura_conn_id",)
    ui_color = "#e8f4fa"

    def __init__(
        self,
        *,
        kaltura_conn_id: str = "kaltura_default",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float | None = None,
        intervals: Sequence[Sequence[float]] | None = None,
        allow_failed: bool = False,
        stuck_after: timedelta | float | None = None,
        fail_when_stuck: bool = False,
        end_from_trigger: bool = False,
        **kwargs: Any,
    ) -> None:
        if poke_interval is not None and intervals is not None:
            raise ValueError("poke_interval and intervals are both set; set only one of them")
        super().__init__(poke_interval=5.0 if poke_interval is None else poke_interval, **kwargs)
        if end_from_trigger and self.outlets:
            raise ValueError(
                "end_from_trigger and outlets are both set, but such a task updates no asset; set only one of them"
            )
        if end_from_trigger and not deferrable:
            raise ValueError("end_from_trigger is set without deferrable; set deferrable=True")
        self.kaltura_conn_id = kaltura_conn_id
        self.deferrable = deferrable
        self.fixed_interval = None if poke_interval is None else self.poke_interval
        self.intervals = intervals
        self.allow_failed = allow_failed
        self.stuck_after = stuck_after
        self.fail_when_stuck = fail_when_stuck
        self.end_from_trigger = end_from_trigger
        self.pace_steps()

    @cached_property
    def hook(self) -> KalturaHook:
        """The hook for this sensor's connection."""
        from kaltura_provider.hooks.kaltura import KalturaHook

        return KalturaHook(self.kaltura_conn_id)

    def subject(self) -> Targets:
        """Return the objects to wait for.

        :raises ValueError: an argument is not valid; the message names it.
        """
        raise NotImplementedError

    def trigger_type(self) -> type[KalturaTrigger]:
        """Return the trigger that waits for them."""
        raise NotImplementedError

    def condition(self) -> dict[str, Any]:
        """Return the condition's arguments, as JSON values.

        :raises ValueError: an argument is not valid; the message names it.
        """
        return {}

    def update(self, reference: dict[str, Any], result: Any) -> dict[str, Any]:
        """Return the result of another operator, updated for an object that is ready."""
        return reference

    def describe(self, object_id: str, result: Any) -> Any:
        """Return the result for one ready id."""
        return object_id

    def explain_timeout(self, subject: Targets, waiting: Mapping[str, str]) -> str:
        """Return further details of what is missing at the timeout. May call Kaltura."""
        return ""

    def finish(self, result: Any) -> Any:
        """Return the final result when the wait is over. May call Kaltura."""
        return result

    def begin(self, context: Context, subject: Targets) -> None:
        """Prepare the wait; called once."""

    def execute(self, context: Context) -> Any:
        """Wait in the triggerer or on this worker."""
        from kaltura_provider.hooks.border import airflow_errors

        subject, condition = self._valid(self.subject), self._valid(self.condition)
        with airflow_errors(context):
            if not subject.ids:
                return self.finish(self._result(subject, {"ready": {}, "failed": {}, "waiting": {}}))
            self.begin(context, subject)
            if not self.deferrable:
                self._poke_state = self._wait_here(context, subject, condition)
                return super().execute(context)
        now = time.time()
        trigger = self.trigger_type()(
            kaltura_conn_id=self.kaltura_conn_id,
            ids=subject.ids,
            condition=condition,
            since=now,
            deadline=now + self.timeout,
            intervals=self.pace_steps(),
            allow_failed=self.allow_failed,
            stuck_after=self.stuck_seconds(),
            fail_when_stuck=self.fail_when_stuck,
            end_from_trigger=self.end_from_trigger,
        )
        self.defer(
            trigger=trigger,
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout) + SCHEDULER_MARGIN,
        )

    def _wait_here(self, context: Context, subject: Targets, condition: dict[str, Any]) -> PokeState:
        """Start to wait on this worker, or continue the wait of this try's previous check."""
        from kaltura_provider.sensors.polling import PokeState
        from kaltura_provider.waiting.watch import Watch

        trigger_type = self.trigger_type()
        watch = Watch(
            subject.ids,
            trigger_type.condition_type(**condition),
            stuck_after=self.stuck_seconds(),
            fail_when_stuck=self.fail_when_stuck,
        )
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return PokeState(
            connect=self.hook.get_conn,
            watch=watch,
            reader=trigger_type.make_reader(),
            timeout=self.timeout,
            began=first.timestamp() if first else time.time(),
            try_number=context["ti"].try_number,
            kind=trigger_type.kind,
            store=context.get("task_state_store") if self.reschedule else None,
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Return the result of a wait in the triggerer, or raise its error."""
        return self._conclude(context, self._valid(self.subject), event)

    def poke(self, context: Context) -> PokeReturnValue:
        """Check once, from a worker."""
        event = self._poke_state.check()
        self._choose_poke_interval()
        if event is None:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._conclude(context, self._valid(self.subject), event))

    def pace_steps(self) -> list[list[float]]:
        """Return pairs (from age, seconds between two checks)."""
        fixed = None if self.fixed_interval is None else ((0.0, self.fixed_interval),)
        return [list(step) for step in Intervals(fixed or self.intervals or DEFAULT_INTERVALS).intervals]

    def stuck_seconds(self) -> float | None:
        """Return the seconds in one status after which an object counts as stuck."""
        return self.stuck_after.total_seconds() if isinstance(self.stuck_after, timedelta) else self.stuck_after

    def _choose_poke_interval(self) -> None:
        """Set the pause before the next check by the age of the wait, unless Airflow does (``exponential_backoff``)."""
        if self.exponential_backoff:
            return
        age = time.time() - self._poke_state.began
        wait = jittered(Intervals(self.pace_steps()).interval(age), random.random())  # noqa: S311 - spreads load only
        self.poke_interval = min(wait, max(self.timeout - age, 0.0))

    def _valid(self, read: Callable[[], T]) -> T:
        """Return the value of rendered arguments. A value that is not valid fails the task without a retry."""
        try:
            return read()
        except (TypeError, ValueError) as error:
            raise AirflowFailException(f"{self.task_id}: {error}") from None

    def _result(self, subject: Targets, report: Mapping[str, Any]) -> Any:
        return subject.outcome(report, self.update, self.describe)

    def _conclude(self, context: Context, subject: Targets, event: Mapping[str, Any]) -> Any:
        """Return the result of a wait or raise its error, the same in every mode."""
        from kaltura_provider.hooks.border import airflow_errors
        from kaltura_provider.waiting.polling.failures import error_from_json

        reasons = list(event["failed"].values())
        with airflow_errors(context):
            if event["outcome"] == "error":
                raise error_from_json(event["error"])
            result = self.finish(self._result(subject, event))
        if event["outcome"] == "timeout":
            self._leave_result(context, result)
            missing = "; ".join(
                filter(None, [event["explanation"], self.explain_timeout(subject, event["waiting"]), *reasons])
            )
            raise AirflowSensorTimeout(
                f"{len(event['waiting'])} of {len(subject.ids)} not ready after {self.timeout:.0f} s: {missing}"
            )
        for reason in reasons:
            self.log.error("%s", reason)
        if reasons and not self.allow_failed:
            self._leave_result(context, result)
            raise AirflowFailException("; ".join(reasons[:10]))
        return result

    def _leave_result(self, context: Context, result: Any) -> None:
        if self.do_xcom_push:
            context["ti"].xcom_push(key="return_value", value=result)
