"""Lists, exports and reads the renditions (flavor assets) of entries, and gets their URLs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.flavors import seconds_since_start
from kaltura_provider.hooks.output import check_output, collect
from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.links.entry import ENTRY_LINKS, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaGetFlavorOperator", "KalturaGetFlavorUrlOperator", "KalturaListFlavorsOperator"]


@renamed_arguments({"entry": "entry_id"})
class KalturaListFlavorsOperator(KalturaOperator):
    """List the flavors of entries (``flavorAsset.list``), the source first, then by height and bitrate.

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas. An entry that does not exist has no flavors.
    :param statuses: only flavors of these statuses: ``ready``, ``converting``, ``error`` ..., or numbers.
    :param tags: only flavors with all of these tags, such as ``["web", "mbr"]``.
    :param output_uri: where to write the flavors instead of XCom: a file or S3 object (``.jsonl``, ``.json``,
        ``.csv``).
    :param aws_conn_id: the Airflow connection for an ``output_uri`` in S3.
    :return: for an id, a list of flavors: ``asset_id``, ``entry_id``, ``status``, ``status_number``,
        ``flavor_params_id`` (0 is the source), ``is_original``, ``width`` and ``height`` (pixels), ``bitrate``
        (kbit/s), ``size_in_bytes``, ``file_ext``, ``tags``, ``container_format``, ``video_codec_id``, ``frame_rate``,
        ``language``, ``description`` (of a failed flavor: the reason). For the result of another operator, that result
        with the flavors under ``flavors`` and, for an item reference, the ``seconds`` since its first task started. For
        a list, a list of these. With ``output_uri``, ``{"output_uri", "count"}``.
    :raises AirflowFailException: an argument is not allowed, or Kaltura refuses permanently.
    """

    template_fields: Sequence[str] = (
        "entry_id",
        "statuses",
        "tags",
        "output_uri",
        "aws_conn_id",
        *KalturaOperator.template_fields,
    )
    operator_extra_links = ENTRY_LINKS

    def __init__(
        self,
        *,
        entry_id: Any,
        statuses: Any = (),
        tags: str | Sequence[str] = (),
        output_uri: str | None = None,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.statuses = statuses
        self.tags = tags
        self.output_uri = output_uri
        self.aws_conn_id = aws_conn_id

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the flavors in the shape of the argument, or where they were written."""
        from kaltura_provider.services.flavor_asset import list_flavors, narrowed, shown_flavor

        check_output(self.output_uri)
        narrowed([], self.statuses, self.tags)
        entries, many = _entries(self.entry_id)
        ids = [_entry_id(entry) for entry in entries]
        listed = list_flavors(self.hook.get_conn(), [entry_id for entry_id in ids if entry_id])
        found = {
            entry_id: [shown_flavor(flavor) for flavor in narrowed(flavors, self.statuses, self.tags)]
            for entry_id, flavors in listed.items()
        }
        if first := next(filter(None, ids), None):
            push_links(context, self.hook.account, first)
        for entry_id in ids:
            for flavor in found.get(entry_id or "", []):
                self.log.info("Entry %s flavor %s", entry_id, _line(flavor))
        if self.output_uri:
            return collect(chain.from_iterable(found.values()), self.output_uri, aws_conn_id=self.aws_conn_id)
        results = [
            {**entry, "flavors": found.get(entry_id or "", []), **seconds_since_start(entry)}
            if isinstance(entry, dict)
            else found.get(entry_id or "", [])
            for entry, entry_id in zip(entries, ids, strict=True)
        ]
        return results if many else results[0]


