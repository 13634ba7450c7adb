"""Image entries, whose file belongs to the entry itself: they have no flavors and no conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.picture import picture_size
from kaltura_sandbox.entries.types import ERROR_IMPORTING, READY

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.uploads.attach import File

__all__ = ["set_image"]


def set_image(account: Account, entry: Record, file: File) -> None:
    """Make a file the picture of an image entry: READY at once, unless it holds script."""
    version = store.next_content_version(entry.get("version"))
    path = account.files.keep(file.path, entry["id"], version, file.extension)
    if _unsafe(path.read_bytes()[:4096]):
        store.change(account, entry["id"], status=ERROR_IMPORTING)
        return
    found = picture_size(path)
    size = {"width": found[0], "height": found[1]} if found else {}
    store.change(
        account,
        entry["id"],
        status=READY,
        version=version,
        _thumb_version=version,
        _path=str(path),
        **size,
    )


def _unsafe(head: bytes) -> bool:
    lowered = head.lower()
    return (b"<svg" in lowered or b"<?xml" in lowered) and (b"<script" in lowered or b"<!entity" in lowered)
