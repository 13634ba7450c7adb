"""What the ledger shows: entries with their marks, and upload tokens with the entries they belong to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.ingest.identity import (
    ADOPTED_MARK,
    PREFIX,
    content_mark,
    import_mark,
    item_mark,
    pending_mark,
    refused_mark,
    released_mark,
    run_mark,
)
from kaltura_provider.services.entry.view import Entry
from kaltura_provider.services.upload_token import UploadToken

__all__ = ["EntryView", "TokenView"]

_CONTENT = content_mark("")
_PENDING = pending_mark("")
_IMPORT = import_mark("")
_REFUSED = refused_mark("")


@dataclass(frozen=True, slots=True)
class EntryView(Entry):
    """One entry, and what the marks among its ``adminTags`` say."""

    @property
    def empty(self) -> bool:
        """Without any content."""
        return self.status == EntryStatus.NO_CONTENT

    @property
    def waiting(self) -> bool:
        """Waiting for a token to fill up or for an import."""
        return self.status == EntryStatus.IMPORT

    @property
    def live(self) -> bool:
        """With content of some kind, converted or not."""
        return not (self.deleted or self.empty or self.waiting)

    @property
    def adopted(self) -> bool:
        """Made by somebody else."""
        return ADOPTED_MARK in self.admin_tags

    def is_item(self, asset: str) -> bool:
        """Whether it carries the mark of ``asset``."""
        return item_mark(asset) in self.admin_tags

    def released(self, asset: str) -> bool:
        """Whether it was an entry of ``asset`` without content, given up and about to be deleted."""
        return released_mark(asset) in self.admin_tags and not self.is_item(asset)

    def refused(self, content: str) -> bool:
        """Whether Kaltura refused this content's type."""
        return refused_mark(content) in self.admin_tags

    @property
    def refusals(self) -> tuple[str, ...]:
        """The contents whose type Kaltura refused."""
        return tuple(tag.removeprefix(_REFUSED) for tag in self.admin_tags if tag.startswith(_REFUSED))

    def made_by(self, run: str | None) -> bool:
        """Whether this run made it, in whichever of its tries."""
        return run is not None and not self.adopted and run_mark(run) in self.admin_tags

    def _marked(self, prefix: str) -> str | None:
        return next((tag[len(prefix) :] for tag in self.admin_tags if tag.startswith(prefix)), None)

    @property
    def content(self) -> str | None:
        """The content it verifiably holds."""
        return self._marked(_CONTENT)

    @property
    def pending(self) -> str | None:
        """The content that is being uploaded to it."""
        return self._marked(_PENDING)

    @property
    def importing(self) -> str | None:
        """The content Kaltura was told to fetch for it."""
        return self._marked(_IMPORT)

    @property
    def foreign_tags(self) -> tuple[str, ...]:
        """The adminTags that are not ours."""
        return tuple(tag for tag in self.admin_tags if tag != PREFIX and not tag.startswith(f"{PREFIX}:"))


@dataclass(frozen=True, slots=True)
class TokenView(UploadToken):
    """One upload token; ``entry_id`` is the entry it is attached to, as far as that is known."""

    entry_id: str | None = None

    @property
    def spent(self) -> bool:
        """Whether it was consumed without having been attached before: it claims nothing any more."""
        return self.used_up and not self.attached

    @property
    def unused(self) -> bool:
        """Whether it holds a whole file that no object has taken. Once the content is in, it can be deleted."""
        return self.filled and not (self.attached or self.spent)

    def on(self, entry_id: str | None) -> TokenView:
        """Return a copy that names its entry."""
        return replace(self, entry_id=entry_id)
