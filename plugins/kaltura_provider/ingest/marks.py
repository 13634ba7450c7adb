"""Marks: the adminTags that say which item an entry is, which bytes it holds, and who made it.

Marks stand beside the adminTags of other people, which are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.ingest.identity import PREFIX, digest
from kaltura_provider.services.entry.view import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ADOPTED_MARK",
    "MADE_MARK",
    "EntryView",
    "MarkLostError",
    "content_mark",
    "import_mark",
    "item_mark",
    "metadata_mark",
    "pending_mark",
    "refused_mark",
    "released_mark",
    "run_mark",
    "sidecars_mark",
    "size_mark",
]

MADE_MARK = PREFIX
"""On every entry that this package made. Housekeeping searches for it."""
ADOPTED_MARK = f"{PREFIX}:adopted"
"""On entries of others that this package took over. It never deletes them."""


def item_mark(item_id: str) -> str:
    """Return the mark that says which item an entry is."""
    return f"{PREFIX}:a:{item_id}"


def content_mark(content_id: str) -> str:
    """Return the mark that says which bytes an entry holds. It is written after they are verified."""
    return f"{PREFIX}:c:{content_id}"


def pending_mark(content_id: str) -> str:
    """Return the mark that says which bytes are being uploaded to an entry."""
    return f"{PREFIX}:p:{content_id}"


def import_mark(content_id: str) -> str:
    """Return the mark that says which bytes Kaltura was asked to fetch."""
    return f"{PREFIX}:i:{content_id}"


def refused_mark(content_id: str) -> str:
    """Return the mark that says Kaltura refused the file type of these bytes."""
    return f"{PREFIX}:refused:{content_id}"


def released_mark(item_id: str) -> str:
    """Return the mark of an empty entry of this item that is about to be deleted.

    It takes the place of the item mark, so that the entry is not mistaken for one that a person deleted.
    """
    return f"{PREFIX}:x:{item_id}"


def run_mark(run: str) -> str:
    """Return the mark that says which run gave an entry its first content. ``run`` may be any text."""
    return f"{PREFIX}:r:{digest('run', run)[:12]}"


def sidecars_mark(sidecars: str) -> str:
    """Return the mark that says which sidecar files were attached to an entry; ``sidecars`` is their digest."""
    return f"{PREFIX}:s:{sidecars}"


def size_mark(size: int | str) -> str:
    """Return the mark that says of how many bytes an asset had its content. With another size, it has other content."""
    return f"{PREFIX}:z:{size}"


def metadata_mark(metadata: str) -> str:
    """Return the mark that says which metadata of its source an entry was given; ``metadata`` is its digest."""
    return f"{PREFIX}:m:{metadata}"


_RUN = f"{PREFIX}:r:"
_CONTENT = content_mark("")
_PENDING = pending_mark("")
_IMPORT = import_mark("")
_REFUSED = refused_mark("")
_SIDECARS = sidecars_mark("")
_METADATA = metadata_mark("")
# Marks about other things than the content; new content leaves them as they are.
_BESIDE = (_SIDECARS, _METADATA)


@dataclass(frozen=True, slots=True)
class EntryView(Entry):
    """An entry, and what the marks among its ``adminTags`` say."""

    @property
    def empty(self) -> bool:
        """Whether it has no content at all."""
        return self.status == EntryStatus.NO_CONTENT

    @property
    def waiting(self) -> bool:
        """Whether it waits for an upload or an import."""
        return self.status == EntryStatus.IMPORT

    @property
    def live(self) -> bool:
        """Whether it has content, converted or not."""
        return not (self.deleted or self.empty or self.waiting)

    @property
    def adopted(self) -> bool:
        """Whether somebody else made it, and it was taken over."""
        return ADOPTED_MARK in self.admin_tags

    def is_item(self, item_id: str) -> bool:
        """Whether it is the entry of this item: it carries the item mark."""
        return item_mark(item_id) in self.admin_tags

    @property
    def has_item_mark(self) -> bool:
        """Whether it is the entry of any item."""
        return any(tag.startswith(item_mark("")) for tag in self.admin_tags)

    def released(self, item_id: str) -> bool:
        """Whether it was an empty entry of this item that is about to be deleted."""
        return released_mark(item_id) in self.admin_tags and not self.is_item(item_id)

    def marked(self, item_id: str) -> bool:
        """Whether it is the entry of this item, or was and is about to be deleted."""
        return self.is_item(item_id) or self.released(item_id)

    def refused(self, content_id: str) -> bool:
        """Whether Kaltura refused the file type of this content."""
        return refused_mark(content_id) in self.admin_tags

    @property
    def refusals(self) -> tuple[str, ...]:
        """The content ids whose file type Kaltura refused."""
        return tuple(tag.removeprefix(_REFUSED) for tag in self.admin_tags if tag.startswith(_REFUSED))

    def made_by(self, run: str | None) -> bool:
        """Whether this run made it, in any of its attempts."""
        return run is not None and not self.adopted and run_mark(run) in self.admin_tags

    def _marked(self, prefix: str) -> str | None:
        return next((tag[len(prefix) :] for tag in self.admin_tags if tag.startswith(prefix)), None)

    @property
    def content_id(self) -> str | None:
        """The content id of the bytes that it was verified to hold."""
        return self._marked(_CONTENT)

    @property
    def pending(self) -> str | None:
        """The content id of the bytes that are being uploaded to it."""
        return self._marked(_PENDING)

    @property
    def importing(self) -> str | None:
        """The content id of the bytes that Kaltura was told to fetch."""
        return self._marked(_IMPORT)

    @property
    def sidecars(self) -> str | None:
        """The digest of the sidecar files that were attached to it."""
        return self._marked(_SIDECARS)

    @property
    def metadata(self) -> str | None:
        """The digest of the metadata that its source gave it."""
        return self._marked(_METADATA)

    @property
    def foreign_tags(self) -> tuple[str, ...]:
        """The adminTags that are not ours."""
        return tuple(tag for tag in self.admin_tags if tag != PREFIX and not tag.startswith(f"{PREFIX}:"))

    def tags_with(self, item_id: str, marks: Iterable[str]) -> tuple[str, ...]:
        """Return the adminTags of the entry with ``marks`` in place of its content marks.

        A refusal stays unless one of ``marks`` is about the same content. The marks of the run, the sidecar files and
        the metadata stay unless ``marks`` has another of their kind.
        """
        marks = list(marks)
        settled = {mark.rsplit(":", 1)[-1] for mark in marks}
        kept = [refused_mark(content_id) for content_id in self.refusals if content_id not in settled]
        for prefix in (_RUN, *_BESIDE):
            if not any(mark.startswith(prefix) for mark in marks):
                kept += [tag for tag in self.admin_tags if tag.startswith(prefix)]
        origin = ADOPTED_MARK if self.adopted or ADOPTED_MARK in marks else MADE_MARK
        return tuple(dict.fromkeys((*self.foreign_tags, origin, item_mark(item_id), *kept, *marks)))

    def tags_beside(self, marks: Iterable[str]) -> tuple[str, ...]:
        """Return the adminTags of the entry with marks of its sidecar files or metadata; each replaces its kind."""
        marks = tuple(marks)
        kinds = tuple(prefix for prefix in _BESIDE if any(mark.startswith(prefix) for mark in marks))
        return (*(tag for tag in self.admin_tags if not tag.startswith(kinds)), *marks)

    def released_tags(self, item_id: str) -> tuple[str, ...]:
        """Return the adminTags of the entry once it is about to be deleted."""
        return (*self.foreign_tags, MADE_MARK, released_mark(item_id))


class MarkLostError(Exception):
    """A mark did not stay on its entry although Kaltura accepted it: somebody else is writing its adminTags."""
