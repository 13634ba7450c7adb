"""Entries and upload tokens as the ledger shows them: an entry with its marks, a token with its entry."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.ingest.identity import PREFIX
from kaltura_provider.ingest.marks import (
    ADOPTED_MARK,
    content_mark,
    import_mark,
    item_mark,
    metadata_mark,
    pending_mark,
    refused_mark,
    released_mark,
    run_mark,
    sidecars_mark,
)
from kaltura_provider.services.entry.view import Entry
from kaltura_provider.services.upload_token import UploadToken

__all__ = ["EntryView", "TokenView"]

_CONTENT = content_mark("")
_PENDING = pending_mark("")
_IMPORT = import_mark("")
_REFUSED = refused_mark("")
_SIDECARS = sidecars_mark("")
_METADATA = metadata_mark("")


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

    def released(self, item_id: str) -> bool:
        """Whether it was an empty entry of this item that is about to be deleted."""
        return released_mark(item_id) in self.admin_tags and not self.is_item(item_id)

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


@dataclass(frozen=True, slots=True)
class TokenView(UploadToken):
    """An upload token; ``entry_id`` is the entry it is attached to, if that is known."""

    entry_id: str | None = None

    @property
    def spent(self) -> bool:
        """Whether an entry was made from its file. Such a token claims nothing."""
        return self.used_up and not self.attached

    @property
    def unused(self) -> bool:
        """Whether it holds a whole file that no object uses. It can be deleted once the content is in."""
        return self.filled and not (self.attached or self.spent)

    def on(self, entry_id: str | None) -> TokenView:
        """Return a copy with that ``entry_id``."""
        return replace(self, entry_id=entry_id)
