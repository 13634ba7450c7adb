"""Marks: the adminTags that say which item an entry is, which bytes it holds, and who made it."""

from __future__ import annotations

from kaltura_provider.ingest.identity import PREFIX, digest

__all__ = [
    "ADOPTED_MARK",
    "MADE_MARK",
    "content_mark",
    "import_mark",
    "item_mark",
    "metadata_mark",
    "pending_mark",
    "refused_mark",
    "released_mark",
    "run_mark",
    "sidecars_mark",
]

MADE_MARK = PREFIX
"""On every entry that this package made. Housekeeping searches for it."""
ADOPTED_MARK = f"{PREFIX}:adopted"
"""On entries of others that this package took over. It never deletes them."""


def item_mark(item_id: str) -> str:
    """Return the mark that says which item an entry is."""
    return f"{PREFIX}:a:{item_id}"


def content_mark(content_id: str) -> str:
    """Return the mark that says which bytes an entry holds. It is written after they are verified."""
    return f"{PREFIX}:c:{content_id}"


def pending_mark(content_id: str) -> str:
    """Return the mark that says which bytes are being uploaded to an entry."""
    return f"{PREFIX}:p:{content_id}"


def import_mark(content_id: str) -> str:
    """Return the mark that says which bytes Kaltura was asked to fetch."""
    return f"{PREFIX}:i:{content_id}"


def refused_mark(content_id: str) -> str:
    """Return the mark that says Kaltura refused the file type of these bytes."""
    return f"{PREFIX}:refused:{content_id}"


def released_mark(item_id: str) -> str:
    """Return the mark of an empty entry of this item that is about to be deleted.

    It takes the place of the item mark, so that the entry is not mistaken for one that a person deleted.
    """
    return f"{PREFIX}:x:{item_id}"


def run_mark(run: str) -> str:
    """Return the mark that says which run gave an entry its first content. ``run`` may be any text."""
    return f"{PREFIX}:r:{digest('run', run)[:12]}"


def sidecars_mark(sidecars: str) -> str:
    """Return the mark that says which sidecar files were attached to an entry; ``sidecars`` is their digest."""
    return f"{PREFIX}:s:{sidecars}"


def metadata_mark(metadata: str) -> str:
    """Return the mark that says which metadata of its source an entry was given; ``metadata`` is its digest."""
    return f"{PREFIX}:m:{metadata}"
