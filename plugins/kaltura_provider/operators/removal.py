"""Entries taken away and brought back, guarded against taking too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaDeleteEntriesOperator", "KalturaRecycleEntriesOperator", "KalturaRestoreEntriesOperator"]


class _EntriesOperator(KalturaOperator):
    """What the three share; ``removal`` names the action."""

    removal: ClassVar[str]
    template_fields: Sequence[str] = (
        "entry_ids",
        "filter",
        "max_entries",
        "dry_run_only",
        *KalturaOperator.template_fields,
    )
    template_fields_renderers = {"filter": "json"}  # noqa: RUF012 - Airflow's own form

    def __init__(
        self,
        *,
        entry_ids: Any = None,
        filter: Mapping[str, Any] | None = None,
        max_entries: int | None = None,
        dry_run_only: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry_ids = entry_ids
        self.filter = filter
        self.max_entries = max_entries
        self.dry_run_only = dry_run_only

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return what became of the entries."""
        from kaltura_provider.services.entry.removal import Removal, act_on_entries

        ids, dry = self._chosen()
        if dry:
            self.log.info("Would %s %d entries: %s", self.removal, len(ids), ", ".join(ids))
            return {"dry_run": True, "entry_ids": ids, "done": [], "missing": []}
        outcome = act_on_entries(self.hook.get_conn(), ids, Removal(self.removal))
        self.log.info("%s: %d done, %d gone already", self.removal, len(outcome.done), len(outcome.missing))
        if outcome.retry is not None:
            raise outcome.retry
        if outcome.failed:
            raise AirflowFailException("; ".join(f"{entry}: {reason}" for entry, reason in outcome.failed.items()))
        return {"dry_run": False, "entry_ids": ids, "done": outcome.done, "missing": outcome.missing}

    def _chosen(self) -> tuple[list[str], bool]:
        """Return the entries, and whether they are only to be shown."""
        from kaltura_provider.api.arguments import entry_ids, flag, number
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.services.entry.filters import entry_filter
        from kaltura_provider.services.entry.removal import find_limited

        if (self.entry_ids is None) == (self.filter is None):
            raise KalturaConfigurationError("entry_ids", None, "and filter exclude each other", "give one of them")
        if self.entry_ids is not None:
            ids = entry_ids(self.entry_ids)
            maximum = len(ids) if self.max_entries is None else number(self.max_entries, "max_entries", minimum=1)
            if len(ids) > maximum:
                raise KalturaConfigurationError(
                    "entry_ids", len(ids), f"are more than max_entries ({maximum})", "check"
                )
            return ids, False if self.dry_run_only is None else flag(self.dry_run_only, "dry_run_only")
        wanted = entry_filter(self.filter)
        if not wanted:
            raise KalturaConfigurationError("filter", None, "is empty", "say which entries; it would find them all")
        if self.max_entries is None:
            raise KalturaConfigurationError(
                "max_entries", None, "is missing", "set the number of entries the filter may find"
            )
        maximum = number(self.max_entries, "max_entries", minimum=1)
        found = find_limited(self.hook.get_conn(), wanted, maximum)
        dry = True if self.dry_run_only in (None, "") else flag(self.dry_run_only, "dry_run_only")
        return [str(entry["id"]) for entry in found], dry


class KalturaDeleteEntriesOperator(_EntriesOperator):
    """Delete entries (``baseEntry.delete``) for good: by their ids, or by a filter and a maximum.

    Kaltura's API brings no deleted entry back; ``KalturaRecycleEntriesOperator`` is the gentler way.

    :param entry_ids: one id, a list, or text with commas; asset references count as their entries.
    :param filter: or a filter, as of ``KalturaListEntriesOperator``; it must not be empty. Kaltura finds only READY and
        approved entries unless it says otherwise.
    :param max_entries: how many may be deleted; more fail the task before one is deleted. Required with ``filter``.
    :param dry_run_only: only say which they are. By default so with a ``filter``, and not with ``entry_ids``: set it to
        ``False`` to delete what a filter finds.
    :return: ``{"dry_run", "entry_ids", "done", "missing"}``, lists of ids; ``missing`` were gone already.
    :raises AirflowFailException: an argument is impossible, the filter finds too many, or Kaltura refuses.
    """

    removal = "delete"


class KalturaRecycleEntriesOperator(_EntriesOperator):
    """Put READY entries into the recycle bin (``baseEntry.recycle``): hidden, and restorable.

    :param entry_ids: one id, a list, or text with commas; asset references count as their entries.
    :param filter: or a filter, as of ``KalturaListEntriesOperator``; it must not be empty.
    :param max_entries: how many may be recycled; required with ``filter``.
    :param dry_run_only: only say which they are; by default so with a ``filter``.
    :return: ``{"dry_run", "entry_ids", "done", "missing"}``, lists of ids.
    :raises AirflowFailException: as above, or the account has no recycle bin, or an entry is not READY.
    """

    removal = "recycle"


class KalturaRestoreEntriesOperator(_EntriesOperator):
    """Take entries out of the recycle bin (``baseEntry.restoreRecycled``).

    :param entry_ids: one id, a list, or text with commas.
    :param filter: or a filter; ``{"displayInSearchEqual": "recycled"}`` finds what is in the bin.
    :param max_entries: how many may be restored; required with ``filter``.
    :param dry_run_only: only say which they are; by default so with a ``filter``.
    :return: ``{"dry_run", "entry_ids", "done", "missing"}``, lists of ids.
    :raises AirflowFailException: an argument is impossible, or the account has no recycle bin.
    """

    removal = "restore"
