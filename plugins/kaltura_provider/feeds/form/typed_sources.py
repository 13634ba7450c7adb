"""Read the sources that a user typed, one per line: check them, remove repetitions, and list folders."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.feeds.fields.addresses import address_problem, comparable_address
from kaltura_provider.feeds.form.s3_urls import plain_address
from kaltura_provider.feeds.sources.listing import examples
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.feeds.sources import FoundItem

__all__ = ["typed_sources"]


_MAX_PROBLEMS = 10
_COUNTED = 10_000
_LISTINGS_AT_ONCE = 8

log = logging.getLogger(__name__)


def typed_sources(
    lines: Sequence[str], *, recursive: bool, aws_conn_id: str, sidecars: bool = False
) -> list[FoundItem]:
    """Return the addresses in lines of text, without repetitions, in order. Empty lines are ignored.

    :param recursive: whether an S3 folder, ``s3://bucket/folder/``, means all objects below it.
    :param sidecars: whether the sidecar files beside an S3 object belong to it, as in a feed with ``group_by: stem``.
    :raises KalturaConfigurationError: a line is not a source, or there are no sources. The message names the lines.
    :raises SourceError: a folder cannot be listed.
    """
    typed = [(number, plain_address(line.strip())) for number, line in enumerate(lines, 1) if line.strip()]
    problems = [f"line {number}: {problem}" for number, line in typed if (problem := address_problem(line))]
    if problems:
        more = [f"and {len(problems) - _MAX_PROBLEMS} more lines"] if len(problems) > _MAX_PROBLEMS else []
        text = "; ".join(problems[:_MAX_PROBLEMS] + more)
        raise KalturaConfigurationError("sources", None, f"cannot all be read: {text}", f"write {_examples()}")
    if not typed:
        raise KalturaConfigurationError("sources", None, "are missing", f"write {_examples()}, one per line")
    return _each_once(typed, recursive=recursive, aws_conn_id=aws_conn_id, sidecars=sidecars)


def _examples() -> str:
    from kaltura_provider.hooks.local_files import folder_policy

    local = " or file:///path" if folder_policy().folders else ""
    return f"s3://bucket/key, https://...{local}"


def _each_once(
    typed: Sequence[tuple[int, str]], *, recursive: bool, aws_conn_id: str, sidecars: bool
) -> list[FoundItem]:
    from kaltura_provider.feeds.sources import FoundItem
    from kaltura_provider.hooks.sources import shown_address

    beside = _with_sidecars(typed, aws_conn_id) if sidecars else {}
    found: dict[str, FoundItem] = {}
    for number, line in typed:
        if _is_folder(line):
            items = _below(number, line, aws_conn_id, recursive=recursive, sidecars=sidecars)
        else:
            items = [beside.get(number) or FoundItem(line)]
        for item in items:
            same = comparable_address(item.uri)
            if same in found:
                log.warning("Line %d repeats %s, which is ingested once.", number, shown_address(item.uri))
            if same not in found or (found[same].size is None and item.size is not None):
                found[same] = item
    return list(found.values())


def _is_folder(line: str) -> bool:
    return line.startswith("s3://") and (line.endswith("/") or "/" not in line[5:])


def _with_sidecars(typed: Sequence[tuple[int, str]], aws_conn_id: str) -> dict[int, FoundItem]:
    """Return the S3 objects with their sidecar files, by line. Objects that are not there are left out.

    :raises KalturaConfigurationError: a line names a sidecar file. The message names the lines.
    """
    from kaltura_provider.api.threads import in_threads
    from kaltura_provider.feeds.sources import Search
    from kaltura_provider.feeds.sources.s3_objects import object_with_sidecars
    from kaltura_provider.hooks.sources import shown_address

    lines = [(number, line) for number, line in typed if line.startswith("s3://") and not _is_folder(line)]
    search = Search(aws_conn_id=aws_conn_id)
    seen = in_threads(lambda pair: object_with_sidecars(pair[1], search), lines, workers=_LISTINGS_AT_ONCE)
    problems = [
        f"line {number}: {shown_address(line)} is a sidecar file of {shown_address(one)}"
        for (number, line), one in zip(lines, seen, strict=True)
        if isinstance(one, str)
    ]
    if problems:
        more = [f"and {len(problems) - _MAX_PROBLEMS} more lines"] if len(problems) > _MAX_PROBLEMS else []
        text = "; ".join(problems[:_MAX_PROBLEMS] + more)
        fix = "leave these lines out, or switch 'Take sidecar files' off"
        raise KalturaConfigurationError("sources", None, f"name sidecar files: {text}", fix)
    return {number: one for (number, _), one in zip(lines, seen, strict=True) if one and not isinstance(one, str)}


def _below(number: int, folder: str, aws_conn_id: str, *, recursive: bool, sidecars: bool) -> list[FoundItem]:
    """Return the media below an S3 folder."""
    from kaltura_provider.feeds.sources import Search
    from kaltura_provider.feeds.sources.s3_objects import Selecting, objects_below
    from kaltura_provider.hooks.listing import list_s3

    if recursive:
        found = objects_below(
            folder, Selecting(group_by="stem" if sidecars else "none"), Search(aws_conn_id=aws_conn_id)
        )
        for reason, paths in found.left_out.items():
            log.info("Line %d: left out of %s: %d %s: %s.", number, folder, len(paths), reason, examples(paths))
        log.info("Line %d: %s holds %d objects to ingest.", number, folder, len(found.items))
        return found.items
    bucket, prefix = bucket_and_key(folder)
    objects = list_s3(bucket, prefix, aws_conn_id=aws_conn_id)
    count = sum(not item.key.endswith("/") for item in islice(objects, _COUNTED + 1))
    many = f"more than {_COUNTED:,} objects" if count > _COUNTED else f"{count:,} object{'s' * (count != 1)}"
    raise KalturaConfigurationError(
        "sources",
        None,
        f"name a folder in line {number}: {folder} holds {many}",
        "switch on 'Include folders' to ingest all of them, name single objects, or write a feed for the folder",
    )