@renamed_arguments({"flavor": "asset_id"})
class KalturaGetFlavorOperator(KalturaOperator):
    """Read one flavor (``flavorAsset.get``).

    :param asset_id: a flavor asset: its id, or the result of an operator that has one.
    :return: the flavor, as ``KalturaListFlavorsOperator`` describes it.
    :raises AirflowFailException: the flavor does not exist.
    """

    template_fields: Sequence[str] = ("asset_id", *KalturaOperator.template_fields)

    def __init__(self, *, asset_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asset_id = asset_id

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the flavor."""
        from kaltura_provider.api.arguments import asset_id
        from kaltura_provider.services.flavor_asset import get_flavor, shown_flavor

        return shown_flavor(get_flavor(self.hook.get_conn(), asset_id(self.asset_id)))


class KalturaGetFlavorUrlOperator(KalturaOperator):
    """Get the URL of a flavor's file (``flavorAsset.getUrl``): the best of an entry, its source, or a given flavor.

    :param entry_id: the entry to choose a flavor of: its id, or the result of an operator that has one.
    :param flavor: which flavor of ``entry_id``: ``best`` (the READY one with the most lines and bits, among those made
        for players) or ``source``.
    :param asset_id: or a flavor asset: its id, or the result of an operator that has one.
    :param file_name: the name to serve the file under.
    :return: ``{"url", "asset_id", ...}`` with what is known of the flavor.
    :raises AirflowFailException: an argument is not allowed, or the flavor does not exist. While it is not READY, the
        task is retried.
    """

    template_fields: Sequence[str] = ("entry_id", "flavor", "asset_id", "file_name", *KalturaOperator.template_fields)

    def __init__(
        self,
        *,
        entry_id: Any = None,
        flavor: str = "best",
        asset_id: Any = None,
        file_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.flavor = flavor
        self.asset_id = asset_id
        self.file_name = file_name

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the URL."""
        from kaltura_provider.api.redaction import redact

        found = self._chosen()
        options = {"objectType": "KalturaFlavorAssetUrlOptions", "fileName": self.file_name} if self.file_name else None
        url = self.hook.call("flavorAsset", "getUrl", id=found["asset_id"], options=options)
        return {"url": redact(str(url)), **found}

    def _chosen(self) -> dict[str, Any]:
        """Return the flavor, with at least its ``asset_id``."""
        from kaltura_provider.api.arguments import asset_id, entry_id
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.services.flavor_asset import best_flavor, list_flavors, shown_flavor, source_flavor

        if self.asset_id not in (None, ""):
            if self.entry_id not in (None, ""):
                raise KalturaConfigurationError("asset_id", None, "and entry_id exclude each other", "give one of them")
            return {"asset_id": asset_id(self.asset_id)}
        choices = {"best": best_flavor, "source": source_flavor}
        if self.flavor not in choices:
            fix = "use best or source; give the id of a flavor as asset_id"
            raise KalturaConfigurationError("flavor", self.flavor, "is unknown", fix)
        entry = entry_id(self.entry_id)
        flavors = list_flavors(self.hook.get_conn(), [entry]).get(entry, [])
        return shown_flavor(choices[self.flavor](flavors, entry))


def _entries(given: Any) -> tuple[list[Any], bool]:
    """Return the entries given, and whether they were several."""
    if isinstance(given, str) and "," in given:
        return [item.strip() for item in given.split(",") if item.strip()], True
    # The results of a mapped task are not a list, but can be iterated.
    if isinstance(given, Iterable) and not isinstance(given, (str, bytes, dict)):
        return list(given), True
    return [given], False


def _entry_id(entry: Any) -> str | None:
    """Return an entry's id, checked; ``None`` for a reference whose ingest failed before there was an entry."""
    from kaltura_provider.api.arguments import entry_id

    if isinstance(entry, dict) and "state" in entry and not entry.get("entry_id"):
        return None
    return entry_id(entry)


def _line(flavor: Mapping[str, Any]) -> str:
    size = f"{flavor.get('width') or '?'}x{flavor.get('height') or '?'}"
    said = f"{flavor['asset_id']}: {flavor.get('status')}, {size}, {flavor.get('bitrate', '?')} kbit/s"
    return f"{said}, {flavor['description']}" if flavor.get("description") else said
