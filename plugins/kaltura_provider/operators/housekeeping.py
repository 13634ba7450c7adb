"""Finds what interrupted runs left behind in Kaltura, and deletes it on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = ["KalturaHousekeepingOperator"]

_DAY = 86400.0
_MAX_NAMED = 500


class KalturaHousekeepingOperator(KalturaOperator):
    """Find upload tokens and empty entries left behind by interrupted runs, and optionally delete them.

    Only objects that this package created, that are not in use and have not changed recently are found.

    :param delete: whether to delete what is found. Default: false, a dry run.
    :param older_than: seconds since the last change, at least 3,600.
    :return: a list of ``{"kind": "token" | "entry", "token_id" or "entry_id", "name", "age" (seconds), "reason",
        "deleted", "problem", ...}``, at most 500. The XCom ``counts`` has the numbers of all, ``found`` and
        ``deleted``.
    :raises AirflowFailException: ``older_than`` is less than an hour, so uploads under way could be found.
    """

    template_fields: Sequence[str] = ("delete", "older_than", *KalturaOperator.template_fields)

    def __init__(self, *, delete: bool | str = False, older_than: float | str = _DAY, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.delete = delete
        self.older_than = older_than

    def run_in_kaltura(self, context: Context) -> list[dict[str, Any]]:
        """Return what was found and whether it was deleted."""
        from kaltura_provider.api.redaction import printable
        from kaltura_provider.ingest.housekeeping import find_leftovers, remove_leftovers

        older_than = float(self.older_than)
        if older_than < 3600:
            raise ValueError(f"older_than {older_than:g} is too short: give 3600 seconds or more")
        client = self.hook.get_conn()
        found = find_leftovers(client, older_than=older_than)
        if delete := str(self.delete).strip().lower() in ("true", "1", "yes"):
            found = remove_leftovers(client, found, older_than=older_than)
        for item in found[:_MAX_NAMED]:
            self.log.info(
                "%s %s %s: %s, untouched for %.1f days%s",
                "Deleted" if item.removed else "Found",
                item.kind,
                item.id,
                printable(item.reason),
                item.age / _DAY,
                f" (not deleted: {printable(item.problem)})" if item.problem else "",
            )
        if len(found) > _MAX_NAMED:
            self.log.info("And %d more.", len(found) - _MAX_NAMED)
        removed = sum(item.removed for item in found)
        context["ti"].xcom_push(key="counts", value={"found": len(found), "deleted": removed})
        if delete:
            self.log.info("%d of %d leftovers deleted.", removed, len(found))
        else:
            self.log.info("%d leftovers. Nothing was changed: this is a dry run.", len(found))
        return [_shown(item.to_dict()) for item in found[:_MAX_NAMED]]


def _shown(leftover: dict[str, Any]) -> dict[str, Any]:
    others = {name: value for name, value in leftover.items() if name not in ("kind", "id", "removed")}
    kind = leftover["kind"]
    return {"kind": kind, f"{kind}_id": leftover["id"], **others, "deleted": leftover["removed"]}
