"""Changing the properties of an entry: send only those that differ, and notice what Kaltura drops."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.arguments import entry_id as checked_entry_id
from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.api.errors import KalturaConfigurationError, KalturaError
from kaltura_provider.api.params import NULL
from kaltura_provider.api.values import words
from kaltura_provider.services.entry.metadata import EntryMetadata
from kaltura_provider.services.entry.reserved import is_mark
from kaltura_provider.services.entry.stored import bounded, differences, in_columns, normal_tags, stored_entries
from kaltura_provider.services.entry.view import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.api.caller import Caller

__all__ = ["check_changes", "update_entry", "wanted_properties"]

log = logging.getLogger("kaltura_provider.services")

_PROPERTIES = {
    "name": "name",
    "description": "description",
    "tags": "tags",
    "admin_tags": "adminTags",
    "categories": "categories",
    "reference_id": "referenceId",
    "conversion_profile_id": "conversionProfileId",
    "access_control_id": "accessControlId",
    "user_id": "userId",
    "start_date": "startDate",
    "end_date": "endDate",
    "parent_entry_id": "parentEntryId",
    "partner_data": "partnerData",
}
_REMOVABLE = frozenset(_PROPERTIES) - {"name", "conversion_profile_id", "access_control_id", "user_id"}


def check_changes(changes: Mapping[str, Any]) -> None:
    """Check changes before anything is sent; raises the same as :func:`wanted_properties`."""
    wanted_properties(changes)


def wanted_properties(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Translate changes from the names of :class:`EntryMetadata` to Kaltura's names; ``None`` means "remove".

    :raises KalturaConfigurationError: a field is unknown or cannot be changed, or a value is invalid.
    """
    if not changes:
        raise KalturaConfigurationError("changes", None, "are empty", "give at least one field")
    given = {name: value for name, value in changes.items() if value not in (None, "")}
    removed = [name for name in changes if name not in given]
    known = [*_PROPERTIES, "extra"]
    if unknown := sorted(set(changes) - set(known)):
        raise KalturaConfigurationError("changes", ", ".join(unknown), "cannot be changed", f"use {', '.join(known)}")
    if kept := sorted(set(removed) - _REMOVABLE):
        raise KalturaConfigurationError("changes", ", ".join(kept), "cannot be removed", "give a value")
    try:
        said, _ = bounded(EntryMetadata.from_dict(given))
    except ValueError as error:
        raise KalturaConfigurationError("changes", None, "are not valid", str(error)) from None
    if "parent_entry_id" in given:
        checked_entry_id(given["parent_entry_id"], "changes.parent_entry_id")
    wanted = {_PROPERTIES[name]: _plain(name, said) for name in given if name in _PROPERTIES}
    return {**said.extra, **wanted, **{_PROPERTIES[name]: None for name in removed}}


def _plain(name: str, said: EntryMetadata) -> Any:
    value = getattr(said, name)
    if name == "tags":
        return normal_tags(value)
    return ",".join(value) if isinstance(value, tuple) else value


def update_entry(client: Caller, entry_id: str, changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Change an entry, and return what changed: property to ``{"from": old, "to": new}``.

    The new values are read back from Kaltura, and the log shows those that it stored differently. If nothing
    differs, nothing is sent. The marks of this package among the adminTags stay.

    :raises KalturaConfigurationError: a change is not valid, or the session's role cannot make it.
    :raises KalturaError: the entry does not exist, or Kaltura refuses or does not answer.
    """
    wanted = wanted_properties(changes)
    entry = client.call("baseEntry", "get", {"entryId": entry_id})
    seen = Entry.of(entry)
    if seen.recycled:
        raise KalturaConfigurationError("entry_id", entry_id, "is in the recycle bin", "restore it first")
    if "adminTags" in wanted:
        wanted["adminTags"] = _with_marks(seen, wanted["adminTags"])
    differing = {name: value for name, value in wanted.items() if not _same(name, entry.get(name), value)}
    if "conversionProfileId" in differing and seen.status != EntryStatus.NO_CONTENT:
        raise KalturaConfigurationError(
            "changes.conversion_profile_id",
            differing["conversionProfileId"],
            "can only be set on an entry without content",
            "replace the content with another profile (KalturaUpdateContentOperator)",
        )
    if not differing:
        return {}
    sent = {name: NULL if value is None else value for name, value in differing.items()}
    # Sending the same values twice has the same effect as sending them once.
    reply = client.call(
        "baseEntry",
        "update",
        {"entryId": entry_id, "baseEntry": _typed(entry, sent)},
        repeatable=True,
    )
    _check_taken(entry_id, differing, reply)
    stored = {**reply, **_stored(client, entry_id)}
    _warn(entry_id, changes, differing, stored)
    return {name: {"from": entry.get(name), "to": stored.get(name, value)} for name, value in differing.items()}


def _stored(client: Caller, entry_id: str) -> dict[str, Any]:
    """Read what the update stored; its own reply only repeats what was sent."""
    try:
        return stored_entries(client, [entry_id]).get(entry_id, {})
    except KalturaError as error:
        log.warning("entry %s: cannot read what Kaltura stored: %s", entry_id, error)
        return {}


def _warn(entry_id: str, changes: Mapping[str, Any], sent: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    texts = {name: changes[name] for name in ("name", "description", "tags") if changes.get(name)}
    for note in (*bounded(EntryMetadata.from_dict(texts))[1], *differences(sent, stored).values()):
        log.warning("entry %s: %s", entry_id, note)


def _typed(entry: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Add the entry's own class, which properties outside ``KalturaBaseEntry`` need."""
    return {"objectType": entry.get("objectType", "KalturaBaseEntry"), **sent}


def _with_marks(entry: Entry, tags: str | None) -> str:
    marks = [tag for tag in entry.admin_tags if is_mark(tag)]
    given = [tag.lower() for tag in words(tags)]
    return ",".join(dict.fromkeys((*given, *marks)))


def _same(name: str, old: Any, new: Any) -> bool:
    if name in ("tags", "adminTags", "categories"):
        return _words(old) in (_words(new), _words(in_columns(str(new or ""))))
    if new is None:
        return old in (None, "")
    if isinstance(new, bool):
        return old is not None and bool(int(old)) == new
    # Sending the same text again would not store it any better.
    return old is not None and str(old) in (str(new), in_columns(str(new)))


def _words(value: Any) -> set[str]:
    return {word.lower() for word in words(value)}


def _check_taken(entry_id: str, sent: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
    """Raise if the server dropped a property silently, because the session's role cannot set it."""
    known = set(_PROPERTIES.values())
    lost = [name for name, value in sent.items() if name in known and not _same(name, reply.get(name), value)]
    unknown = [name for name, value in sent.items() if name not in known and value is not None and name not in reply]
    if unknown:
        raise KalturaConfigurationError(
            "changes.extra", ", ".join(unknown), f"is not a property of entry {entry_id}", "use Kaltura's name for it"
        )
    if lost:
        raise KalturaConfigurationError(
            "changes", ", ".join(lost), f"did not stay on entry {entry_id}",
            "the session's role cannot set it; use an ADMIN session without a narrower role",
        )  # fmt: skip
