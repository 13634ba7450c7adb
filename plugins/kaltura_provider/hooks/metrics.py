"""Metrics through Airflow (StatsD or OpenTelemetry, as the deployment has configured it), and spans of calls.

``metrics.yaml`` beside this module lists every metric, with its unit and its tags.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.observability import stats
from opentelemetry import trace

from kaltura_provider.api.enums import BatchJobStatus, EntryStatus, UploadTokenStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.context import Context

    from kaltura_provider.api.observer import CallRecord
    from kaltura_provider.upload.result import UploadResult
    from kaltura_provider.waiting.watch import Watch

__all__ = ["call_ended", "items_ended", "upload_ended", "wait_ended", "wait_observed"]

_STATUSES = {"entry": EntryStatus, "upload_token": UploadTokenStatus, "bulk_job": BatchJobStatus}
_tracer = trace.get_tracer("kaltura_provider")


def call_ended(call: CallRecord, parent: Context | None = None) -> None:
    """Report one exchange with Kaltura, as metrics and as a span below ``parent``."""
    tags = {"service": call.service, "action": call.action}
    result = "ok" if call.error is None else call.error
    stats.incr("kaltura.calls", tags=tags | {"result": stats.normalize_name_for_stats(result, log_warning=False)})
    stats.timing("kaltura.call_seconds", timedelta(seconds=call.seconds), tags=tags)
    if call.attempt > 1:
        stats.incr("kaltura.retries", tags=tags)
    _span(call, parent)


def _span(call: CallRecord, parent: Context | None) -> None:
    end = time.time_ns()
    span = _tracer.start_span(
        f"kaltura {call.service}.{call.action}",
        context=parent,
        kind=trace.SpanKind.CLIENT,
        start_time=end - int(call.seconds * 1e9),
    )
    if span.is_recording():
        values: dict[str, Any] = {
            "kaltura.service": call.service,
            "kaltura.action": call.action,
            "kaltura.attempt": call.attempt,
            "kaltura.request_id": call.request_id,
            "http.response.status_code": call.status,
        }
        span.set_attributes({name: value for name, value in values.items() if value is not None})
        if call.error is not None:
            span.set_status(trace.StatusCode.ERROR, call.error)
    span.end(end)


def upload_ended(result: UploadResult) -> None:
    """Report a source that was sent."""
    stats.incr("kaltura.upload.bytes", result.bytes_sent)
    stats.incr("kaltura.upload.chunks", result.chunks)
    stats.timing("kaltura.upload.seconds", timedelta(seconds=result.seconds))
    stats.gauge("kaltura.upload.rate", result.rate)


def items_ended(step: str, states: Iterable[str]) -> None:
    """Report the states of the items of a task."""
    for state in states:
        stats.incr("kaltura.items", tags={"step": step, "state": state})


def wait_observed(kind: str, watch: Watch) -> None:
    """Report how long objects were in the statuses that they have left since the last call."""
    for status, seconds in watch.take_left():
        tags = {"kind": kind, "status": _status_name(kind, status)}
        stats.timing("kaltura.wait.status_seconds", timedelta(seconds=seconds), tags=tags)


def _status_name(kind: str, status: str) -> str:
    try:
        return _STATUSES[kind](int(status)).name.lower()
    except (KeyError, ValueError):
        return stats.normalize_name_for_stats(status, log_warning=False).lower()


def wait_ended(kind: str, outcome: str, seconds: float) -> None:
    """Report the end of a wait."""
    stats.timing("kaltura.wait.seconds", timedelta(seconds=seconds), tags={"kind": kind, "outcome": outcome})
