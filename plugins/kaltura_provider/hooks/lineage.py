"""OpenLineage: which sources went into which entries. Airflow's OpenLineage provider asks operators for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaltura_provider.hooks.connection import KalturaAccount
    from kaltura_provider.ingest.item import ItemRef

__all__ = ["ItemLineage", "entry_dataset", "source_dataset"]


def source_dataset(uri: str) -> tuple[str, str]:
    """Return namespace and name of a source, as OpenLineage names datasets of its kind. They hold no secret.

    https://openlineage.io/docs/spec/naming
    """
    from kaltura_provider.hooks.sources import shown_address

    shown = shown_address(uri)
    if shown.startswith("s3://"):
        bucket, key = bucket_and_key(shown)
        return f"s3://{bucket}", key
    if shown.startswith(("http://", "https://")):
        parts = urlsplit(shown)
        return f"{parts.scheme}://{parts.netloc}", parts.path
    return "file", unquote(shown.removeprefix("file://"))


def entry_dataset(account: KalturaAccount, entry_id: str) -> tuple[str, str]:
    """Return namespace and name of an entry: ``kaltura://<host of the service>/<partner>`` and its id."""
    parts = urlsplit(account.service_url)
    return f"kaltura://{parts.netloc}/{account.partner_id}", entry_id


class ItemLineage:
    """Part of an operator that brings source items into entries."""

    hook: Any
    _brought: tuple[ItemRef, ...] = ()

    def remember_lineage(self, refs: Iterable[ItemRef]) -> None:
        """Keep what the task has brought in, for OpenLineage."""
        self._brought = tuple(ref for ref in refs if ref.entry_id and ref.error is None)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return the sources as inputs and the entries as outputs. Only OpenLineage's listener calls this."""
        from airflow.providers.common.compat.openlineage.facet import Dataset
        from airflow.providers.openlineage.extractors import OperatorLineage  # type: ignore[import-not-found]  # optional

        def dataset(named: tuple[str, str]) -> Any:
            namespace, name = named
            return Dataset(namespace=namespace, name=name)

        account = self.hook.account
        return OperatorLineage(
            inputs=[dataset(source_dataset(ref.uri)) for ref in self._brought],
            outputs=[dataset(entry_dataset(account, str(ref.entry_id))) for ref in self._brought],
        )
