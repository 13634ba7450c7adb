"""Select the media below an S3 prefix. Every object is either taken or left out for a reason."""

from __future__ import annotations

import datetime as dt
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaltura_provider.feeds.sources.drop_folder import FLAVOR, has_renditions, match_names
from kaltura_provider.feeds.sources.found import Found, FoundItem
from kaltura_provider.feeds.sources.grouping import (
    UNDEFINED,
    Group,
    group_by_stem,
    is_film,
    is_orphan,
    metadata_file_of,
    missing_files,
    sidecars_of,
    with_renditions,
)
from kaltura_provider.feeds.sources.listing import UNKNOWN, Selection, select
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kaltura_provider.feeds.sources.found import Search
    from kaltura_provider.hooks.listing import S3Object

__all__ = ["NOT_MATCHED", "ORPHAN", "Selecting", "media_of", "object_with_sidecars", "objects_below"]

NOT_MATCHED = "do not match source.match"
ORPHAN = "captions and metadata without a media file"

# What to do about a file that does not come, by whether it is the source of renditions.
_ADVICE = {
    False: " (source.wait_for)",
    True: "; store the source beside its renditions, without a flavor in its name",
}


@dataclass(frozen=True, slots=True)
class Selecting:
    """How a source selects and groups the objects below its prefix.

    :param include: patterns for the part of the key after the prefix. An object must match at least one.
    :param exclude: patterns for the same part. An object must match none.
    :param group_by: ``stem``, or ``none`` if each object is an item of its own.
    :param caption_language: of captions whose file names give none.
    :param wait_for: patterns for the files that an item must have.
    :param wait_at_most: how long it may lack one of them, from its newest file on.
    :param match: a pattern for file names, as of a drop folder.
    """

    include: Sequence[str] = ("*",)
    exclude: Sequence[str] = ()
    group_by: str = "stem"
    caption_language: str = UNDEFINED
    wait_for: Sequence[str] = ()
    wait_at_most: dt.timedelta = dt.timedelta(days=1)
    match: str | None = None

    def groups(self, objects: Iterable[S3Object], uri: str) -> list[Group]:
        """Return the items of a listing of ``uri``, each with its sidecar files.

        :raises ValueError: ``match`` takes too long.
        """
        if self.group_by == "none":
            return [Group(item) for item in objects]
        prefix = _prefix(uri)
        groups = group_by_stem(objects, prefix, self.include, self.exclude)
        if not has_renditions(self.match):
            return groups
        films: list[Group] = []
        others: list[Group] = []
        for group in groups:
            (films if is_film(group.item, prefix, self.include, self.exclude) else others).append(group)
        found = with_renditions(films, _matched([group.item for group in films], self.match))
        return sorted((*others, *found), key=lambda group: group.item.key)

    def leaves_out(self, group: Group, prefix: str) -> bool:
        """Tell whether an object is a sidecar file whose media file is not there."""
        return self.group_by != "none" and is_orphan(group, prefix, self.include)


def objects_below(uri: str, selecting: Selecting, search: Search) -> Found:
    """List a prefix and select the items that a run takes, in the order of their keys.

    :param uri: ``s3://bucket/prefix``.
    :raises SourceError: the bucket does not exist or cannot be listed.
    """
    from kaltura_provider.hooks.listing import list_s3

    bucket, prefix = bucket_and_key(uri)
    objects = list_s3(bucket, prefix, aws_conn_id=search.aws_conn_id)
    return media_of(selecting.groups(objects, uri), uri, selecting, search)


def object_with_sidecars(uri: str, search: Search) -> FoundItem | str | None:
    """Return one object with the sidecar files beside it, by the rule of ``group_by: stem``.

    :param uri: ``s3://bucket/key``.
    :return: the item, the key of the media file whose sidecar the object is, or ``None`` if it is not there.
    :raises SourceError: the bucket does not exist or cannot be listed.
    """
    from kaltura_provider.hooks.listing import list_s3

    bucket, key = bucket_and_key(uri)
    selecting = Selecting()
    # The media file of a sidecar file has a shorter name: talk.mp4 and talk.en.srt.
    folder, name = posixpath.split(key)
    stem = posixpath.join(folder, name.partition(".")[0])
    groups = selecting.groups(list_s3(bucket, f"{stem}.", aws_conn_id=search.aws_conn_id), f"s3://{bucket}/")
    for group in groups:
        if group.item.key == key:
            return _item(group, {}, selecting, search)
        if any(sidecar.item.key == key for sidecar in group.sidecars):
            return group.item.key
    return None


def media_of(groups: Iterable[Group], uri: str, selecting: Selecting, search: Search) -> Found:
    """Select the items that a run takes from the groups of a listing of ``uri``.

    :raises ValueError: ``match`` takes too long.
    """
    prefix = _prefix(uri)
    beside = {group.item.key: group for group in groups}
    orphans = [group.item.key for group in beside.values() if selecting.leaves_out(group, prefix)]
    candidates = [group.item for key, group in beside.items() if key not in set(orphans)]
    selection = select(candidates, prefix, selecting.include, selecting.exclude)
    strange = _strange(selection, prefix, search)
    kind = {"media_type": "data"} if search.unknown_files == "data" else {}
    found = Found(f"below {uri}", left_out=selection.left_out)
    if orphans:
        found.left_out[ORPHAN] += [key[len(prefix) :].lstrip("/") for key in orphans]
    taken = sorted(selection.taken, key=lambda item: item.key)
    for item, fields in zip(taken, _matched(taken, selecting.match), strict=True):
        if fields is None:
            found.left_out[NOT_MATCHED].append(item.key[len(prefix) :].lstrip("/"))
            continue
        of_entry = {name: value for name, value in fields.items() if name != FLAVOR}
        metadata = {**(kind if item.uri in strange else {}), **of_entry}
        found.items.append(_item(beside[item.key], metadata, selecting, search))
    if selection.idle and found.looked_at and not found.items:
        patterns = ", ".join(selection.idle)
        found.warnings.append(
            f"No object matches the include patterns {patterns}. Patterns apply to the part of the key after {uri}."
        )
    return found


def _matched(taken: Sequence[S3Object], match: str | None) -> Sequence[Mapping[str, str] | None]:
    if match is None:
        return [{}] * len(taken)
    return match_names(match, [posixpath.basename(item.key) for item in taken])


def _item(group: Group, metadata: Mapping[str, Any], selecting: Selecting, search: Search) -> FoundItem:
    item = group.item
    waiting, error = "", f"{item.uri}: {group.problem}" if group.problem else ""
    newest = max((one.modified for one in group.objects if one.modified), default=None)
    if (missing := missing_files(group, selecting.wait_for)) and not error:
        deadline = (newest or search.now) + selecting.wait_at_most
        waiting = f"waits for {', '.join(missing)} until {deadline:%Y-%m-%d %H:%M:%S %Z}"
        if search.now >= deadline:
            waiting, error = "", f"{item.uri}: {waiting}, and no such file is there{_ADVICE[group.lacks_source]}"
    elif archived := next((one for one in group.media if one.archived), None):
        which = "" if archived is item else f"{archived.uri} "
        waiting = f"{which}is archived in {archived.storage_class}; restore it to have it ingested"
    return FoundItem(
        item.uri,
        metadata,
        item.size,
        item.etag,
        item.modified,
        newest=newest,
        waiting=waiting,
        error=error,
        metadata_file=metadata_file_of(group),
        sidecars=tuple(sidecars_of(group, selecting.caption_language)),
    )


def _prefix(uri: str) -> str:
    return bucket_and_key(uri)[1]


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
