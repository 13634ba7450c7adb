"""Change and delete the entries that rows of a manifest name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.hooks.xcom_parts import resolved
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context
    from jinja2 import Environment

__all__ = ["CHANGES_KEY", "KalturaChangeListedOperator"]

CHANGES_KEY = "changes"
"""XCom of discover with the entries to change and delete."""

_MAX_NAMED = 500


class KalturaChangeListedOperator(KalturaOperator):
    """Change and delete the entries that rows of a manifest name.

    A row names its entry by ``entry_id``, else by ``reference_id``, else by the ``url`` that a feed ingested. A row
    that fails does not affect the others. Running the task again has no further effect.

    :param changes: ``[{"line", "action", "entry_id", "reference_id", "url", "metadata"}]``. ``action`` is ``update`` or
        ``delete``, and ``metadata`` has the new values.
    :return: ``{"counts": {"updated": n, "deleted": n, "missing": n}, "updated": [entry ids], "deleted": [entry ids],
        "missing": [rows whose entry to delete does not exist]}``. Each list holds at most 500.
    :raises AirflowFailException: an entry could not be changed, or an entry to update does not exist. The message names
        the line of each, of at most 500.
    :raises KalturaItemsFailed: the same, and a retry can help with one of them.
    """

    template_fields: Sequence[str] = ("changes", *KalturaOperator.template_fields)

    def __init__(self, *, changes: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.changes = changes

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Render the fields, and fetch changes that were too many for one XCom."""
        super().render_template_fields(context, jinja_env)
        self.changes = resolved(context, self.changes)

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Change the entries and return their ids by outcome."""
        from kaltura_provider.api.errors import KalturaError
        from kaltura_provider.api.redaction import printable
        from kaltura_provider.hooks.batch import KalturaItemsFailed, some_of
        from kaltura_provider.hooks.border import retry_helps

        done: dict[str, list[str]] = {"updated": [], "deleted": [], "missing": []}
        failures, again = [], False
        for change in self.changes or ():
            name = f"line {change['line']}, {_name_of(change)}"
            try:
                self._change(change, name, done)
            except (KalturaError, ValueError) as error:
                again = again or retry_helps(error)
                failures.append(printable(f"{name}: {change['action']} failed: {error}"))
        self.log.info("Updated %d, deleted %d entries.", len(done["updated"]), len(done["deleted"]))
        if done["missing"]:
            self.log.info("Entries to delete that do not exist: %s", "; ".join(some_of(done["missing"], _MAX_NAMED)))
        if failures:
            kind = KalturaItemsFailed if again else AirflowFailException
            lines = [f"{len(failures)} of {len(self.changes)} changes failed:", *some_of(failures, _MAX_NAMED)]
            raise kind("\n  ".join(lines))
        counts = {outcome: len(named) for outcome, named in done.items()}
        return {"counts": counts, **{outcome: named[:_MAX_NAMED] for outcome, named in done.items()}}

    def _change(self, change: Mapping[str, Any], name: str, done: dict[str, list[str]]) -> None:
        from kaltura_provider.services.entry.changes import update_entry
        from kaltura_provider.services.entry.removal import Removal, act_on_entries

        client = self.hook.get_conn()
        entry = self._entry(change)
        if change["action"] == "update":
            if entry is None:
                raise ValueError("the entry does not exist")
            update_entry(client, entry, change["metadata"])
            done["updated"].append(entry)
            return
        outcome = act_on_entries(client, [entry] if entry else [], Removal.DELETE)
        if outcome.retry is not None:
            raise outcome.retry
        if outcome.failed:
            raise ValueError("; ".join(outcome.failed.values()))
        done["deleted"] += outcome.done
        if not outcome.done:
            done["missing"].append(name)

    def _entry(self, change: Mapping[str, Any]) -> str | None:
        """Return the id of the entry that a row names, or ``None`` if it does not exist.

        :raises ValueError: several entries match.
        """
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.ingest.identity import elder_item_id, item_id
        from kaltura_provider.ingest.ledger import Ledger
        from kaltura_provider.ingest.settings import AdoptBy, Clock

        if change.get("entry_id"):
            return str(change["entry_id"])
        ledger = Ledger(self.hook.get_conn(), Clock())
        if change.get("reference_id"):
            views = ledger.entries_like(AdoptBy.REFERENCE, change["reference_id"])
        else:
            url = opened_address(change["url"])
            # It may have been made under the older identity of its address.
            found = ledger.entries_of([*dict.fromkeys(filter(None, (item_id(url), elder_item_id(url))))])
            views = [view for entries in found.values() for view in entries]
        ids = sorted({view.id for view in views if not view.deleted})
        if len(ids) > 1:
            raise ValueError(f"{len(ids)} entries match ({', '.join(ids[:5])}); set entryId")
        return ids[0] if ids else None


def _name_of(change: Mapping[str, Any]) -> str:
    from kaltura_provider.hooks.sources import shown_address

    named = change.get("entry_id") or change.get("reference_id")
    return str(named) if named else shown_address(change["url"])
