"""Kaltura's limits for the texts of an entry, applied before they are sent, and a comparison with what it stored."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kaltura_provider.api.caller import Caller
    from kaltura_provider.services.entry.metadata import EntryMetadata

__all__ = ["bounded", "differences", "in_columns", "normal_tags", "stored_entries"]

_TAG_BYTES = 100
# The column and its extension; a TEXT column.
_LIMITS = {"name": 4096, "description": 65_535}
_COMPARED = ("name", "description", "tags", "categories", "referenceId")
_LISTS = ("tags", "categories")
_SHOWN = 60
_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")
_COMPARED_FIELDS = ",".join(("id", *_COMPARED))
_BATCH = 100


def _cut(text: str, maximum: int) -> str:
    return text.encode()[:maximum].decode(errors="ignore").rstrip()


def normal_tags(tags: Iterable[str]) -> str:
    """Return ``tags`` as Kaltura stores them: lower case, 2 to 100 bytes each, without duplicates, joined by commas."""
    kept: dict[str, None] = {}
    for tag in tags:
        text = _cut(tag.replace(",", " ").strip().lower(), _TAG_BYTES).strip()
        if len(text.encode()) > 1:
            kept[text] = None
    return ", ".join(kept)


def bounded(said: EntryMetadata) -> tuple[EntryMetadata, list[str]]:
    """Return ``said`` with its texts cut to what Kaltura keeps, and one sentence for each cut."""
    changed: dict[str, Any] = {}
    notes = []
    for name, maximum in _LIMITS.items():
        text = getattr(said, name)
        # No character has fewer bytes than one.
        if text and (len(text) > maximum or len(text.encode()) > maximum):
            changed[name] = _cut(text, maximum)
            notes.append(f"{name} was cut to {maximum} bytes: Kaltura keeps no more of one")
    for tag in said.tags:
        size = len(tag.strip().encode())
        if size > _TAG_BYTES:
            notes.append(f"tag {_shown(tag)} was cut to {_TAG_BYTES} bytes: Kaltura keeps no more of one")
        elif size == 1:
            notes.append(f"tag {_shown(tag)} was left out: Kaltura keeps none of a single character")
    return replace(said, **changed) if changed else said, notes


def in_columns(text: str) -> str:
    """Return ``text`` as a server stores it whose columns only hold characters of up to three bytes."""
    return _FOUR_BYTES.sub("????", text)


def stored_entries(
    client: Caller, entry_ids: Sequence[str], *, fields: str = _COMPARED_FIELDS
) -> dict[str, dict[str, Any]]:
    """Read entries by id from the database; entries that are gone are left out.

    The reply to a write only repeats what was sent.

    :param fields: the properties to fetch, ``id`` among them, separated by commas. By default, those that
        :func:`differences` compares.
    """
    found = {}
    profile = {"objectType": "KalturaDetachedResponseProfile", "type": 1, "fields": fields}
    for start in range(0, len(entry_ids), _BATCH):
        params = {"entryIds": ",".join(entry_ids[start : start + _BATCH]), "responseProfile": profile}
        for values in client.call("baseEntry", "getByIds", params):
            found[str(values["id"])] = dict(values)
    return found


def differences(sent: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, str]:
    """Return one sentence for each property that Kaltura stored otherwise than it was sent."""
    return {
        name: f"Kaltura stored {name} {_shown(sent[name])} as {_shown(stored.get(name) or '')}"
        for name in _COMPARED
        if sent.get(name) and _normal(name, sent[name]) != _normal(name, stored.get(name))
    }


def _normal(name: str, value: Any) -> object:
    text = " ".join(str(value or "").split())
    if name in _LISTS:
        return {word.strip().casefold() for word in text.split(",") if word.strip()}
    return text


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
