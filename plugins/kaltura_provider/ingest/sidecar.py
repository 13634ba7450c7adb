"""A sidecar file of an entry (thumbnail, caption, attachment or rendition), and the result of attaching it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kaltura_provider.ingest.identity import canonical_uri, item_id, kai1_uri
from kaltura_provider.services.attachment_asset import ATTACHMENT
from kaltura_provider.services.caption_asset import CAPTION
from kaltura_provider.services.flavor_params import RENDITION
from kaltura_provider.services.thumb_asset import THUMBNAIL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.services.entry_assets import AssetKind

__all__ = ["Sidecar", "SidecarError", "SidecarKind", "SidecarRef"]


class SidecarKind(StrEnum):
    """Kind of a sidecar file."""

    THUMBNAIL = "thumbnail"
    CAPTION = "caption"
    ATTACHMENT = "attachment"
    RENDITION = "rendition"

    @property
    def asset(self) -> AssetKind:
        """Kaltura's kind of asset for it."""
        return _ASSETS[self]


_ASSETS = {
    SidecarKind.THUMBNAIL: THUMBNAIL,
    SidecarKind.CAPTION: CAPTION,
    SidecarKind.ATTACHMENT: ATTACHMENT,
    SidecarKind.RENDITION: RENDITION,
}


class SidecarError(Exception):
    """A sidecar could not be attached; ``retry_helps`` is whether a retry can succeed."""

    def __init__(self, message: str, *, retry_helps: bool) -> None:
        super().__init__(message)
        self.retry_helps = retry_helps


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """One sidecar file of an entry.

    ``uri`` and the entry identify it; a rendition its flavor params and the entry. ``values`` are further properties
    under Kaltura's names, such as ``language``, ``label`` and ``format`` of a caption, ``title`` and ``format`` of an
    attachment, or ``flavorParamsId`` of a rendition, which must have it. ``default`` makes it the entry's default
    thumbnail or caption. ``checksum`` is what its bytes must hash to (:mod:`~kaltura_provider.upload.sources.digest`).
    """

    entry_id: str
    kind: SidecarKind
    uri: str
    values: Mapping[str, Any] = field(default_factory=dict)
    default: bool = False
    checksum: str = ""

    @property
    def item_id(self) -> str:
        """Its item id."""
        return self._id(canonical_uri(self.uri) if self.flavor_params is None else str(self.flavor_params))

    @property
    def flavor_params(self) -> int | None:
        """The id of the flavor params of a rendition."""
        return int(self.values["flavorParamsId"]) if self.kind is SidecarKind.RENDITION else None

    @property
    def elder_item_id(self) -> str | None:
        """The item id that formula ``kai1`` gave it; ``None`` if it is the same."""
        elder = self._id(kai1_uri(self.uri)) if self.flavor_params is None else self.item_id
        return None if elder == self.item_id else elder

    def _id(self, uri: str) -> str:
        return item_id(self.uri, f"{self.kind} of {self.entry_id}: {uri}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarRef:
    """The result: the id of Kaltura's asset, whether it was made by this call, and whether its bytes were sent.

    :param note: why Kaltura holds other bytes than this file; ``None`` if it holds exactly these.
    """

    entry_id: str
    kind: SidecarKind
    uri: str
    asset_id: str
    made: bool = False
    sent: bool = False
    note: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self) | {"kind": self.kind.value}
