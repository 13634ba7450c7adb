"""The typed view of an entry, whichever service it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from kaltura_provider.api.enums import (
    DisplayInSearch,
    EntryStatus,
    EntryType,
    MediaType,
    ModerationStatus,
    ReplacementStatus,
    named_status,
    parse_enum,
    parse_status,
)
from kaltura_provider.api.values import reading, whole_number, words

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Entry", "shown_entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A ``KalturaBaseEntry`` of any kind, with the properties that were requested.

    ``status`` is ``None`` if Kaltura does not show the entry. Times are the server's, in seconds since 1970. Values
    that an enumeration does not know stay numbers, or text of a plugin such as ``virusScan.Infected``.
    """

    id: str
    status: EntryStatus | int | str | None
    admin_tags: tuple[str, ...] = ()
    display_in_search: DisplayInSearch | int | str | None = None
    created_at: int = 0
    updated_at: int = 0
    moderation: ModerationStatus | int | str | None = None
    replacement: ReplacementStatus | int | str | None = None
    replacing_entry_id: str | None = None
    replaced_entry_id: str | None = None
    name: str = ""
    reference_id: str | None = None
    conversion_profile_id: int | None = None
    object_type: str = "KalturaMediaEntry"
    entry_type: EntryType | int | str | None = None
    media_type: MediaType | int | str | None = None
    source_type: str = ""
    flavor_params_ids: str = ""
    duration: float = 0.0
    """In seconds; 0 for images, documents, and media that Kaltura has not analyzed yet."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read Kaltura's object.

        :raises KalturaTransportError: it is not an entry.
        """
        with reading("an entry"):
            return cls(
                id=str(values["id"]),
                status=parse_status(EntryStatus, values.get("status")),
                admin_tags=words(values.get("adminTags")),
                display_in_search=parse_enum(DisplayInSearch, values.get("displayInSearch")),
                created_at=whole_number(values.get("createdAt")) or 0,
                updated_at=whole_number(values.get("updatedAt")) or 0,
                moderation=parse_enum(ModerationStatus, values.get("moderationStatus")),
                replacement=parse_enum(ReplacementStatus, values.get("replacementStatus")),
                replacing_entry_id=values.get("replacingEntryId") or None,
                replaced_entry_id=values.get("replacedEntryId") or None,
                name=str(values.get("name") or ""),
                reference_id=values.get("referenceId"),
                conversion_profile_id=whole_number(values.get("conversionProfileId")),
                object_type=str(values.get("objectType") or "KalturaMediaEntry"),
                entry_type=parse_enum(EntryType, values.get("type")),
                media_type=parse_enum(MediaType, values.get("mediaType")),
                source_type=str(values.get("sourceType") or ""),
                flavor_params_ids=str(values.get("flavorParamsIds") or ""),
                duration=(whole_number(values.get("msDuration")) or 0) / 1000 or float(values.get("duration") or 0),
            )

    @property
    def recycled(self) -> bool:
        """Whether it is in the recycle bin."""
        return self.display_in_search == DisplayInSearch.RECYCLED

    @property
    def is_data(self) -> bool:
        """Whether it is a data entry: it holds text, and is never converted."""
        return self.entry_type == EntryType.DATA

    @property
    def service(self) -> str:
        """The service that gives it content."""
        return "media" if self.entry_type == EntryType.MEDIA_CLIP else "baseEntry"

    @property
    def deleted(self) -> bool:
        """Whether it was deleted, or is in the recycle bin."""
        return self.status == EntryStatus.DELETED or self.recycled

    @property
    def being_replaced(self) -> bool:
        """Whether its content is being replaced."""
        return bool(self.replacing_entry_id) or self.replacement not in (None, ReplacementStatus.NONE)


def shown_entry(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return Kaltura's object as operators show it: ``entry_id``, ``status`` and ``status_number``.

    If the content is being replaced, also ``replacement_status``, its number, and ``replacing_entry_id``.
    """
    entry = Entry.of(values)
    shown: dict[str, Any] = {"entry_id": entry.id, **named_status(EntryStatus, entry.status)}
    if entry.replacement:
        shown |= named_status(ReplacementStatus, entry.replacement, "replacement_status")
    if entry.replacing_entry_id:
        shown["replacing_entry_id"] = entry.replacing_entry_id
    return shown
