"""The sidecar files of a source item as plain values: how a feed hands them to the task that attaches them.

A file is a mapping: ``uri``; ``kind`` (``caption``, ``thumbnail``, ``attachment``, ``rendition``); ``default``, for a
caption or thumbnail that becomes the default one of its entry; ``values``, properties of Kaltura's asset under
Kaltura's names; ``size`` (bytes) and ``etag``, if a listing contains them; and ``error``, why the file cannot be used.
A rendition also has ``flavor``, the system name, name or id of its flavor params, and ``of``, the ETag of its source,
if a listing contains it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kaltura_provider.ingest.addresses import canonical_uri
from kaltura_provider.ingest.identity import digest
from kaltura_provider.ingest.sidecars import SidecarKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["checked_sidecars", "sidecars_digest"]

_FIELDS = ("uri", "kind", "default", "values", "flavor", "of", "size", "etag", "error")
_KINDS = tuple(kind.value for kind in SidecarKind)


def checked_sidecars(files: Any) -> list[dict[str, Any]]:
    """Return the sidecar files of a request.

    :raises ValueError: they are not a list of such mappings; the message says what is wrong.
    """
    if files is None:
        return []
    if not isinstance(files, (list, tuple)) or not all(isinstance(one, dict) for one in files):
        raise ValueError("sidecars must be a list of mappings with uri and kind")
    for file in files:
        if unknown := sorted(set(file) - set(_FIELDS)):
            raise ValueError(f"sidecars: unknown field {', '.join(unknown)}; a sidecar has {', '.join(_FIELDS)}")
        if not isinstance(file.get("uri"), str) or file.get("kind") not in _KINDS:
            raise ValueError(f"sidecars: each needs a uri, and a kind out of {', '.join(_KINDS)}")
        if file["kind"] == SidecarKind.RENDITION and not str(file.get("flavor") or ""):
            raise ValueError("sidecars: a rendition needs the flavor that it is: its system name, name or id")
    return [dict(file) for file in files]


def sidecars_digest(files: Sequence[Mapping[str, Any]], opened: Callable[[str], str] = lambda uri: uri) -> str | None:
    """Return the digest of all sidecar files of an item: which files they are, with which content, and as what.

    An entry with this digest has all of them. ``None`` if the content of a file is not known.

    :param opened: turns a ``uri`` of the mappings into the address itself.
    """
    if not all(file.get("etag") for file in files):
        return None
    return digest("sidecars", *sorted(_identity(file, opened) for file in files))


def _identity(file: Mapping[str, Any], opened: Callable[[str], str]) -> str:
    asset = [file["kind"], bool(file.get("default")), sorted((file.get("values") or {}).items())]
    if file["kind"] == SidecarKind.RENDITION:
        # A new source takes the renditions of the old one with it.
        asset += [str(file["flavor"]), str(file.get("of") or "")]
    return json.dumps([canonical_uri(opened(file["uri"])), file.get("size"), file["etag"], *asset])
