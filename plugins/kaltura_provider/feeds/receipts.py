"""The receipts of a run: one object an asset, one line an asset in the run's own file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaltura_provider.hooks.connection import KalturaAccount
    from kaltura_provider.ingest.receipts import ReceiptSink

__all__ = ["write_receipts"]


def write_receipts(
    sink: ReceiptSink,
    refs: Iterable[dict[str, Any]],
    account: KalturaAccount,
    *,
    feed: str,
    date: str,
    run_id: str,
) -> str:
    """Write a run's receipts and return where the run's file is.

    :param refs: asset references as the last task has them; failed ones that were never opened have no identity, and
        only a line in the run's file.
    :raises Exception: what the sink raises.
    """
    from kaltura_provider.ingest.model import ItemRef
    from kaltura_provider.ingest.receipts import receipt, write_receipt, write_run
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
        )
        lines.append(line)
        if ref.asset:
            write_receipt(sink, line)
    return write_run(sink, feed, run_id, lines)


def _urls(account: KalturaAccount, entry_id: str) -> dict[str, str]:
    return {
        "console": account.entry_url(entry_id),
        "playback": account.playback_url(entry_id),
        "thumbnail": account.thumbnail_url(entry_id),
    }
