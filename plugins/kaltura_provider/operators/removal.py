"""Deletes, recycles and restores entries, with a limit on how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaDeleteEntriesOperator", "KalturaRecycleEntriesOperator", "KalturaRestoreEntriesOperator"]


@renamed_arguments({"entry_ids": "entry_id"})
class _EntriesOperator(KalturaOperator):
    """Base of the three; ``removal`` names the action."""

    removal: ClassVar[str]
    template_fields: Sequence[str] = (
        "entry_id",
        "filter",
        "max_entries",
        "dry_run_only",
        *KalturaOperator.template_fields,
    )
    template_fields_renderers = {"filter": "json"}  # noqa: RUF012 - Airflow's own form

    def __init__(
        self,
        *,
        entry_id: Any = None,
        filter: Mapping[str, Any] | None = None,
        max_entries: int | None = None,
        dry_run_only: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.filter = filter
        self.max_entries = max_entries
        self.dry_run_only = dry_run_only

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return what happened to the entries."""
        from kaltura_provider.services.entry.removal import Removal, act_on_entries

        ids, dry = self._chosen()
        if dry:
            self.log.info("Would %s %d entries: %s", self.removal, len(ids), ", ".join(ids))
            return self._report(ids, [], [], dry_run=True)
        outcome = act_on_entries(self.hook.get_conn(), ids, Removal(self.removal))
        self.log.info("%s: %d done, %d no longer there", self.removal, len(outcome.done), len(outcome.missing))
        if outcome.retry is not None:
            raise outcome.retry
        if outcome.failed:
            raise AirflowFailException("; ".join(f"{entry}: {reason}" for entry, reason in outcome.failed.items()))
        return self._report(ids, outcome.done, outcome.missing, dry_run=False)

    def _report(self, ids: list[str], done: list[str], missing: list[str], *, dry_run: bool) -> dict[str, Any]:
        report = {"dry_run": dry_run, "entry_ids": ids, "done": done, "missing": missing}
        return {"deleted": bool(done), **report} if self.removal == "delete" else report

    def _chosen(self) -> tuple[list[str], bool]:
        """Return the entries, and whether to report them only."""
        from kaltura_provider.api.arguments import entry_ids, flag, number
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.services.entry.filters import entry_filter
        from kaltura_provider.services.entry.removal import find_limited

        if (self.entry_id is None) == (self.filter is None):
            raise KalturaConfigurationError("entry_id", None, "and filter exclude each other", "give one of them")
        if self.entry_id is not None:
            ids = entry_ids(self.entry_id, "entry_id")
            maximum = len(ids) if self.max_entries is None else number(self.max_entries, "max_entries", minimum=1)
            if len(ids) > maximum:
                raise KalturaConfigurationError("entry_id", len(ids), f"are more than max_entries ({maximum})", "check")
            return ids, False if self.dry_run_only is None else flag(self.dry_run_only, "dry_run_only")
        wanted = entry_filter(self.filter)
        if not wanted:
            raise KalturaConfigurationError("filter", None, "is empty and would find all entries", "add a condition")
        if self.max_entries is None:
            raise KalturaConfigurationError(
                "max_entries", None, "is missing", "set the number of entries the filter may find"
            )
        maximum = number(self.max_entries, "max_entries", minimum=1)
        found = find_limited(self.hook.get_conn(), wanted, maximum)
        dry = True if self.dry_run_only in (None, "") else flag(self.dry_run_only, "dry_run_only")
        return [str(entry["id"]) for entry in found], dry


class KalturaDeleteEntriesOperator(_EntriesOperator):
    """Delete entries permanently (``baseEntry.delete``), by id or by a filter with a maximum.

    Kaltura's API cannot bring a deleted entry back; ``KalturaRecycleEntriesOperator`` can.

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas.
    :param filter: or a filter, as for ``KalturaListEntriesOperator``; it must not be empty. Kaltura finds only READY
        and approved entries unless the filter asks for others.
    :param max_entries: how many entries may be deleted at most; if there are more, the task fails first. Required with
        ``filter``.
    :param dry_run_only: only report which entries they are. Default: true with ``filter``, false with ``entry_id``. Set
        it to ``False`` to act on what a filter finds.
    :return: ``{"deleted", "dry_run", "entry_ids", "done", "missing"}``; ``deleted`` says whether any entry was deleted,
        the lists are ids, ``missing`` those that no longer existed.
    :raises AirflowFailException: an argument is not allowed, the filter finds too many entries, or Kaltura refuses.
    """

    removal = "delete"


class KalturaRecycleEntriesOperator(_EntriesOperator):
    """Move READY entries to the recycle bin (``baseEntry.recycle``), from which they can be restored.

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas.
    :param filter: or a filter, as for ``KalturaListEntriesOperator``; it must not be empty. Kaltura finds only READY
        and approved entries unless the filter asks for others.
    :param max_entries: how many entries may be recycled at most; if there are more, the task fails first. Required with
        ``filter``.
    :param dry_run_only: only report which entries they are. Default: true with ``filter``, false with ``entry_id``. Set
        it to ``False`` to act on what a filter finds.
    :return: ``{"dry_run", "entry_ids", "done", "missing"}``; the lists are ids.
    :raises AirflowFailException: an argument is not allowed, the account has no recycle bin, an entry is not READY, or
        Kaltura refuses.
    """

    removal = "recycle"


class KalturaRestoreEntriesOperator(_EntriesOperator):
    """Restore entries from the recycle bin (``baseEntry.restoreRecycled``).

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas.
    :param filter: or a filter; ``{"displayInSearchEqual": "recycled"}`` finds the entries in the bin.
    :param max_entries: how many entries may be restored at most; if there are more, the task fails first. Required with
        ``filter``.
    :param dry_run_only: only report which entries they are. Default: true with ``filter``, false with ``entry_id``. Set
        it to ``False`` to act on what a filter finds.
    :return: ``{"dry_run", "entry_ids", "done", "missing"}``; the lists are ids.
    :raises AirflowFailException: an argument is not allowed, the account has no recycle bin, or Kaltura refuses.
    """

    removal = "restore"
