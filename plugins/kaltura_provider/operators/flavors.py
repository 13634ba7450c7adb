"""List the renditions (flavor assets) of entries."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.api import KalturaClient

__all__ = ["KalturaListFlavorsOperator"]

_FIELDS = (
    "id",
    "flavorParamsId",
    "isOriginal",
    "status",
    "width",
    "height",
    "bitrate",
    "sizeInBytes",
    "fileExt",
    "tags",
)
_PAGE = 500


class KalturaListFlavorsOperator(KalturaOperator):
    """List the flavors of entries (``flavorAsset.list``), the source first, then by height and bitrate.

    :param entry: an entry id, an asset reference as the other operators return it, or a list of either.
    :return: for an entry id, its flavors: ``id``, ``flavorParamsId`` (0 is the source), ``isOriginal``, ``status``,
        ``width`` and ``height`` (pixels), ``bitrate`` (kbit/s), ``sizeInBytes``, ``fileExt``, ``tags``. For an asset
        reference, the reference with its flavors under ``flavors`` and the ``seconds`` since its first task
        began. For a list, a list of these.
    :raises AirflowFailException: if Kaltura refuses the call for good.
    """

    template_fields: Sequence[str] = ("entry", *KalturaOperator.template_fields)
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())

    def __init__(self, *, entry: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry = entry

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the flavors, shaped as what was given."""
        many = isinstance(self.entry, (list, tuple))
        entries = list(self.entry) if many else [self.entry]
        ids = [_entry_id(entry) for entry in entries]
        found = _flavors(self.hook.get_conn(), [entry_id for entry_id in ids if entry_id])
        if first := next(filter(None, ids), None):
            push_links(context, self.hook.account, first)
        results = [
            {**entry, "flavors": found.get(entry_id or "", []), **_taken(entry)}
            if isinstance(entry, dict)
            else found.get(entry_id or "", [])
            for entry, entry_id in zip(entries, ids, strict=True)
        ]
        for entry_id in ids:
            for flavor in found.get(entry_id or "", []):
                self.log.info("Entry %s flavor %s", entry_id, _line(flavor))
        return results if many else results[0]


def _entry_id(entry: Any) -> str | None:
    return entry.get("entry_id") if isinstance(entry, dict) else str(entry)


def _taken(ref: Mapping[str, Any]) -> dict[str, float]:
    """Return how many seconds have passed since the asset's first task began."""
    return {"seconds": round(time.time() - ref["started"], 1)} if "started" in ref else {}


def _flavors(client: KalturaClient, entry_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return entry id -> flavors; page by page, as Kaltura gives at most 500 at once."""
    found: dict[str, list[dict[str, Any]]] = {}
    page = 1
    while entry_ids:
        reply = client.call(
            "flavorAsset",
            "list",
            {"filter": {"entryIdIn": ",".join(entry_ids)}, "pager": {"pageSize": _PAGE, "pageIndex": page}},
        )
        for flavor in reply["objects"]:
            kept = {name: flavor[name] for name in _FIELDS if name in flavor}
            if "sizeInBytes" in kept:
                kept["sizeInBytes"] = int(kept["sizeInBytes"])  # text on the wire
            found.setdefault(flavor["entryId"], []).append(kept)
        if len(reply["objects"]) < _PAGE:
            break
        page += 1
    for flavors in found.values():
        flavors.sort(key=_order)
    return found


def _order(flavor: Mapping[str, Any]) -> tuple[bool, int, int]:
    return not flavor.get("isOriginal"), -int(flavor.get("height") or 0), -int(flavor.get("bitrate") or 0)


def _line(flavor: Mapping[str, Any]) -> str:
    size = f"{flavor.get('width') or '?'}x{flavor.get('height') or '?'}"
    return f"{flavor['id']}: status {flavor.get('status')}, {size}, {flavor.get('bitrate', '?')} kbit/s"
