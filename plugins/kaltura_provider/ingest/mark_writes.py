"""Writing marks on an entry beside the adminTags of other people, which are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.wire import Request
from kaltura_provider.ingest.identity import PREFIX
from kaltura_provider.ingest.marks import (
    ADOPTED_MARK,
    MADE_MARK,
    content_mark,
    item_mark,
    metadata_mark,
    refused_mark,
    sidecars_mark,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaltura_provider.ingest.entry_view import EntryView
    from kaltura_provider.ingest.ledger import Ledger

__all__ = ["MarkLostError", "add_marks", "tags_request", "write_marks", "write_refusal", "write_tags"]

_TRIES = 4
_RUN = f"{PREFIX}:r:"
# Marks about other things than the content; new content leaves them as they are.
_BESIDE = (sidecars_mark(""), metadata_mark(""))


class MarkLostError(Exception):
    """A mark did not stay on its entry although Kaltura accepted it: somebody else is writing its adminTags."""


def tags_request(entry: EntryView, item_id: str, marks: Iterable[str]) -> Request:
    """Return the call that replaces the content marks of ``entry`` with ``marks`` and keeps its other tags.

    A refusal stays unless one of ``marks`` is about the same content. The marks of the run, the sidecar files and the
    metadata stay unless ``marks`` has another of their kind.
    """
    marks = list(marks)
    settled = {mark.rsplit(":", 1)[-1] for mark in marks}
    kept = [refused_mark(content_id) for content_id in entry.refusals if content_id not in settled]
    for prefix in (_RUN, *_BESIDE):
        if not any(mark.startswith(prefix) for mark in marks):
            kept += [tag for tag in entry.admin_tags if tag.startswith(prefix)]
    origin = ADOPTED_MARK if entry.adopted or ADOPTED_MARK in marks else MADE_MARK
    return write_tags(entry.id, dict.fromkeys((*entry.foreign_tags, origin, item_mark(item_id), *kept, *marks)))


def write_tags(entry_id: str, tags: Iterable[str]) -> Request:
    """Return the call that gives an entry exactly these adminTags."""
    changes = {"objectType": "KalturaBaseEntry", "adminTags": ",".join(tags)}
    return Request("baseEntry", "update", {"entryId": entry_id, "baseEntry": changes})


def write_marks(
    ledger: Ledger, entry: EntryView, item_id: str, *marks: str, beside: Mapping[str, Any] | None = None
) -> EntryView:
    """Write ``marks`` on ``entry``, check that they stay, and return the entry as it is then.

    :param beside: other properties of the entry to write with them.

    Kaltura has no conditional update. A write by somebody else between our read and our write is lost, or ours is;
    that is why the entry is read again.

    :raises MarkLostError: the marks do not stay.
    :raises KalturaError: the entry is gone, or Kaltura cannot be reached.
    """
    current = entry
    for _ in range(_TRIES):
        request = tags_request(current, item_id, marks)
        changes = {**request.params["baseEntry"], **(beside or {})}
        # Writing the same marks twice does no harm.
        params = {**request.params, "baseEntry": changes}
        ledger.client.call(request.service, request.action, params, repeatable=True)
        seen = ledger.entry(entry.id)
        if seen is None:
            break
        if set(marks) <= set(seen.admin_tags) and seen.is_item(item_id):
            return seen
        current = seen
    raise MarkLostError(f"the adminTags {', '.join(marks)} do not stay on entry {entry.id}")


def add_marks(ledger: Ledger, entry_id: str, *marks: str) -> None:
    """Give an entry the marks of its sidecar files or its metadata, and keep all its other adminTags.

    A mark replaces the earlier one of its kind.

    :raises MarkLostError: the marks do not stay.
    :raises KalturaError: the entry is gone, or Kaltura cannot be reached.
    """
    kinds = tuple(prefix for prefix in _BESIDE if any(mark.startswith(prefix) for mark in marks))
    for _ in range(_TRIES):
        entry = ledger.entry(entry_id)
        if entry is None or set(marks) <= set(entry.admin_tags):
            return
        request = write_tags(entry_id, (*(tag for tag in entry.admin_tags if not tag.startswith(kinds)), *marks))
        ledger.client.call(request.service, request.action, request.params, repeatable=True)
    raise MarkLostError(f"the adminTags {', '.join(marks)} do not stay on entry {entry_id}")


def write_refusal(ledger: Ledger, entry: EntryView, item_id: str, content_id: str) -> EntryView:
    """Record that Kaltura refused the file type of this content; the mark of what the entry holds stays.

    Raises the same as :func:`write_marks`.
    """
    held = [content_mark(entry.content_id)] if entry.content_id else []
    return write_marks(ledger, entry, item_id, *held, refused_mark(content_id))
