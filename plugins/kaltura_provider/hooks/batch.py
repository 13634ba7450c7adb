"""Batches: operators take one source item or a list, process each alone, and report failures at the end."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from kaltura_provider.hooks import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from kaltura_provider.ingest.item import ItemRef

__all__ = [
    "CARRIED",
    "FAILURES_KEY",
    "KalturaItemsFailed",
    "as_list",
    "finish",
    "presentable",
    "raise_retryable",
    "run_of",
    "some_of",
]

log = logging.getLogger(__name__)


class KalturaItemsFailed(AirflowException):
    """Source items failed and a retry can help; the message names them, of very many the first 50."""


FAILURES_KEY = "kaltura_failures"
"""XCom key of a task's failures: ``[{"uri", "reason", "retry_helps", "kind"}]``. The ``uri`` is the source's address as
other tasks know it; the reason holds no secret."""

CARRIED = ("started", "request", "failed_step", "upload", "attempts", "sidecars")
"""Fields of an item reference besides those of :class:`~kaltura_provider.ingest.item.ItemRef`: when its first task
started (unix seconds), the request (only where a later task needs it), the task that failed, the result of the upload,
the number of the try, and the assets of its sidecar files."""


_MAX_NAMED = 50


def as_list(value: Any) -> tuple[list[Any], bool]:
    """Return ``value`` as a list, and whether it was a list."""
    return (list(value), True) if isinstance(value, (list, tuple)) else ([value], False)


def run_of(context: Context) -> str:
    """Return the name of the DAG run, which is the same in every try of every task."""
    ti: Any = context["ti"]
    return f"{ti.dag_id} {ti.run_id}"


def presentable(text: str, uri: str) -> str:
    """Return text about a source as logs and errors may show it, with secrets in its address hidden."""
    from kaltura_provider.api.redaction import printable
    from kaltura_provider.upload.sources.address import shown_address

    return printable(text.replace(uri, shown_address(uri)) if uri else text)


def finish(context: Context, step: str, refs: list[ItemRef], carried: list[dict[str, Any]], *, many: bool) -> Any:
    """Return a task's references as plain values, or fail the task.

    If a retry can help any item, the task fails and Airflow retries it; items that are done stay done. On the last try,
    and if no retry can help, the batch continues with the items that are good, and each failed reference carries its
    error to the summary. Addresses in references are unchanged, because the next task opens them; in errors, their
    secrets are hidden.

    :param carried: for each reference, its fields besides those of :class:`~kaltura_provider.ingest.item.ItemRef`.
    :raises AirflowFailException: every item failed and no retry can help.
    :raises KalturaItemsFailed: a retry can help.
    """
    refs = [_presentable(ref) for ref in refs]
    metrics.items_ended(step, [ref.state.value for ref in refs])
    failed = [ref for ref, extra in zip(refs, carried, strict=True) if ref.error and "failed_step" not in extra]
    if failed:
        ti: Any = context["ti"]
        failures = [_failure(ref) for ref in failed]
        ti.xcom_push(key=FAILURES_KEY, value=failures)
        text = _reasons(failures)
        if any(failure["retry_helps"] for failure in failures) and ti.try_number <= ti.max_tries:
            raise KalturaItemsFailed(text)
        if not any(ref.error is None for ref in refs):
            raise AirflowFailException(text)
        # The task continues with the good items, so no exception reports these.
        for failure in failures:
            log.error("%s", failure["reason"])
    plain = [
        {**{name: extra[name] for name in CARRIED if name in extra}, **ref.to_dict()}
        | ({"failed_step": extra.get("failed_step", step)} if ref.error else {})
        for ref, extra in zip(refs, carried, strict=True)
    ]
    return plain if many else plain[0]


def raise_retryable(refs: Sequence[ItemRef]) -> None:
    """Fail the task if a reference has failed and a retry can help.

    :raises KalturaItemsFailed: names each.
    """
    failures = [_failure(_presentable(ref)) for ref in refs if ref.error is not None and ref.error.retry_helps]
    if failures:
        raise KalturaItemsFailed(_reasons(failures))


def _reasons(failures: Sequence[dict[str, Any]]) -> str:
    """Return the reasons of failures as one text. A bulk upload can fail with a thousand."""
    return "; ".join(some_of([str(failure["reason"]) for failure in failures], _MAX_NAMED))


def some_of(texts: Sequence[str], most: int) -> list[str]:
    """Return the first texts, and how many more there are."""
    left = len(texts) - most
    return [*texts[:most], *([f"and {left:,} more"] if left > 0 else [])]


def _presentable(ref: ItemRef) -> ItemRef:
    if ref.error is None:
        return ref
    return replace(ref, error=replace(ref.error, message=presentable(ref.error.message, ref.uri)))


def _failure(ref: ItemRef) -> dict[str, Any]:
    from kaltura_provider.hooks.sources import shown_address

    error, shown = ref.error, shown_address(ref.uri)
    if error is None:  # only failed references come here
        raise ValueError(f"{shown} has not failed")
    reason = error.message if shown in error.message else f"{shown}: {error.message}"
    return {"uri": ref.uri, "reason": reason, "retry_helps": error.retry_helps, "kind": error.kind}
