"""Waits for a batch as far as its run asks: until Kaltura has the content, or the entries are READY, or approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.xcom_parts import resolved, split_result
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context
    from jinja2 import Environment

__all__ = ["WAIT_FOR", "KalturaBatchReadySensor"]

WAIT_FOR = ("sent", "ready", "approved")
"""How far a run waits: until Kaltura has the content, until the entries are READY, or until they are approved too."""


class KalturaBatchReadySensor(KalturaEntryReadySensor):
    """Wait for the entries of a batch.

    :param wait_for: ``sent`` passes the items on without waiting; ``ready`` waits until their entries are READY;
        ``approved`` also waits until a moderator has approved them.

    It waits in the triggerer, so that hours of waiting hold no worker slot. The other arguments and the result are
    :class:`~kaltura_provider.sensors.entry.KalturaEntryReadySensor`'s. A result of more than 48 KiB is returned as a
    reference to several XComs, which ``pull_results`` of :mod:`~kaltura_provider.hooks.xcom_parts` reads.
    """

    template_fields: Sequence[str] = (*KalturaEntryReadySensor.template_fields, "wait_for")

    def __init__(self, *, wait_for: str = "ready", **kwargs: Any) -> None:
        super().__init__(deferrable=True, **kwargs)
        self.wait_for = wait_for

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Render the fields, and fetch the references of a batch that were too large for one XCom."""
        super().render_template_fields(context, jinja_env)
        self.entry_id = resolved(context, self.entry_id)

    def condition(self) -> dict[str, Any]:
        """Return the arguments of the condition.

        :raises ValueError: ``wait_for`` is not one of the words.
        """
        return {**super().condition(), "moderation": "wait" if self._choice() == "approved" else self.moderation}

    def is_settled(self, reference: Mapping[str, Any]) -> bool:
        """Return whether the run waits for nothing more of this item."""
        match self._choice():
            case "sent":
                return True
            case "approved":
                return False
        return super().is_settled(reference)

    def execute(self, context: Context) -> Any:
        """Wait in the triggerer."""
        return split_result(context, super().execute(context))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Return the result."""
        return split_result(context, super().execute_complete(context, event))

    def _leave_result(self, context: Context, result: Any) -> None:
        super()._leave_result(context, split_result(context, result))

    def _choice(self) -> str:
        if self.wait_for not in WAIT_FOR:
            raise ValueError(f"wait_for {self.wait_for!r} is not known; use one of {', '.join(WAIT_FOR)}")
        return self.wait_for
