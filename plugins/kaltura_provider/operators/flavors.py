"""The renditions (flavor assets) of entries as tasks: list them, export them, get the URL of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.flavors import seconds_since_start
from kaltura_provider.hooks.output import check_output, collect
from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaGetFlavorOperator", "KalturaGetFlavorUrlOperator", "KalturaListFlavorsOperator"]


class KalturaListFlavorsOperator(KalturaOperator):
    """List the flavors of entries (``flavorAsset.list``), the source first, then by height and bitrate.

    :param entry: an entry id, an asset reference as the other operators return it, a list of either, or ids with
        commas. An entry that does not exist has no flavors.
    :param statuses: only flavors of these statuses: ``ready``, ``converting``, ``error`` ..., or numbers.
    :param tags: only flavors with all of these tags, such as ``["web", "mbr"]``.
    :param output_uri: where a table of all flavors goes besides (``.csv``, ``.jsonl``, ``.json``; a file or S3).
    :param aws_conn_id: the Airflow connection for an ``output_uri`` in S3.
    :return: for an entry id, its flavors: ``id``, ``flavorParamsId`` (0 is the source), ``isOriginal``, ``status``,
        ``width`` and ``height`` (pixels), ``bitrate`` (kbit/s), ``sizeInBytes``, ``fileExt``, ``tags``,
        ``containerFormat``, ``videoCodecId``, ``frameRate``, ``language``, ``description`` (of a failed one: why). For
        an asset reference, the reference with its flavors under ``flavors`` and the ``seconds`` since its first task
        began. For a list, a list of these. With an ``output_uri``, ``{"output_uri", "count"}``.
    :raises AirflowFailException: an argument is impossible, or Kaltura refuses the call for good.
    """

    template_fields: Sequence[str] = ("entry", "statuses", "tags", "output_uri", *KalturaOperator.template_fields)
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())

    def __init__(
        self,
        *,
        entry: Any,
        statuses: Any = (),
        tags: str | Sequence[str] = (),
        output_uri: str | None = None,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry = entry
        self.statuses = statuses
        self.tags = tags
        self.output_uri = output_uri
        self.aws_conn_id = aws_conn_id

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the flavors, shaped as what was given, or where their table is."""
        from kaltura_provider.services.flavor_asset import list_flavors, narrowed

        check_output(self.output_uri)
        narrowed([], self.statuses, self.tags)
        entries, many = _entries(self.entry)
        ids = [_entry_id(entry) for entry in entries]
        found = list_flavors(self.hook.get_conn(), [entry_id for entry_id in ids if entry_id])
        found = {entry_id: narrowed(flavors, self.statuses, self.tags) for entry_id, flavors in found.items()}
        if first := next(filter(None, ids), None):
            push_links(context, self.hook.account, first)
        for entry_id in ids:
            for flavor in found.get(entry_id or "", []):
                self.log.info("Entry %s flavor %s", entry_id, _line(flavor))
        if self.output_uri:
            return collect(_table(found), self.output_uri, aws_conn_id=self.aws_conn_id)
        results = [
            {**entry, "flavors": found.get(entry_id or "", []), **seconds_since_start(entry)}
            if isinstance(entry, dict)
            else found.get(entry_id or "", [])
            for entry, entry_id in zip(entries, ids, strict=True)
        ]
        return results if many else results[0]


class KalturaGetFlavorOperator(KalturaOperator):
    """Read a flavor (``flavorAsset.get``).

    :param flavor: the flavor asset's id, or a flavor as another operator returned it.
    :return: the flavor, as ``KalturaListFlavorsOperator`` describes it, with the ``entryId`` it belongs to.
    :raises AirflowFailException: there is no such flavor.
    """

    template_fields: Sequence[str] = ("flavor", *KalturaOperator.template_fields)

    def __init__(self, *, flavor: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flavor = flavor

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the flavor."""
        from kaltura_provider.api.arguments import asset_id
        from kaltura_provider.services.flavor_asset import get_flavor

        given = self.flavor
        # The operators call a flavor's id `id`, or `flavor_id` beside its URL.
        found = given.get("id", given.get("flavor_id")) if isinstance(given, dict) else given
        return get_flavor(self.hook.get_conn(), asset_id(found, "flavor"))


class KalturaGetFlavorUrlOperator(KalturaOperator):
    """Get the URL of one flavor's file (``flavorAsset.getUrl``).

    :param entry_id: an entry id or an asset reference; with ``flavor`` ``best`` or ``source``.
    :param flavor: ``best`` (the READY one with most lines and bits among those made for players), ``source``, or a
        flavor asset id.
    :param file_name: the name the file shall be served under.
    :return: ``{"url", "flavor_id", ...}`` with what is known of the flavor.
    :raises AirflowFailException: an argument is impossible, or there is no such flavor. While it is not READY, the task
        is tried again.
    """

    template_fields: Sequence[str] = ("entry_id", "flavor", "file_name", *KalturaOperator.template_fields)

    def __init__(
        self, *, entry_id: Any = None, flavor: str = "best", file_name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.flavor = flavor
        self.file_name = file_name

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the URL."""
        from kaltura_provider.api.arguments import asset_id, entry_id
        from kaltura_provider.api.redaction import redact
        from kaltura_provider.services.flavor_asset import best_flavor, list_flavors, source_flavor

        if self.flavor in ("best", "source"):
            entry = entry_id(self.entry_id)
            flavors = list_flavors(self.hook.get_conn(), [entry]).get(entry, [])
            found = (best_flavor if self.flavor == "best" else source_flavor)(flavors, entry)
        else:
            found = {"id": asset_id(self.flavor, "flavor")}
        options = {"objectType": "KalturaFlavorAssetUrlOptions", "fileName": self.file_name} if self.file_name else None
        url = self.hook.call("flavorAsset", "getUrl", id=found["id"], options=options)
        return {"url": redact(str(url)), "flavor_id": found.pop("id"), **found}


def _entries(given: Any) -> tuple[list[Any], bool]:
    """Return the entries given, and whether they were several."""
    if isinstance(given, str) and "," in given:
        return [item.strip() for item in given.split(",") if item.strip()], True
    # What mapped tasks returned is no list, but can be gone through like one.
    if isinstance(given, Iterable) and not isinstance(given, (str, bytes, dict)):
        return list(given), True
    return [given], False


def _entry_id(entry: Any) -> str | None:
    """Return an entry's id, checked; ``None`` for a reference whose ingest failed before there was an entry."""
    from kaltura_provider.api.arguments import entry_id

    if isinstance(entry, dict) and "state" in entry and not entry.get("entry_id"):
        return None
    return entry_id(entry, "entry")


def _table(found: Mapping[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for entry_id, flavors in found.items():
        for flavor in flavors:
            yield {"entryId": entry_id, **flavor}


def _line(flavor: Mapping[str, Any]) -> str:
    size = f"{flavor.get('width') or '?'}x{flavor.get('height') or '?'}"
    said = f"{flavor['id']}: status {flavor.get('status')}, {size}, {flavor.get('bitrate', '?')} kbit/s"
    return f"{said}, {flavor['description']}" if flavor.get("description") else said
