"""The state of a Kaltura object at one moment, reduced to what conditions need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from kaltura_provider.api.enums import (
    BatchJobStatus,
    ReplacementStatus,
    parse_status,
)
from kaltura_provider.api.values import whole_number
from kaltura_provider.services.entry.view import Entry
from kaltura_provider.services.upload_token import UploadToken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.services.flavor_asset import FlavorAsset

__all__ = [
    "ENTRY_FIELDS",
    "FLAVOR_FIELDS",
    "EntrySnapshot",
    "JobSnapshot",
    "Snapshot",
    "TokenSnapshot",
    "label",
]

ENTRY_FIELDS = (
    "id,status,moderationStatus,replacementStatus,replacingEntryId,displayInSearch,conversionProfileId,"
    "mediaType,sourceType,flavorParamsIds,updatedAt"
)
"""The response profile that entries are read with; the server adds ``type`` and ``objectType``."""

FLAVOR_FIELDS = "id,entryId,flavorParamsId,status,tags,isOriginal,description"
"""The response profile that flavor assets are read with."""


def label(status: int | str | None) -> str:
    """Return a status as text: ``PRECONVERT (1)``, or a plugin's string unchanged."""
    if status is None:
        return "unknown"
    name = getattr(status, "name", None)
    return f"{name} ({int(status)})" if name else str(status)


@dataclass(frozen=True, slots=True)
class EntrySnapshot(Entry):
    """An entry. ``status`` is ``None`` if Kaltura does not show such an entry to the session.

    ``flavors`` is ``None`` if they have not been read.
    """

    flavors: tuple[FlavorAsset, ...] | None = None

    @classmethod
    def absent(cls, entry_id: str) -> EntrySnapshot:
        """Return the snapshot of an entry that neither getByIds nor a list by its id shows."""
        return cls(id=entry_id, status=None)

    @property
    def phase(self) -> str:
        """A value that changes whenever the entry makes progress."""
        return f"{self.status}/{self.moderation}/{self.replacement}"

    @property
    def flavor_owner(self) -> str:
        """The entry whose flavors explain this state: after a failed replacement, the temporary entry."""
        failed = self.replacement == ReplacementStatus.FAILED
        return self.replacing_entry_id if failed and self.replacing_entry_id else self.id

    @property
    def describe(self) -> str:
        """Return its status in words."""
        if self.status is None:
            return "not found"
        text = label(self.status)
        if self.replacement not in (None, ReplacementStatus.NONE):
            text += f", replacement {label(self.replacement)}"
        return text


@dataclass(frozen=True, slots=True)
class TokenSnapshot(UploadToken):
    """An upload token; ``status`` is ``None`` if it does not exist."""

    @property
    def phase(self) -> str:
        """A value that changes whenever bytes arrive or the status changes."""
        return f"{self.status}/{self.uploaded}"

    @property
    def describe(self) -> str:
        """Return its status and how many bytes have arrived."""
        if self.status is None:
            return "not found"
        return f"{label(self.status)}, {self.progress}"

    @property
    def progress(self) -> str:
        """Return ``x of y bytes``."""
        return f"{self.uploaded or 0} of {'unknown' if self.file_size is None else self.file_size} bytes"


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A bulk upload job; ``status`` is ``None`` if it does not exist."""

    id: str
    status: BatchJobStatus | int | str | None
    entries: int | None = None
    objects: int | None = None
    error: str = ""
    file_name: str = ""

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> JobSnapshot:
        """Read a ``KalturaBulkUpload``. Its URLs contain the session and are left out."""
        error = " ".join(str(answer[key]) for key in ("error", "description") if answer.get(key))
        return cls(
            id=str(answer["id"]),
            status=parse_status(BatchJobStatus, answer.get("status")),
            entries=whole_number(answer.get("numOfEntries")),
            objects=whole_number(answer.get("numOfObjects")),
            error=error,
            file_name=str(answer.get("fileName") or ""),
        )

    @property
    def phase(self) -> str:
        """A value that changes whenever the job makes progress."""
        return f"{self.status}/{self.objects}"

    @property
    def describe(self) -> str:
        """Return its status in words."""
        return "not found" if self.status is None else label(self.status)


Snapshot: TypeAlias = EntrySnapshot | TokenSnapshot | JobSnapshot
