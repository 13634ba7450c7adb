"""Connect the lower layers to Airflow: mask secrets, log calls, and pass ids on as soon as they exist."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk.log import mask_secret
from opentelemetry.context import get_current

from kaltura_provider.api.observer import Observer
from kaltura_provider.hooks import metrics
from kaltura_provider.hooks.airflow_lock import AIRFLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaltura_provider.api.observer import CallRecord

__all__ = ["AirflowObserver"]

# The client tries hash types until the server accepts one, so a refused hash is not worth a warning.
_NO_TROUBLE = (None, "INVALID_APP_TOKEN_HASH")

log = logging.getLogger(__name__)


class AirflowObserver(Observer):
    """An :class:`~kaltura_provider.api.observer.Observer` for code that runs inside Airflow.

    :param on_id: is called with (kind, id) as soon as an entry or upload token has an id.
    :param on_chunk: is called with the progress of an upload.
    """

    def __init__(
        self,
        *,
        on_id: Callable[[str, str], None] | None = None,
        on_chunk: Callable[[Any], None] | None = None,
    ) -> None:
        # Calls are made from threads, which do not know the span of the task.
        self._span = get_current()
        self._on_id = on_id
        self._on_chunk = on_chunk

    def on_secret(self, value: str) -> None:
        """Mask a secret in this process and in the task's supervisor."""
        with AIRFLOW:
            mask_secret(value)

    def on_call(self, call: CallRecord) -> None:
        """Log one exchange with Kaltura, at debug level or as a warning if it failed, and report it in metrics."""
        metrics.call_ended(call, self._span)
        level = logging.DEBUG if call.error in _NO_TROUBLE else logging.WARNING
        log.log(
            level,
            "Kaltura %s.%s took %.3f s (attempt %d, request %s)%s",
            call.service,
            call.action,
            call.seconds,
            call.attempt,
            call.request_id or "-",
            "" if call.error is None else f": {call.error}",
        )

    def on_chunk(self, progress: Any) -> None:
        """Pass on the progress of an upload."""
        if self._on_chunk is not None:
            self._on_chunk(progress)

    def on_id(self, kind: str, value: str) -> None:
        """Log an id and pass it on."""
        log.info("Kaltura %s %s", kind, value)
        if self._on_id is not None:
            self._on_id(kind, value)
