"""Which of the listed objects a run takes, and for what reason it leaves out each of the others."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaltura_provider.feeds.patterns import fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.hooks.listing import S3Object

__all__ = ["EXCLUDED", "FOLDER", "MARKER", "NOT_INCLUDED", "PLACEHOLDER", "UNKNOWN", "Selection", "examples", "select"]

FOLDER = "placeholders of folders"
MARKER = "files that other programs leave behind"
NOT_INCLUDED = "fit no include pattern"
EXCLUDED = "fit an exclude pattern"
PLACEHOLDER = "empty files of no known type"
UNKNOWN = "files of unknown types (unknown_files: ignore)"

# Of Spark and Hadoop, of macOS and Windows, of Git, and of people who leave a note.
_MARKERS = re.compile(
    r"_success|_started.*|_committed.*|_temporary|\.ds_store|\._.*|\.apdisk|thumbs\.db|ehthumbs\.db"
    r"|desktop\.ini|\.keep|\.gitkeep|\.gitignore|readme(\.(md|txt|rst|html?))?"
)
_MARKER_FOLDERS = re.compile(r"(^|/)(__macosx|_temporary|\.spotlight-v100|\.trashes|\.fseventsd)/")

_MOST_EXAMPLES = 10


@dataclass
class Selection:
    """What became of each listed object.

    ``taken`` are of known types; of ``unsure`` the names do not tell, so that their first bytes have to. ``left_out``
    are the other objects' paths by reason. ``idle`` are the include patterns that no object fits.
    """

    taken: list[S3Object] = field(default_factory=list)
    unsure: list[S3Object] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    idle: list[str] = field(default_factory=list)

    @property
    def listed(self) -> int:
        """How many objects there were."""
        return len(self.taken) + len(self.unsure) + sum(map(len, self.left_out.values()))


def select(objects: Iterable[S3Object], prefix: str, include: Sequence[str], exclude: Sequence[str]) -> Selection:
    """Decide on each object by its key and size.

    :param prefix: what was listed; patterns are for the part of the key after it.
    :raises ValueError: a pattern cannot be used.
    """
    selection = Selection()
    idle = dict.fromkeys(include)
    for item in objects:
        path = item.key[len(prefix) :].lstrip("/") or posixpath.basename(item.key) or item.key
        fitting = [pattern for pattern in include if fits(path, pattern)]
        for pattern in fitting:
            idle.pop(pattern, None)
        if reason := _reason(item, path, included=bool(fitting), exclude=exclude):
            selection.left_out[reason].append(path)
        elif _is_known(path):
            selection.taken.append(item)
        else:
            selection.unsure.append(item)
    selection.idle = list(idle)
    return selection


def _reason(item: S3Object, path: str, *, included: bool, exclude: Sequence[str]) -> str | None:
    """Return why an object is left out, if it is."""
    if item.key.endswith("/"):
        return FOLDER
    if _is_marker(path.lower()):
        return MARKER
    if not included:
        return NOT_INCLUDED
    if any(fits(path, pattern) for pattern in exclude):
        return EXCLUDED
    # An empty film is a fault that somebody has to hear of: it is taken, and fails.
    return PLACEHOLDER if item.size == 0 and not _is_known(path) else None


def _is_marker(path: str) -> bool:
    """Return whether another program has left a file behind; ``path`` is in lower case."""
    name = posixpath.basename(path)
    return bool(name.endswith("_$folder$") or _MARKERS.fullmatch(name) or _MARKER_FOLDERS.search(path))


def _is_known(path: str) -> bool:
    from kaltura_provider.services.entry.kind import extension_of

    return bool(extension_of(path))


def examples(names: Sequence[str]) -> str:
    """Return the first few of many names as one line of text, whatever characters are in them."""
    from kaltura_provider.api.redaction import printable

    shown = ", ".join(printable(name) for name in names[:_MOST_EXAMPLES])
    return f"{shown} and {len(names) - _MOST_EXAMPLES:,} more" if len(names) > _MOST_EXAMPLES else shown
