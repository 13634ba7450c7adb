"""Select the media below an S3 prefix. Every object is either taken or left out for a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.feeds.listing import UNKNOWN, Selection, select
from kaltura_provider.feeds.sources.found import Found, FoundItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.feeds.sources.found import Search
    from kaltura_provider.hooks.listing import S3Object

__all__ = ["media_of", "objects_below"]


def objects_below(uri: str, include: Sequence[str], exclude: Sequence[str], search: Search) -> Found:
    """List a prefix and select the objects that a run takes, in the order of their keys.

    :param uri: ``s3://bucket/prefix``.
    :param include: patterns for the part of the key after the prefix. An object must match at least one.
    :param exclude: patterns for the same part. An object must match none.
    :raises SourceError: the bucket does not exist or cannot be listed.
    """
    from kaltura_provider.hooks.listing import list_s3

    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return media_of(list_s3(bucket, prefix, aws_conn_id=search.aws_conn_id), uri, include, exclude, search)


def media_of(
    objects: Iterable[S3Object], uri: str, include: Sequence[str], exclude: Sequence[str], search: Search
) -> Found:
    """Select the objects that a run takes from a listing of ``uri``; see :func:`objects_below`."""
    prefix = uri.removeprefix("s3://").partition("/")[2]
    selection = select(objects, prefix, include, exclude)
    strange = _strange(selection, prefix, search)
    kind = {"media_type": "data"} if search.unknown_files == "data" else {}
    found = Found(f"below {uri}", left_out=selection.left_out)
    for item in sorted(selection.taken, key=lambda item: item.key):
        own = kind if item.uri in strange else {}
        found.items.append(FoundItem(item.uri, own, item.size, item.etag, item.modified))
    if selection.idle and found.looked_at:
        patterns = ", ".join(selection.idle)
        found.warnings.append(
            f"No object matches the include patterns {patterns}. Patterns apply to the part of the key after {uri}."
        )
    return found


def _strange(selection: Selection, prefix: str, search: Search) -> set[str]:
    """Read the first bytes of objects whose names do not give a type. Return the ones that are not media."""
    from kaltura_provider.hooks.listing import first_bytes
    from kaltura_provider.services.entry.content_kind import HEAD_LENGTH, kind_of_content

    unsure, selection.unsure = selection.unsure, []
    if not unsure or search.kind_known:
        selection.taken += unsure
        return set()
    heads = first_bytes(unsure, HEAD_LENGTH, aws_conn_id=search.aws_conn_id)
    strange = set()
    for item, head in zip(unsure, heads, strict=True):
        # An object that cannot be read is taken, so that its task fails with the reason.
        is_strange = head is not None and kind_of_content(head) in (None, "data")
        if is_strange and search.unknown_files == "ignore":
            selection.left_out[UNKNOWN].append(item.key[len(prefix) :].lstrip("/"))
            continue
        selection.taken.append(item)
        if is_strange:
            strange.add(item.uri)
    return strange
