"""Receipts: one small JSON object an asset, rewritten whole, and one line an asset for each run.

Where they go is handed in as a sink, so that a local path, S3 or anything else can take them.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kaltura_provider.ingest.addresses import shown_address
from kaltura_provider.ingest.identity import FORMULA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kaltura_provider.ingest.model import ItemRef
    from kaltura_provider.upload.result import UploadResult

__all__ = [
    "LocalReceipts",
    "ReceiptSink",
    "S3Receipts",
    "receipt",
    "receipt_path",
    "run_path",
    "write_receipt",
    "write_run",
]

VERSION = 1
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class ReceiptSink(Protocol):
    """Takes receipts; ``path`` is relative, with ``/`` between its parts."""

    def write(self, path: str, content: bytes) -> str:
        """Store ``content`` whole at ``path``, in place of what was there, and return where it is."""


@dataclass(frozen=True, slots=True)
class LocalReceipts:
    """Receipts below a local folder. A reader never sees half of one."""

    root: Path | str

    def write(self, path: str, content: bytes) -> str:
        """Write beside the place first and then rename; raises :class:`OSError`."""
        target = Path(self.root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            part.write_bytes(content)
            part.replace(target)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
        return str(target)


@dataclass(frozen=True, slots=True)
class S3Receipts:
    """Receipts below a prefix of a bucket, through the S3 client that is handed in (an object is written whole)."""

    client: Any
    bucket: str
    prefix: str = ""

    def write(self, path: str, content: bytes) -> str:
        """Put the object; raises what the client raises."""
        key = "/".join(part for part in (self.prefix.strip("/"), path) if part)
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType="application/json")
        return f"s3://{self.bucket}/{key}"


def _safe(text: str) -> str:
    safe = _UNSAFE.sub("-", text).strip(".-")
    if not safe:
        raise ValueError(f"{text!r} cannot be part of a receipt's path: use letters, digits, '.', '_' and '-'")
    return safe


def receipt_path(feed: str, date: str, asset: str) -> str:
    """Return ``<feed>/<date>/<asset>.json``; raises :class:`ValueError` for a part without a letter or digit."""
    return f"{_safe(feed)}/{_safe(date)}/{_safe(asset)}.json"


def run_path(feed: str, run_id: str) -> str:
    """Return ``<feed>/runs/<run>.jsonl``; raises as :func:`receipt_path`."""
    return f"{_safe(feed)}/runs/{_safe(run_id)}.jsonl"


def receipt(
    ref: ItemRef,
    *,
    feed: str,
    date: str,
    run_id: str | None = None,
    upload: UploadResult | None = None,
    flavors: Sequence[Any] = (),
    urls: Mapping[str, str] | None = None,
    attempts: int | None = None,
    seconds: float | None = None,
    finished_at: float | None = None,
) -> dict[str, Any]:
    """Return the receipt of one asset, without what is not known.

    ``bytes`` are the source's size and those sent by this run; ``found`` says that the entry was there before.
    ``crc32c`` is base64 as S3 prints it, ``crc32c_note`` why it is missing. Times are UNIX seconds.
    """
    sent: dict[str, Any] = {}
    if upload is not None:
        sent = {
            "crc32c": upload.crc32c,
            "crc32c_note": upload.crc32c_note,
            "sha256": upload.sha256,
            "bytes_sent": upload.bytes_sent,
            "resumed_from": upload.resumed_from,
            "upload_seconds": round(upload.seconds, 3),
        }
    error = ref.error
    values = {
        "version": VERSION,
        "formula": FORMULA,
        "feed": feed,
        "date": date,
        "run_id": run_id,
        "uri": shown_address(ref.uri),
        "name": ref.name,
        "kind": ref.kind.value,
        "asset": ref.asset,
        "content": ref.content,
        "bytes": ref.size,
        **sent,
        "state": ref.state.value,
        "found": ref.entry_id is not None and not ref.made,
        "token_id": ref.token_id,
        "entry_id": ref.entry_id,
        "entry_status": ref.entry_status,
        "flavors": list(flavors) or None,
        "urls": dict(urls) if urls else None,
        "attempts": attempts,
        "seconds": round(seconds, 3) if seconds is not None else None,
        "finished_at": finished_at,
        "note": ref.note,
        "error": None
        if error is None
        else {"kind": error.kind, "message": error.message, "retry_helps": error.retry_helps, "code": error.code},
    }
    return {name: value for name, value in values.items() if value is not None}


def write_receipt(sink: ReceiptSink, values: Mapping[str, Any]) -> str:
    """Write one asset's receipt and return where it is; raises what the sink raises."""
    path = receipt_path(str(values["feed"]), str(values["date"]), str(values["asset"]))
    return sink.write(path, (json.dumps(values, indent=2, sort_keys=True) + "\n").encode())


def write_run(sink: ReceiptSink, feed: str, run_id: str, receipts: Iterable[Mapping[str, Any]]) -> str:
    """Write a run's receipts, one a line, and return where they are; raises what the sink raises."""
    lines = "".join(json.dumps(values, sort_keys=True) + "\n" for values in receipts)
    return sink.write(run_path(feed, run_id), lines.encode())
