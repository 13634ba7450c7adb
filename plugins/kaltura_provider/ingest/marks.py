"""Writing marks beside other people's adminTags, and letting go of entries that are no asset's any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.api.errors import KalturaNotFoundError
from kaltura_provider.api.wire import Request
from kaltura_provider.ingest.identity import (
    ADOPTED_MARK,
    MADE_MARK,
    PREFIX,
    content_mark,
    item_mark,
    refused_mark,
    released_mark,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaltura_provider.ingest.entry_view import EntryView
    from kaltura_provider.ingest.ledger import Ledger

__all__ = ["MarkLostError", "discard_entry", "tags_request", "write_marks", "write_refusal"]

_TRIES = 4
_RUN = f"{PREFIX}:r:"
_REFUSED = f"{PREFIX}:refused:"


class MarkLostError(Exception):
    """A mark did not stay on its entry though Kaltura accepted it: somebody else writes its adminTags."""


def tags_request(entry: EntryView, asset: str, marks: Iterable[str]) -> Request:
    """Return the call that gives ``entry`` these marks in place of its content marks, beside what else it has.

    What was refused stays written unless one of ``marks`` is about the same content; which run made the entry, unless
    one of them says so.
    """
    marks = list(marks)
    settled = {mark.rsplit(":", 1)[-1] for mark in marks}
    kept = [tag for tag in entry.admin_tags if tag.startswith(_REFUSED) and tag.removeprefix(_REFUSED) not in settled]
    if not any(mark.startswith(_RUN) for mark in marks):
        kept += [tag for tag in entry.admin_tags if tag.startswith(_RUN)]
    origin = ADOPTED_MARK if entry.adopted or ADOPTED_MARK in marks else MADE_MARK
    tags = dict.fromkeys((*entry.foreign_tags, origin, item_mark(asset), *kept, *marks))
    return _update(entry.id, tags)


def _update(entry_id: str, tags: Iterable[str]) -> Request:
    changes = {"objectType": "KalturaBaseEntry", "adminTags": ",".join(tags)}
    return Request("baseEntry", "update", {"entryId": entry_id, "baseEntry": changes})


def write_marks(ledger: Ledger, entry: EntryView, asset: str, *marks: str) -> EntryView:
    """Give ``entry`` these marks and see that they stay; return the entry as it is then.

    Kaltura has no conditional update: a write between our read and ours is lost, or loses ours; hence the second look.

    :raises MarkLostError: they do not stay. :raises KalturaError: the entry is gone, or Kaltura cannot be reached.
    """
    current = entry
    for _ in range(_TRIES):
        request = tags_request(current, asset, marks)
        # The same marks written twice are the same marks.
        ledger.client.call(request.service, request.action, request.params, repeatable=True)
        seen = ledger.entry(entry.id)
        if seen is None:
            break
        if set(marks) <= set(seen.admin_tags) and seen.is_item(asset):
            return seen
        current = seen
    raise MarkLostError(f"the adminTags {', '.join(marks)} do not stay on entry {entry.id}")


def write_refusal(ledger: Ledger, entry: EntryView, asset: str, content: str) -> EntryView:
    """Write down that Kaltura refused this content's type; what the entry holds stays written. Raises as above."""
    held = [content_mark(entry.content)] if entry.content else []
    return write_marks(ledger, entry, asset, *held, refused_mark(content))


def discard_entry(ledger: Ledger, entry_id: str, asset: str, *, stuck_too: bool = False) -> bool:
    """Delete an entry of ours that has no content, after one more look; return whether it is gone.

    Its asset mark goes first, so that nobody takes it for one that was deleted on purpose. An entry that has lost its
    mark and was not deleted then is found by the other one, and deleted by the next run of the asset.

    :param stuck_too: also when it waits for content that can never come, or its import failed.
    """
    entry = ledger.entry(entry_id)
    if entry is None or entry.deleted:
        return True
    stuck = entry.waiting or entry.status == EntryStatus.ERROR_IMPORTING
    hopeless = entry.empty or (stuck_too and stuck and entry.content is None)
    ours = entry.is_item(asset) or released_mark(asset) in entry.admin_tags
    if not hopeless or entry.adopted or not ours:
        return False
    try:
        if entry.is_item(asset):
            release = _update(entry_id, [*entry.foreign_tags, MADE_MARK, released_mark(asset)])
            ledger.client.call(release.service, release.action, release.params, repeatable=True)
        ledger.client.call("baseEntry", "delete", {"entryId": entry_id}, repeatable=True)
    except KalturaNotFoundError:
        return True
    return True
