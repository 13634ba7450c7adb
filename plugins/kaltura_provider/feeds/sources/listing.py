"""Select which listed objects a run takes, and give a reason for each of the others."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaltura_provider.feeds.fields.patterns import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.hooks.listing import S3Object

__all__ = [
    "EXCLUDED",
    "FOLDER",
    "MARKER",
    "NOT_INCLUDED",
    "PLACEHOLDER",
    "UNKNOWN",
    "Selection",
    "examples",
    "left_out_reason",
    "path_below",
    "select",
]

FOLDER = "folder placeholders"
MARKER = "marker files of other programs"
NOT_INCLUDED = "match no include pattern"
EXCLUDED = "match an exclude pattern"
PLACEHOLDER = "empty files of unknown types"
UNKNOWN = "files of unknown types, unknown_files: ignore"

# Files of Spark, Hadoop, macOS, Windows and Git, and notes that people leave.
_MARKERS = re.compile(
    r"_success|_started.*|_committed.*|_temporary|\.ds_store|\._.*|\.apdisk|thumbs\.db|ehthumbs\.db"
    r"|desktop\.ini|\.keep|\.gitkeep|\.gitignore|readme(\.(md|txt|rst|html?))?"
)
_MARKER_FOLDERS = re.compile(r"(^|/)(__macosx|_temporary|\.spotlight-v100|\.trashes|\.fseventsd)/")

_MAX_EXAMPLES = 10


@dataclass
class Selection:
    """The listed objects, sorted by what a run does with them.

    :param taken: objects of known types.
    :param unsure: objects whose names do not give a type, so their first bytes decide.
    :param left_out: the paths of all other objects, by reason.
    :param idle: the include patterns that match no object.
    """

    taken: list[S3Object] = field(default_factory=list)
    unsure: list[S3Object] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    idle: list[str] = field(default_factory=list)

    @property
    def listed(self) -> int:
        """The number of listed objects."""
        return len(self.taken) + len(self.unsure) + sum(map(len, self.left_out.values()))


def select(objects: Iterable[S3Object], prefix: str, include: Sequence[str], exclude: Sequence[str]) -> Selection:
    """Decide on each object by its key and size.

    :param prefix: the listed prefix. Patterns apply to the part of the key after it.
    :raises ValueError: a pattern stands for too many alternatives.
    """
    selection = Selection()
    idle = dict.fromkeys(include)
    for item in objects:
        path = path_below(item, prefix)
        matching = [pattern for pattern in include if matches(path, pattern)]
        for pattern in matching:
            idle.pop(pattern, None)
        if reason := left_out_reason(item, path, included=bool(matching), exclude=exclude):
            selection.left_out[reason].append(path)
        elif _is_known(path):
            selection.taken.append(item)
        else:
            selection.unsure.append(item)
    selection.idle = list(idle)
    return selection


def path_below(item: S3Object, prefix: str) -> str:
    """Return the part of an object's key after a prefix, which patterns apply to."""
    return item.key[len(prefix) :].lstrip("/") or posixpath.basename(item.key) or item.key


def left_out_reason(item: S3Object, path: str, *, included: bool, exclude: Sequence[str]) -> str | None:
    """Return why an object is left out, if it is.

    :param path: the part of its key after the prefix. :param included: whether it matches an ``include`` pattern.
    """
    if item.key.endswith("/"):
        return FOLDER
    if _is_marker(path.lower()):
        return MARKER
    if not included:
        return NOT_INCLUDED
    if any(matches(path, pattern) for pattern in exclude):
        return EXCLUDED
    # An empty media file is an error that somebody should see, so it is taken and fails.
    return PLACEHOLDER if item.size == 0 and not _is_known(path) else None


def _is_marker(path: str) -> bool:
    """Return whether a file is a marker or a note instead of content. ``path`` is in lower case."""
    name = posixpath.basename(path)
    return bool(name.endswith("_$folder$") or _MARKERS.fullmatch(name) or _MARKER_FOLDERS.search(path))


def _is_known(path: str) -> bool:
    from kaltura_provider.services.entry.kind import extension_of

    return bool(extension_of(path))


def examples(names: Sequence[str]) -> str:
    """Return the first names as one line of text, with control characters escaped."""
    from kaltura_provider.api.redaction import printable

    shown = ", ".join(printable(name) for name in names[:_MAX_EXAMPLES])
    return f"{shown} and {len(names) - _MAX_EXAMPLES:,} more" if len(names) > _MAX_EXAMPLES else shown
