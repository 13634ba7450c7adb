"""Adds entries to categories and removes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = ["KalturaCategorizeEntryOperator"]


class KalturaCategorizeEntryOperator(KalturaOperator):
    """Add entries to categories and remove them from others (``categoryEntry.add``, ``delete``).

    Entries already in that state are skipped, so running it twice changes nothing.

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas.
    :param add: categories, each an id or a full name such as ``Courses>Physics``.
    :param remove: categories to remove the entries from.
    :param create_missing: create the categories in ``add`` that do not exist.
    :return: ``{"added", "removed"}``: the number of assignments that changed.
    :raises AirflowFailException: a category or an entry does not exist, or an entry is in too many categories.
    """

    template_fields: Sequence[str] = ("entry_id", "add", "remove", "create_missing", *KalturaOperator.template_fields)

    def __init__(
        self, *, entry_id: Any, add: Any = (), remove: Any = (), create_missing: bool | str = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.add = add
        self.remove = remove
        self.create_missing = create_missing

    def run_in_kaltura(self, context: Context) -> dict[str, int]:
        """Return how many assignments changed."""
        from kaltura_provider.api.arguments import entry_ids, flag
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.services.category import change_categories, read_categories, resolve_categories

        ids = entry_ids(self.entry_id, "entry_id")
        add, remove = read_categories(self.add, "add"), read_categories(self.remove, "remove")
        if not add and not remove:
            raise KalturaConfigurationError("add", None, "and remove are both empty", "give at least one category")
        if both := [item for item in add if item in remove]:
            raise KalturaConfigurationError("add", ", ".join(map(str, both)), "is in remove too", "decide for one")
        create = flag(self.create_missing, "create_missing")
        client = self.hook.get_conn()
        removing = resolve_categories(client, remove, "remove")
        adding = resolve_categories(client, add, "add", create=create)
        if both := [str(item) for item, number in adding.items() if number in removing.values()]:
            raise KalturaConfigurationError("add", ", ".join(both), "is in remove too", "decide for one")
        return change_categories(client, ids, adding.values(), removing.values())
