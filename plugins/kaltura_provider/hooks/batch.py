"""One or many: operators take one asset or a list, do each by itself, and say at the end what failed."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kaltura_provider.ingest.item import ItemRef

__all__ = ["CARRIED", "FAILURES_KEY", "as_list", "finish", "presentable", "run_of"]

log = logging.getLogger(__name__)

FAILURES_KEY = "kaltura_failures"
"""XCom under which a step says what failed: ``[{"uri", "reason", "retry_helps"}]``. The ``uri`` is the source's address
as it was given, by which other tasks know it; the reason is fit to be shown."""

CARRIED = ("started", "request", "failed_step", "upload", "attempts")
"""What a plain reference carries besides the fields of :class:`~.model.ItemRef`: when its first step
began (unix seconds), what was asked for (only where a later step needs it), the step that failed, what came of the
upload, and which try it was."""


def as_list(value: Any) -> tuple[list[Any], bool]:
    """Return ``value`` as a list, and whether it was one."""
    return (list(value), True) if isinstance(value, (list, tuple)) else ([value], False)


def run_of(context: Context) -> str:
    """Return the name of the DAG run, the same in all tries of all its tasks."""
    ti: Any = context["ti"]
    return f"{ti.dag_id} {ti.run_id}"


def presentable(text: str, uri: str) -> str:
    """Return a text about a source as logs and errors may show it, the source's address in it included."""
    from kaltura_provider.api.redaction import printable
    from kaltura_provider.ingest.addresses import shown_address

    return printable(text.replace(uri, shown_address(uri)) if uri else text)


def finish(context: Context, step: str, refs: list[ItemRef], carried: list[dict[str, Any]], *, many: bool) -> Any:
    """Return a step's references as plain values; fail where nothing is left to go on with.

    A failure that a retry can help fails the task, so that Airflow retries it: what is done already is found done. On
    the last try, and for failures that no retry helps, a batch goes on with what is good in it, and each failed
    reference carries its error to the summary. Addresses stay in the references as they are, for the next task opens
    them; in what is told of failures their secrets are hidden.

    :param carried: for each reference what it carries besides its own fields.
    :raises AirflowFailException: every asset failed and no retry can help.
    :raises AirflowException: a retry can help.
    """
    refs = [_presentable(ref) for ref in refs]
    failed = [ref for ref, extra in zip(refs, carried, strict=True) if ref.error and "failed_step" not in extra]
    if failed:
        ti: Any = context["ti"]
        failures = [_failure(ref) for ref in failed]
        ti.xcom_push(key=FAILURES_KEY, value=failures)
        text = "; ".join(str(failure["reason"]) for failure in failures)
        if any(failure["retry_helps"] for failure in failures) and ti.try_number <= ti.max_tries:
            raise AirflowException(text)
        if not any(ref.error is None for ref in refs):
            raise AirflowFailException(text)
        # The task goes on with what is good, so no exception will tell of these.
        for failure in failures:
            log.error("%s", failure["reason"])
    plain = [
        {**{name: extra[name] for name in CARRIED if name in extra}, **ref.to_dict()}
        | ({"failed_step": extra.get("failed_step", step)} if ref.error else {})
        for ref, extra in zip(refs, carried, strict=True)
    ]
    return plain if many else plain[0]


def _presentable(ref: ItemRef) -> ItemRef:
    if ref.error is None:
        return ref
    return replace(ref, error=replace(ref.error, message=presentable(ref.error.message, ref.uri)))


def _failure(ref: ItemRef) -> dict[str, Any]:
    from kaltura_provider.hooks.sources import printable

    error, shown = ref.error, printable(ref.uri)
    if error is None:  # only failed references come here
        raise ValueError(f"{shown} has not failed")
    reason = error.message if shown in error.message else f"{shown}: {error.message}"
    return {"uri": ref.uri, "reason": reason, "retry_helps": error.retry_helps}
