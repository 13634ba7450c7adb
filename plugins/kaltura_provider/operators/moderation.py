"""Approves, rejects and flags entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = ["KalturaModerateEntryOperator"]


class KalturaModerateEntryOperator(KalturaOperator):
    """Approve, reject or flag entries for moderation (``baseEntry.approve``, ``reject``, ``flag``).

    Entries that are already approved, rejected or flagged are skipped, so a retry flags nothing twice. If Kaltura
    refuses one entry, the others are still moderated.

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas.
    :param decision: ``approve``, ``reject`` or ``flag``.
    :param flag_type: for ``flag``, the reason: ``sexual_content``, ``violent_repulsive``, ``harmful_dangerous``,
        ``spam_commercials``, ``copyright``, ``terms_of_use_violation``, or the number (1 to 6).
    :param comments: for ``flag``, a note to the moderator.
    :return: the entry ids.
    :raises AirflowFailException: the decision or flag is unknown, an entry does not exist, or it cannot be flagged
        (only READY, MODERATE and BLOCKED entries can).
    """

    template_fields: Sequence[str] = (
        "entry_id",
        "decision",
        "flag_type",
        "comments",
        *KalturaOperator.template_fields,
    )

    def __init__(
        self, *, entry_id: Any, decision: str, flag_type: Any = None, comments: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.decision = decision
        self.flag_type = flag_type
        self.comments = comments

    def run_in_kaltura(self, context: Context) -> list[str]:
        """Return the entries."""
        from kaltura_provider.api.arguments import entry_ids
        from kaltura_provider.services.moderation import moderate, read_decision

        ids = entry_ids(self.entry_id, "entry_id")
        decision, flag = read_decision(self.decision, self.flag_type, self.comments)
        moderate(self.hook.get_conn(), ids, decision, flag, self.comments)
        return ids
