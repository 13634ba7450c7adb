"""One asset, exactly once: identities, find or claim, confirm, receipts, housekeeping; on lists, without Airflow.

Names are loaded when they are first used, so that a DAG file can have settings and metadata without paying for HTTP
libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kaltura_provider.ingest.confirmation import confirm, record_refusal
    from kaltura_provider.ingest.housekeeping import Leftover, find_leftovers, remove_leftovers
    from kaltura_provider.ingest.identity import (
        asset_id,
        asset_mark,
        canonical_uri,
        content_id,
        content_mark,
        parse_token_name,
        reference_for,
        refused_mark,
        token_file_name,
    )
    from kaltura_provider.ingest.kinds import Kind, extension_of, kind_of
    from kaltura_provider.ingest.marks import MarkLostError
    from kaltura_provider.ingest.metadata import EntryMetadata
    from kaltura_provider.ingest.model import Asset, AssetError, AssetRef, AssetState
    from kaltura_provider.ingest.preparation import prepare
    from kaltura_provider.ingest.receipts import (
        LocalReceipts,
        ReceiptSink,
        S3Receipts,
        receipt,
        receipt_path,
        run_path,
        write_receipt,
        write_run,
    )
    from kaltura_provider.ingest.settings import AdoptBy, Clock, IfExists, IngestSettings, Redo, Transfer
    from kaltura_provider.ingest.sidecars import Sidecar, SidecarError, SidecarKind, SidecarRef, attach_sidecar
    from kaltura_provider.ingest.transfer import Ingested, describe, ingest, send_asset

_HOMES = {
    "housekeeping": ("Leftover", "find_leftovers", "remove_leftovers"),
    "receipts": (
        "LocalReceipts",
        "ReceiptSink",
        "S3Receipts",
        "receipt",
        "receipt_path",
        "run_path",
        "write_receipt",
        "write_run",
    ),
    "confirmation": ("confirm", "record_refusal"),
    "identity": (
        "asset_id",
        "asset_mark",
        "canonical_uri",
        "content_id",
        "content_mark",
        "parse_token_name",
        "reference_for",
        "refused_mark",
        "token_file_name",
    ),
    "kinds": ("Kind", "extension_of", "kind_of"),
    "marks": ("MarkLostError",),
    "metadata": ("EntryMetadata",),
    "model": ("Asset", "AssetError", "AssetRef", "AssetState"),
    "preparation": ("prepare",),
    "sidecars": ("Sidecar", "SidecarError", "SidecarKind", "SidecarRef", "attach_sidecar"),
    "settings": ("AdoptBy", "Clock", "IfExists", "IngestSettings", "Redo", "Transfer"),
    "transfer": ("Ingested", "describe", "ingest", "send_asset"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AdoptBy",
    "Asset",
    "AssetError",
    "AssetRef",
    "AssetState",
    "Clock",
    "EntryMetadata",
    "IfExists",
    "IngestSettings",
    "Ingested",
    "Kind",
    "Leftover",
    "LocalReceipts",
    "MarkLostError",
    "ReceiptSink",
    "Redo",
    "S3Receipts",
    "Sidecar",
    "SidecarError",
    "SidecarKind",
    "SidecarRef",
    "Transfer",
    "asset_id",
    "asset_mark",
    "attach_sidecar",
    "canonical_uri",
    "confirm",
    "content_id",
    "content_mark",
    "describe",
    "extension_of",
    "find_leftovers",
    "ingest",
    "kind_of",
    "parse_token_name",
    "prepare",
    "receipt",
    "receipt_path",
    "record_refusal",
    "reference_for",
    "refused_mark",
    "remove_leftovers",
    "run_path",
    "send_asset",
    "token_file_name",
    "write_receipt",
    "write_run",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
