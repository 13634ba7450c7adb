"""An entry as Kaltura shows it, whatever service it was read by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from kaltura_provider.api.enums import (
    DisplayInSearch,
    EntryStatus,
    MediaType,
    ModerationStatus,
    ReplacementStatus,
    parse_enum,
    parse_status,
)
from kaltura_provider.api.values import whole_number, words

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A ``KalturaBaseEntry`` of any kind, as far as it was asked for.

    ``status`` is ``None`` for an entry that Kaltura does not show. Times are the server's, in seconds since 1970. What
    an enumeration has no member for stays a number, or a plugin's text such as ``virusScan.Infected``.
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
    media_type: MediaType | int | str | None = None
    source_type: str = ""
    flavor_params_ids: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read Kaltura's object."""
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
            media_type=parse_enum(MediaType, values.get("mediaType")),
            source_type=str(values.get("sourceType") or ""),
            flavor_params_ids=str(values.get("flavorParamsIds") or ""),
        )

    @property
    def recycled(self) -> bool:
        """Whether it is in the recycle bin."""
        return self.display_in_search == DisplayInSearch.RECYCLED

    @property
    def deleted(self) -> bool:
        """Whether it was deleted, or is in the recycle bin."""
        return self.status == EntryStatus.DELETED or self.recycled

    @property
    def being_replaced(self) -> bool:
        """Whether new content is on its way to take the old one's place."""
        return bool(self.replacing_entry_id) or self.replacement not in (None, ReplacementStatus.NONE)
