"""Find what broken-off runs left behind in Kaltura, and delete it when told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = ["KalturaHousekeepingOperator"]

_DAY = 86400.0


class KalturaHousekeepingOperator(KalturaOperator):
    """List upload tokens and empty entries that this package made and nobody needs; delete them only when told.

    What this package did not make, what is in use and what was touched lately is never among them.

    :param delete: whether to delete what is found. A dry run unless it is true.
    :param older_than: seconds that something must have been left untouched, at least an hour.
    :return: ``[{"kind": "token" | "entry", "id", "name", "asset", "age" (seconds), "reason", "removed", "problem"}]``.
    :raises ValueError: ``older_than`` is less than an hour: an upload under way could be among what is found.
    """

    template_fields: Sequence[str] = ("delete", "older_than", *KalturaOperator.template_fields)

    def __init__(self, *, delete: bool | str = False, older_than: float | str = _DAY, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.delete = delete
        self.older_than = older_than

    def run_in_kaltura(self, context: Context) -> list[dict[str, Any]]:
        """Return what was found, and what became of it."""
        from kaltura_provider.api.redaction import printable
        from kaltura_provider.ingest.housekeeping import find_leftovers, remove_leftovers

        older_than = float(self.older_than)
        if older_than < 3600:
            raise ValueError(f"older_than {older_than:g} is too short: give 3600 seconds or more")
        client = self.hook.get_conn()
        found = find_leftovers(client, older_than=older_than)
        if delete := str(self.delete).strip().lower() in ("true", "1", "yes"):
            found = remove_leftovers(client, found, older_than=older_than)
        for item in found:
            self.log.info(
                "%s %s %s: %s, untouched for %.1f days%s",
                "Removed" if item.removed else "Found",
                item.kind,
                item.id,
                printable(item.reason),
                item.age / _DAY,
                f" (not removed: {printable(item.problem)})" if item.problem else "",
            )
        removed = sum(item.removed for item in found)
        if delete:
            self.log.info("%d of %d leftovers removed.", removed, len(found))
        else:
            self.log.info("%d leftovers. Nothing was changed: this is a dry run.", len(found))
        return [item.to_dict() for item in found]
