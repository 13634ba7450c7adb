"""Flavor assets (service ``flavorAsset``), the renditions of an entry: list them, and choose the source or the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from kaltura_provider.api.arguments import choose
from kaltura_provider.api.enums import FlavorAssetStatus, named_status, parse_status
from kaltura_provider.api.errors import KalturaConfigurationError, KalturaError
from kaltura_provider.api.values import number_or_text, snake_case, whole_number, words
from kaltura_provider.services.paging import list_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = [
    "FLAVOR_FIELDS",
    "FlavorAsset",
    "FlavorNotReadyError",
    "best_flavor",
    "get_flavor",
    "list_flavors",
    "narrowed",
    "shown_flavor",
    "source_flavor",
]

FLAVOR_FIELDS = (
    "id",
    "entryId",
    "flavorParamsId",
    "isOriginal",
    "status",
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
_BATCH = 100
_PLAYABLE = frozenset({"web", "mbr", "mobile", "iphonenew", "ipadnew", "dash"})


@dataclass(frozen=True, slots=True)
class FlavorAsset:
    """A ``KalturaFlavorAsset``: one rendition of an entry, or its source (``original``, flavor params 0).

    ``size`` is in bytes, ``None`` where Kaltura does not know it; ``updated_at`` in seconds since 1970.
    """

    id: str
    status: FlavorAssetStatus | int | str
    entry_id: str = ""
    params_id: int | str | None = None
    tags: frozenset[str] = frozenset()
    original: bool = False
    size: int | None = None
    updated_at: int = 0
    description: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read Kaltura's object."""
        params_id = number_or_text(values.get("flavorParamsId"))
        return cls(
            id=str(values["id"]),
            status=parse_status(FlavorAssetStatus, values.get("status")),
            entry_id=str(values.get("entryId") or ""),
            params_id=params_id,
            tags=frozenset(tag.lower() for tag in words(values.get("tags"))),
            original=bool(values.get("isOriginal")) or params_id == 0,
            size=whole_number(values.get("sizeInBytes")),
            updated_at=whole_number(values.get("updatedAt")) or 0,
            description=str(values.get("description") or "").strip(),
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


def list_flavors(client: KalturaClient, entry_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return flavors by entry id, the source first, then by height and bitrate. Entries without flavors are absent."""
    found: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(entry_ids), _BATCH):
        conditions = {"entryIdIn": ",".join(entry_ids[start : start + _BATCH])}
        for flavor in list_all(client, "flavorAsset", conditions):
            found.setdefault(flavor["entryId"], []).append(_kept(flavor))
    for flavors in found.values():
        flavors.sort(key=_order)
    return found


def get_flavor(client: KalturaClient, flavor_id: str) -> dict[str, Any]:
    """Return one flavor.

    :raises KalturaNotFoundError: there is none. :raises KalturaError: Kaltura cannot be asked.
    """
    return _kept(client.call("flavorAsset", "get", {"id": flavor_id}))


def _kept(flavor: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: flavor[name] for name in FLAVOR_FIELDS if name in flavor}
    if "sizeInBytes" in kept:
        kept["sizeInBytes"] = int(kept["sizeInBytes"])  # text on the wire
    return kept


def shown_flavor(flavor: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flavor as operators show it: ``asset_id``, ``entry_id``, status by name, other fields in snake case."""
    others = {snake_case(name): value for name, value in flavor.items() if name not in ("id", "entryId", "status")}
    ids = {"asset_id": flavor["id"], "entry_id": flavor["entryId"]}
    return {**ids, **named_status(FlavorAssetStatus, flavor["status"]), **others}


def _order(flavor: Mapping[str, Any]) -> tuple[bool, int, int]:
    return not flavor.get("isOriginal"), -int(flavor.get("height") or 0), -int(flavor.get("bitrate") or 0)


def _rank(flavor: Mapping[str, Any]) -> tuple[int, int]:
    return _order(flavor)[1:]


def narrowed(flavors: Sequence[Mapping[str, Any]], statuses: Any = (), tags: Any = ()) -> list[dict[str, Any]]:
    """Return the flavors that have one of these statuses (names or numbers) and all of these tags.

    :raises KalturaConfigurationError: a status is unknown.
    """
    wanted = {choose(FlavorAssetStatus, status, "statuses") for status in _listed(statuses)}
    needed = set(_listed(tags))
    return [
        dict(flavor)
        for flavor in flavors
        if (not wanted or parse_status(FlavorAssetStatus, flavor["status"]) in wanted) and needed <= _tags(flavor)
    ]


def _listed(values: Any) -> list[Any]:
    """Return a value, a list, or comma-separated text as a list."""
    if values is None:
        return []
    items = str(values).split(",") if isinstance(values, (str, int)) else values
    stripped = [item.strip() if isinstance(item, str) else item for item in items]
    return [item for item in stripped if item != ""]


def _tags(flavor: Mapping[str, Any]) -> set[str]:
    return {tag.strip() for tag in str(flavor.get("tags") or "").split(",")}


def _ready(flavor: Mapping[str, Any]) -> bool:
    return parse_status(FlavorAssetStatus, flavor["status"]) == FlavorAssetStatus.READY


def source_flavor(flavors: Sequence[Mapping[str, Any]], entry_id: str) -> dict[str, Any]:
    """Return the source of an entry.

    :raises KalturaConfigurationError: it has none.
    """
    for flavor in flavors:
        if flavor.get("isOriginal"):
            return dict(flavor)
    raise KalturaConfigurationError("flavor", "source", f"does not exist in entry {entry_id}", "choose best or an id")


def best_flavor(flavors: Sequence[Mapping[str, Any]], entry_id: str) -> dict[str, Any]:
    """Return the READY flavor with the greatest height and bitrate, preferably one made for players.

    :raises FlavorNotReadyError: none is READY.
    """
    ready = [flavor for flavor in flavors if _ready(flavor)]
    made = [flavor for flavor in ready if not flavor.get("isOriginal")]
    playable = [flavor for flavor in made if _tags(flavor) & _PLAYABLE]
    for group in (playable, made, ready):
        if group:
            best: Mapping[str, Any] = min(group, key=_rank)
            return dict(best)
    raise FlavorNotReadyError(f"entry {entry_id} has no flavor that is READY: wait with KalturaFlavorReadySensor")
