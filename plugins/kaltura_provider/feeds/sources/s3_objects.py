"""Select the media below an S3 prefix. Every object is either taken or left out for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.feeds.grouping import UNDEFINED, Group, group_by_stem, metadata_file_of, sidecars_of
from kaltura_provider.feeds.listing import UNKNOWN, Selection, select
from kaltura_provider.feeds.sources.found import Found, FoundItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.feeds.sources.found import Search
    from kaltura_provider.hooks.listing import S3Object

__all__ = ["Selecting", "media_of", "objects_below"]


@dataclass(frozen=True, slots=True)
class Selecting:
    """How a source selects and groups the objects below its prefix.

    :param include: patterns for the part of the key after the prefix. An object must match at least one.
    :param exclude: patterns for the same part. An object must match none.
    :param group_by: ``stem``, or ``none`` if each object is an item of its own.
    :param caption_language: of captions whose file names give none.
    """

    include: Sequence[str] = ("*",)
    exclude: Sequence[str] = ()
    group_by: str = "stem"
    caption_language: str = UNDEFINED

    def groups(self, objects: Iterable[S3Object], uri: str) -> list[Group]:
        """Return the items of a listing of ``uri``, each with its sidecar files."""
        if self.group_by == "none":
            return [Group(item) for item in objects]
        return group_by_stem(objects, _prefix(uri), self.include, self.exclude)


def objects_below(uri: str, selecting: Selecting, search: Search) -> Found:
    """List a prefix and select the items that a run takes, in the order of their keys.

    :param uri: ``s3://bucket/prefix``.
    :raises SourceError: the bucket does not exist or cannot be listed.
    """
    from kaltura_provider.hooks.listing import list_s3

    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    objects = list_s3(bucket, prefix, aws_conn_id=search.aws_conn_id)
    return media_of(selecting.groups(objects, uri), uri, selecting, search)


def media_of(groups: Iterable[Group], uri: str, selecting: Selecting, search: Search) -> Found:
    """Select the items that a run takes from the groups of a listing of ``uri``."""
    groups = list(groups)
    beside = {group.item.key: group for group in groups}
    prefix = _prefix(uri)
    selection = select([group.item for group in groups], prefix, selecting.include, selecting.exclude)
    strange = _strange(selection, prefix, search)
    kind = {"media_type": "data"} if search.unknown_files == "data" else {}
    found = Found(f"below {uri}", left_out=selection.left_out)
    for item in sorted(selection.taken, key=lambda item: item.key):
        group = beside[item.key]
        found.items.append(
            FoundItem(
                item.uri,
                kind if item.uri in strange else {},
                item.size,
                item.etag,
                item.modified,
                metadata_file=metadata_file_of(group),
                sidecars=tuple(sidecars_of(group, selecting.caption_language)),
            )
        )
    if selection.idle and found.looked_at:
        patterns = ", ".join(selection.idle)
        found.warnings.append(
            f"No object matches the include patterns {patterns}. Patterns apply to the part of the key after {uri}."
        )
    return found


def _prefix(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[2]


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
