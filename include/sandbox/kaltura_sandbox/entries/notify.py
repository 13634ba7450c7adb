"""Which HTTP notifications the life of an entry sets off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaltura_sandbox.account import Account
    from kaltura_sandbox.store.database import Record

__all__ = ["queue_notifications", "wanted"]

ADDED, CHANGED, CREATED, DELETED, SAVED, UPDATED = "2", "3", "5", "7", "10", "11"
_ACTIVE, _ENTRY = 2, "1"
_DELETED_STATUS = 3
# Columns of Kaltura's table, where they are not named like the property.
_COLUMNS = {"NAME": "name", "STATUS": "status", "TAGS": "tags", "REFERENCE_ID": "referenceId"}


def wanted(account: Account) -> list[Record]:
    """Return the templates that look at entries."""
    return account.tables.notification_templates.find("status = ? AND object_type = ?", (_ACTIVE, _ENTRY))


def queue_notifications(
    account: Account, templates: list[Record], before: Record | None, after: Record, shown: dict[str, Any]
) -> None:
    """Queue the notifications of the templates about an entry that was just stored."""
    changed = {name for name in after if not name.startswith("_") and after[name] != (before or {}).get(name)}
    events = set(_events(before, after, changed - {"updatedAt"}))
    for template in templates:
        if str(template.get("eventType")) in events and _meets(template, changed):
            account.jobs.add(
                "http_notification", template=template["id"], event=str(template["eventType"]), object=shown
            )


def _events(before: Record | None, after: Record, changed: set[str]) -> Iterator[str]:
    if before is None:
        yield from (ADDED, CREATED, SAVED)
    elif changed:
        yield from (CHANGED, UPDATED, SAVED)
        if after["status"] == _DELETED_STATUS:
            yield DELETED


def _meets(template: Record, changed: set[str]) -> bool:
    """Whether the columns a template looks at have changed; conditions of other kinds are taken as met."""
    for condition in template.get("eventConditions") or []:
        columns = str(condition.get("modifiedColumns") or "") if isinstance(condition, dict) else ""
        names = [column.rpartition(".")[2].strip().upper() for column in columns.split(",") if column.strip()]
        if names and not changed.intersection(_COLUMNS.get(name, name.lower()) for name in names):
            return False
    return True
