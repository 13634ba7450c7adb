"""Flavor assets (service ``flavorAsset``), the renditions of an entry: list them, and choose the source or the best."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from kaltura_provider.api.arguments import choose
from kaltura_provider.api.enums import FlavorAssetStatus, named_status, parse_status
from kaltura_provider.api.errors import KalturaConfigurationError, KalturaError
from kaltura_provider.api.values import number_or_text, reading, snake_case, whole_number, words
from kaltura_provider.services.paging import list_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = [
    "FlavorAsset",
    "FlavorNotReadyError",
    "best_flavor",
    "get_flavor",
    "list_flavors",
    "narrowed",
    "shown_flavor",
    "source_flavor",
]

_SHOWN = (
    "flavorParamsId",
    "isOriginal",
    "width",
    "height",
    "bitrate",
    "sizeInBytes",
    "fileExt",
    "tags",
    "containerFormat",
    "videoCodecId",
    "frameRate",
    "language",
    "description",
)
"""The fields that operators show besides the ids and the status."""
_BATCH = 100
_PLAYABLE = frozenset({"web", "mbr", "mobile", "iphonenew", "ipadnew", "dash"})


@dataclass(frozen=True, slots=True)
class FlavorAsset:
    """A ``KalturaFlavorAsset``: one rendition of an entry, or its source (``original``, flavor params 0).

    ``size`` is in bytes, ``None`` where Kaltura does not know it; ``height`` in pixels, ``bitrate`` in kbit/s,
    ``updated_at`` in seconds since 1970. ``values`` is Kaltura's object.
    """

    id: str
    status: FlavorAssetStatus | int | str
    entry_id: str = ""
    params_id: int | str | None = None
    tags: frozenset[str] = frozenset()
    original: bool = False
    size: int | None = None
    height: int = 0
    bitrate: int = 0
    updated_at: int = 0
    description: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read Kaltura's object.

        :raises KalturaTransportError: it is not a flavor.
        """
        with reading("a flavor"):
            params_id = number_or_text(values.get("flavorParamsId"))
            return cls(
                id=str(values["id"]),
                status=parse_status(FlavorAssetStatus, values.get("status")),
                entry_id=str(values.get("entryId") or ""),
                params_id=params_id,
                tags=frozenset(tag.lower() for tag in words(values.get("tags"))),
                original=bool(values.get("isOriginal")) or params_id == 0,
                size=whole_number(values.get("sizeInBytes")),
                height=whole_number(values.get("height")) or 0,
                bitrate=whole_number(values.get("bitrate")) or 0,
                updated_at=whole_number(values.get("updatedAt")) or 0,
                description=str(values.get("description") or "").strip(),
                values=values,
            )

    @property
    def usable(self) -> bool:
        """Whether it can be played, also while it is being exported to remote storage."""
        return self.status in (FlavorAssetStatus.READY, FlavorAssetStatus.EXPORTING)

    @property
    def describe(self) -> str:
        """Return its id, flavor params and what Kaltura wrote about it."""
        text = " ".join(self.description.split())
        return f"flavor {self.id} (flavor params {self.params_id})" + (f": {text[:300]}" if text else "")


class FlavorNotReadyError(KalturaError):
    """No flavor of an entry is READY."""


def list_flavors(client: KalturaClient, entry_ids: Sequence[str]) -> dict[str, list[FlavorAsset]]:
    """Return flavors by entry id, the source first, then by height and bitrate. Entries without flavors are absent."""
    found: dict[str, list[FlavorAsset]] = {}
    for start in range(0, len(entry_ids), _BATCH):
        conditions = {"entryIdIn": ",".join(entry_ids[start : start + _BATCH])}
        for flavor in map(FlavorAsset.of, list_all(client, "flavorAsset", conditions)):
            found.setdefault(flavor.entry_id, []).append(flavor)
    for flavors in found.values():
        flavors.sort(key=lambda flavor: (not flavor.original, *_rank(flavor)))
    return found


def get_flavor(client: KalturaClient, flavor_id: str) -> FlavorAsset:
    """Return one flavor.

    :raises KalturaNotFoundError: it does not exist.
    :raises KalturaError: Kaltura did not answer, or refused.
    """
    return FlavorAsset.of(client.call("flavorAsset", "get", {"id": flavor_id}))


def shown_flavor(flavor: FlavorAsset) -> dict[str, Any]:
    """Return a flavor as operators show it: ``asset_id``, ``entry_id``, status by name, other fields in snake case."""
    others = {snake_case(name): flavor.values[name] for name in _SHOWN if name in flavor.values}
    if flavor.size is not None:
        others["size_in_bytes"] = flavor.size
    ids = {"asset_id": flavor.id, "entry_id": flavor.entry_id}
    return {**ids, **named_status(FlavorAssetStatus, flavor.status), **others}


def _rank(flavor: FlavorAsset) -> tuple[int, int]:
    return -flavor.height, -flavor.bitrate


def narrowed(flavors: Sequence[FlavorAsset], statuses: Any = (), tags: Any = ()) -> list[FlavorAsset]:
    """Return the flavors that have one of these statuses (names or numbers) and all of these tags.

    :raises KalturaConfigurationError: a status is unknown.
    """
    wanted = {choose(FlavorAssetStatus, status, "statuses") for status in _listed(statuses)}
    needed = {str(tag).lower() for tag in _listed(tags)}
    return [flavor for flavor in flavors if (not wanted or flavor.status in wanted) and needed <= flavor.tags]


def _listed(values: Any) -> list[Any]:
    """Return a value, a list, or comma-separated text as a list."""
    if values is None:
        return []
    items = str(values).split(",") if isinstance(values, (str, int)) else values
    stripped = [item.strip() if isinstance(item, str) else item for item in items]
    return [item for item in stripped if item != ""]


def source_flavor(flavors: Sequence[FlavorAsset], entry_id: str) -> FlavorAsset:
    """Return the source of an entry.

    :raises KalturaConfigurationError: the entry has no source flavor.
    """
    for flavor in flavors:
        if flavor.original:
            return flavor
    raise KalturaConfigurationError("flavor", "source", f"does not exist in entry {entry_id}", "choose best or an id")


def best_flavor(flavors: Sequence[FlavorAsset], entry_id: str) -> FlavorAsset:
    """Return the READY flavor with the greatest height and bitrate, preferably one made for players.

    :raises FlavorNotReadyError: no flavor is READY.
    """
    ready = [flavor for flavor in flavors if flavor.status == FlavorAssetStatus.READY]
    made = [flavor for flavor in ready if not flavor.original]
    playable = [flavor for flavor in made if flavor.tags & _PLAYABLE]
    for group in (playable, made, ready):
        if group:
            return min(group, key=_rank)
    raise FlavorNotReadyError(f"entry {entry_id} has no READY flavor; wait with KalturaFlavorReadySensor")
