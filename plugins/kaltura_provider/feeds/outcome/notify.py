"""Tells people how a run ended, through a notifier of Airflow: one message a run, with what failed and why.

:mod:`~kaltura_provider.feeds.outcome.late` tells them that a run is late.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from kaltura_provider.feeds.fields.problems import did_you_mean
from kaltura_provider.feeds.fields.types import Strict, about
from kaltura_provider.feeds.outcome.run_note import message_of_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import BaseNotifier, Context

__all__ = ["LATE", "Notification", "callbacks", "notifier_class"]

LATE = "late"
"""The occasion of a run that has missed its deadline."""


class Notification(Strict):
    """One notifier, and when it is called."""

    notifier: Annotated[
        str,
        Field(max_length=300),
        about("The class of an Airflow notifier, such as `airflow.providers.smtp.notifications.smtp.SmtpNotifier`"),
    ]
    on: Annotated[
        list[Literal["failure", "success", "late"]],
        Field(min_length=1, max_length=3),
        about("When a run ends with a `failure`, with `success`, or is `late` by the feed's `deadline`"),
    ] = ["failure"]
    arguments: Annotated[
        dict[str, Any],
        about(
            "Arguments of the notifier. Texts are Jinja templates, in which `run_message` is the result with each "
            "failed item and its reason, and `run_note` its first line"
        ),
    ] = {}

    @model_validator(mode="after")
    def _can_be_called(self) -> Notification:
        from airflow.sdk import BaseNotifier

        kind = notifier_class(self.notifier)
        speaks = kind.notify is not BaseNotifier.notify or kind.__call__ is not BaseNotifier.__call__
        speaks_later = kind.async_notify is not BaseNotifier.async_notify and set(self.on) == {LATE}
        if not speaks and not speaks_later:
            raise ValueError(f"notifier {self.notifier!r} has no method notify(), which Airflow calls; give another")
        signature = inspect.signature(kind)
        known = signature.parameters
        takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values())
        for name in self.arguments:
            if name not in known and not takes_any:
                raise ValueError(
                    f"argument {name!r} is not known to {self.notifier}; it has {', '.join(known)}"
                    f"{did_you_mean(name, known)}"
                )
        try:
            signature.bind(**self.arguments)
        except TypeError as error:
            raise ValueError(f"arguments of {self.notifier}: {error}; add it below 'arguments:'") from None
        return self


def notifier_class(path: str) -> type[BaseNotifier]:
    """Return the class that an import path names.

    :raises ValueError: it cannot be imported, or is not a notifier.
    """
    from airflow.sdk import BaseNotifier

    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (Exception, SystemExit):
        # Importing a module runs it.
        raise ValueError(
            f"notifier {path!r} cannot be imported; check its name, and install the provider it belongs to"
        ) from None
    if not (isinstance(found, type) and issubclass(found, BaseNotifier)):
        raise ValueError(f"notifier {path!r} is not a notifier; give a class that extends Airflow's BaseNotifier")
    return found


def callbacks(notifications: Sequence[Notification]) -> dict[str, list[Callable[[Context], None]]]:
    """Return the callbacks of the task that knows the result of a run, as arguments of its operator."""
    made: dict[str, list[Callable[[Context], None]]] = {}
    for one in notifications:
        for outcome in dict.fromkeys(occasion for occasion in one.on if occasion != LATE):
            made.setdefault(f"on_{outcome}_callback", []).append(_Notify(one))
    return made


class _Notify:
    """Calls a notifier with the result of the run among the names of its templates."""

    def __init__(self, notification: Notification) -> None:
        self._notification = notification

    def __call__(self, context: Context) -> None:
        notifier = notifier_class(self._notification.notifier)(**self._notification.arguments)
        message = _message(context)
        names: Any = {**context, "run_message": message, "run_note": message.partition("\n")[0]}
        notifier(names)


def _message(context: Context) -> str:
    ti: Any = context["ti"]
    summary = ti.xcom_pull(task_ids=ti.task_id, key="return_value")
    result = message_of_summary(summary) if summary else str(context.get("exception") or "the run has ended")
    return f"{ti.dag_id} {ti.run_id}: {result}"
