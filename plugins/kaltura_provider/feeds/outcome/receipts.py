"""The receipts of a run: one JSON object per item, and one line per item in the run's own file."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import EntryStatus, named_status
from kaltura_provider.feeds.state.stored_version import check_version
from kaltura_provider.ingest.identity import FORMULA
from kaltura_provider.upload.sources.address import shown_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kaltura_provider.hooks.connection import KalturaAccount
    from kaltura_provider.hooks.destination import Destination
    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.upload.result import UploadResult

__all__ = [
    "RUN_ENDING",
    "receipt",
    "read_receipt",
    "receipt_path",
    "run_path",
    "runs_folder",
    "write_receipt",
    "write_receipts",
    "write_run",
]

VERSION = 2
"""Version 1 called ``item_id``, ``content_id`` and ``status_number`` by other names."""
_FORMER = {"asset": "item_id", "content": "content_id", "entry_status": "status_number"}
RUN_ENDING = ".jsonl"
"""What the name of a run's file ends with."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def write_receipts(
    sink: Destination,
    refs: Iterable[dict[str, Any]],
    account: KalturaAccount,
    *,
    feed: str,
    date: str,
    run_id: str,
    window: tuple[str, str] | None = None,
    lost: Iterable[Mapping[str, Any]] = (),
    identities: Mapping[str, str] | None = None,
) -> str:
    """Write a run's receipts and return the location of the run's file.

    :param refs: item references of the last task. An item that failed before its source was opened gets a line in the
        run's file only.
    :param window: start and end of the interval that the run ingests, in ISO 8601.
    :param lost: failed items of which no task left a reference: ``{"uri", "step", "reason", "retry_helps"}``. They get
        a line in the run's file only.
    :param identities: the item ids of these items, which their references do not have, by address. Addresses that
        differ in the values of their query look the same in a receipt.
    :raises Exception: whatever the sink raises.
    """
    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.upload.result import UploadResult

    lines = []
    for values in refs:
        ref = ItemRef.from_dict(values)
        upload = values.get("upload")
        line = receipt(
            ref,
            feed=feed,
            date=date,
            run_id=run_id,
            upload=UploadResult(**upload) if upload else None,
            flavors=values.get("flavors", ()),
            urls=_urls(account, ref.entry_id) if ref.entry_id else None,
            attempts=values.get("attempts"),
            seconds=values.get("seconds"),
            finished_at=round(time.time(), 3),
            window=window,
        )
        lines.append(line if ref.item_id else {**line, **_identified(values["uri"], identities)})
        # An item that was complete before this run has a receipt of an earlier run, which has more details.
        if ref.item_id and values.get("last_step") != "discover":
            write_receipt(sink, line)
    said = {"version": VERSION, "feed": feed, "date": date, "run_id": run_id, **_window(window)}
    lines += [{**said, **_lost(item), **_identified(item["uri"], identities)} for item in lost]
    return write_run(sink, feed, date, run_id, lines)


def _identified(uri: str, identities: Mapping[str, str] | None) -> dict[str, str]:
    known = (identities or {}).get(uri)
    return {"item_id": known} if known else {}


def _window(window: tuple[str, str] | None) -> dict[str, str]:
    return {"window_start": window[0], "window_end": window[1]} if window else {}


def _lost(item: Mapping[str, Any]) -> dict[str, Any]:
    error = {"kind": item["step"], "message": item["reason"], "retry_helps": item["retry_helps"], "code": None}
    finished_at = round(time.time(), 3)
    return {"uri": shown_address(item["uri"]), "state": "failed", "found": False, "finished_at": finished_at} | {
        "error": error
    }


def _urls(account: KalturaAccount, entry_id: str) -> dict[str, str]:
    return {
        "console": account.entry_url(entry_id),
        "playback": account.playback_url(entry_id),
        "thumbnail": account.thumbnail_url(entry_id),
    }


def _safe(text: str) -> str:
    safe = _UNSAFE.sub("-", text).strip(".-")
    if not safe:
        raise ValueError(f"{text!r} cannot be part of a receipt's path: use letters, digits, '.', '_' and '-'")
    return safe


def receipt_path(feed: str, date: str, item_id: str) -> str:
    """Return ``<feed>/<date>/<item id>.json``; raises :class:`ValueError` for a part without a letter or digit."""
    return f"{_safe(feed)}/{_safe(date)}/{_safe(item_id)}.json"


def runs_folder(feed: str, date: str) -> str:
    """Return ``<feed>/runs/<date>/``, where the files of the runs of a date are; raises as :func:`receipt_path`."""
    return f"{_safe(feed)}/runs/{_safe(date)}/"


def run_path(feed: str, date: str, run_id: str) -> str:
    """Return ``<feed>/runs/<date>/<run>.jsonl``; raises as :func:`receipt_path`."""
    return f"{runs_folder(feed, date)}{_safe(run_id)}{RUN_ENDING}"


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
    window: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return the receipt of one item, without unknown values.

    ``date`` and ``window`` say which interval the run ingested. ``bytes`` is the size of the source, ``bytes_sent`` the
    bytes sent by this run. ``found`` is true if the entry existed before. ``crc32c`` is Base64 as S3 shows it;
    ``crc32c_note`` says why it is missing. Times are UNIX seconds.
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
        **_window(window),
        "run_id": run_id,
        "uri": shown_address(ref.uri),
        "name": ref.name,
        "kind": ref.kind.value,
        "item_id": ref.item_id,
        "content_id": ref.content_id,
        "bytes": ref.size,
        **sent,
        "state": ref.state.value,
        "found": ref.entry_id is not None and not ref.made,
        "token_id": ref.token_id,
        "entry_id": ref.entry_id,
        **named_status(EntryStatus, ref.entry_status),
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


def read_receipt(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a receipt as :func:`receipt` makes it, whichever version of this package wrote it.

    :raises NewerData: a newer one did.
    """
    if check_version(values, VERSION, "receipt") == VERSION:
        return dict(values)
    read = {_FORMER.get(name, name): value for name, value in values.items()}
    return read | named_status(EntryStatus, read.get("status_number")) | {"version": VERSION}


def write_receipt(sink: Destination, values: Mapping[str, Any]) -> str:
    """Write one item's receipt and return its location; raises whatever the sink raises."""
    path = receipt_path(str(values["feed"]), str(values["date"]), str(values["item_id"]))
    return sink.write(path, (json.dumps(values, indent=2, sort_keys=True) + "\n").encode())


def write_run(sink: Destination, feed: str, date: str, run_id: str, receipts: Iterable[Mapping[str, Any]]) -> str:
    """Write a run's receipts, one per line, and return their location; raises whatever the sink raises."""
    lines = "".join(json.dumps(values, sort_keys=True) + "\n" for values in receipts)
    return sink.write(run_path(feed, date, run_id), lines.encode())
