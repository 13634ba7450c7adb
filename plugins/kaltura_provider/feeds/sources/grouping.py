"""Group the objects of a listing: a media file with the sidecar files beside it, by their names. Pure: reads nothing.

``talk.mp4`` is one item with ``talk.json`` (metadata of its entry), ``talk.en.srt`` (a caption), ``talk.jpg`` (its
thumbnail) and any other ``talk.*`` (attachments) of the same folder. ``talk.mp4.json`` belongs to ``talk.mp4`` alone,
where there is a ``talk.mov`` too.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.feeds.fields.patterns import matches
from kaltura_provider.feeds.sources.drop_folder import FLAVOR
from kaltura_provider.feeds.sources.listing import left_out_reason, path_below
from kaltura_provider.services.attachment_asset import attachment_object
from kaltura_provider.services.caption_language import caption_format, language_name
from kaltura_provider.services.entry.kind import Kind, extension_of, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kaltura_provider.hooks.listing import S3Object

__all__ = [
    "SOURCE",
    "UNDEFINED",
    "Group",
    "Role",
    "Sidecar",
    "group_by_stem",
    "is_film",
    "is_orphan",
    "metadata_file_of",
    "missing_files",
    "sidecars_of",
    "with_renditions",
]

SOURCE = "source"
"""What stands for the media file among the patterns of the files that an item waits for."""
UNDEFINED = "Undefined"
"""Kaltura's language of a caption whose file name gives none."""

_METADATA = ("json", "yaml", "yml")
_CAPTIONS = ("srt", "vtt", "webvtt", "dfxp", "ttml", "scc", "cap")
_THUMBNAILS = ("jpg", "jpeg", "png")
# An extension that no file has, to see whether a pattern is about the extension.
_NO_EXTENSION = ".\N{NULL}"


class Role(StrEnum):
    """What a sidecar file is to its media file."""

    METADATA = "metadata"
    CAPTION = "caption"
    THUMBNAIL = "thumbnail"
    ATTACHMENT = "attachment"
    RENDITION = "rendition"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar file.

    :param between: the part of its name between the name of the media file and its own extension: ``en`` of
        ``talk.en.srt``. Of a rendition, the name of its flavor.
    :param owners: the addresses of the other media files that it belongs to.
    """

    item: S3Object
    role: Role
    between: str = ""
    owners: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file name."""
        return posixpath.basename(self.item.key)


@dataclass(frozen=True, slots=True)
class Group:
    """One item of a listing with its sidecar files, ordered by key.

    :param lacks_source: whether there are only renditions, of which ``item`` is the first.
    :param problem: why its files cannot become an item.
    """

    item: S3Object
    sidecars: tuple[Sidecar, ...] = ()
    lacks_source: bool = False
    problem: str = ""

    @property
    def objects(self) -> tuple[S3Object, ...]:
        """All files of the group; the media file comes first."""
        return (self.item, *(sidecar.item for sidecar in self.sidecars))

    @property
    def media(self) -> tuple[S3Object, ...]:
        """The media file and its renditions."""
        return (self.item, *(sidecar.item for sidecar in self.sidecars if sidecar.role is Role.RENDITION))


def group_by_stem(
    objects: Iterable[S3Object], prefix: str, include: Sequence[str], exclude: Sequence[str]
) -> list[Group]:
    """Group objects: one group for each object that is not a sidecar file, in the order of the listing.

    Video and audio files that the patterns take have all kinds of sidecar files, images and documents only metadata. An
    object whose extension an ``include`` pattern names is an item of its own. Media files with the same stem share the
    sidecar files of that stem.

    :param prefix: the listed prefix. Patterns apply to the part of the key after it.
    """
    objects = list(objects)
    media = {item.key for item in objects if _has_sidecars(item, prefix, include, exclude)}
    owners = _owners(item for item in objects if item.key in media)
    found: dict[str, list[Sidecar]] = defaultdict(list)
    alone = []
    for item in objects:
        path = path_below(item, prefix)
        itself = item.key in media and _is_film(item.key)
        if itself or _is_named(path, include) or left_out_reason(item, path, included=True, exclude=exclude):
            alone.append(item)
            continue
        owned = _ownership(item, owners)
        for owner, sidecar in owned:
            found[owner.key].append(sidecar)
        if not owned:
            alone.append(item)
    return _with_owners([Group(item, tuple(sorted(found[item.key], key=lambda one: one.item.key))) for item in alone])


def _with_owners(groups: Sequence[Group]) -> list[Group]:
    """Let each sidecar file name the other items that it belongs to."""
    owners: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        for sidecar in group.sidecars:
            owners[sidecar.item.key].append(group.item.uri)

    def named(sidecar: Sidecar, of: str) -> Sidecar:
        others = tuple(uri for uri in owners[sidecar.item.key] if uri != of)
        return replace(sidecar, owners=others) if others else sidecar

    return [
        replace(group, sidecars=tuple(named(sidecar, group.item.uri) for sidecar in group.sidecars)) for group in groups
    ]


def with_renditions(groups: Sequence[Group], fields: Sequence[Mapping[str, str] | None]) -> list[Group]:
    """Make one item of the films of a folder that have the same reference id and are different renditions.

    The file without a flavor, or with the flavor ``source``, is the item. The others are sidecar files of it, and so
    are their own sidecar files.

    :param groups: the items of video and audio files.
    :param fields: what a pattern found in the file name of each, or ``None``.
    """
    families: dict[tuple[str, str], list[tuple[Group, str]]] = defaultdict(list)
    kept = []
    for group, found in zip(groups, fields, strict=True):
        if found and found.get("reference_id"):
            flavor = found.get(FLAVOR, "")
            flavor = "" if flavor.lower() == SOURCE else flavor
            families[posixpath.dirname(group.item.key), found["reference_id"]].append((group, flavor))
        else:
            kept.append(group)
    for family in families.values():
        kept += _family(family) if any(flavor for _, flavor in family) else [group for group, _ in family]
    return kept


def _family(family: Sequence[tuple[Group, str]]) -> list[Group]:
    """Return the item that a source and its renditions are, or several of which each has a problem."""
    problem = _clash(family)
    if problem:
        return [replace(group, problem=problem) for group, _ in family]
    sources = [group for group, flavor in family if not flavor]
    first = sources[0] if sources else family[0][0]
    renditions = [
        Sidecar(group.item, Role.RENDITION, flavor) for group, flavor in family if flavor and group is not first
    ]
    members = {group.item.uri for group, _ in family}
    beside = {
        sidecar.item.key: replace(sidecar, owners=tuple(uri for uri in sidecar.owners if uri not in members))
        for group, _ in family
        for sidecar in group.sidecars
    }
    sidecars = sorted((*beside.values(), *renditions), key=lambda one: one.item.key)
    return [replace(first, sidecars=tuple(sidecars), lacks_source=not sources)]


def _clash(family: Sequence[tuple[Group, str]]) -> str:
    """Return why two files cannot belong to one item: they are the same rendition of it."""
    seen: dict[str, str] = {}
    for group, flavor in family:
        name = posixpath.basename(group.item.key)
        if other := seen.get(flavor.casefold()):
            what = f"the rendition {flavor!r}" if flavor else "the source"
            return f"{other} and {name} are both {what} of one item; keep one of them"
        seen[flavor.casefold()] = name
    return ""


def is_orphan(group: Group, prefix: str, include: Sequence[str]) -> bool:
    """Tell whether an object is a caption or metadata file without a media file, and no pattern takes it as an item."""
    extension = posixpath.splitext(group.item.key)[1][1:].lower()
    return extension in (*_CAPTIONS, *_METADATA) and not _is_named(path_below(group.item, prefix), include)


def is_film(item: S3Object, prefix: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Tell whether an object is a video or audio file that the patterns take."""
    return _is_film(item.key) and _has_sidecars(item, prefix, include, exclude)


def _has_sidecars(item: S3Object, prefix: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    path = path_below(item, prefix)
    if not extension_of(path) or kind_of(path) is Kind.DATA:
        return False
    included = any(matches(path, pattern) for pattern in include)
    return left_out_reason(item, path, included=included, exclude=exclude) is None


def _is_film(key: str) -> bool:
    return bool(extension_of(key)) and kind_of(key) in (Kind.VIDEO, Kind.AUDIO)


def _is_named(path: str, include: Sequence[str]) -> bool:
    """Tell whether a pattern takes the object for its extension."""
    other = posixpath.splitext(path)[0] + _NO_EXTENSION
    return any(matches(path, pattern) and not matches(other, pattern) for pattern in include)


def _owners(media: Iterable[S3Object]) -> dict[str, list[S3Object]]:
    """Return media files by the names that their sidecar files begin with: with and without the extension."""
    owners: dict[str, list[S3Object]] = defaultdict(list)
    for item in media:
        for name in (item.key, posixpath.splitext(item.key)[0]):
            owners[name].append(item)
    return owners


def _ownership(item: S3Object, owners: dict[str, list[S3Object]]) -> list[tuple[S3Object, Sidecar]]:
    """Return the media files that an object belongs to, by the longest name that fits, and as what."""
    folder, name = posixpath.split(item.key)
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        stem = posixpath.join(folder, ".".join(parts[:length]))
        if stem in owners:
            sidecar = Sidecar(item, _role(parts[-1].lower(), parts[length:-1]), ".".join(parts[length:-1]))
            found = [owner for owner in owners[stem] if owner.key != item.key and _takes(owner, sidecar)]
            if found:
                return [(owner, sidecar) for owner in found]
    return []


def _role(extension: str, between: Sequence[str]) -> Role:
    if extension in _CAPTIONS:
        return Role.CAPTION
    if not between and extension in _METADATA:
        return Role.METADATA
    if not between and extension in _THUMBNAILS:
        return Role.THUMBNAIL
    return Role.ATTACHMENT


def _takes(owner: S3Object, sidecar: Sidecar) -> bool:
    return _is_film(owner.key) or sidecar.role is Role.METADATA


def missing_files(group: Group, wait_for: Sequence[str]) -> list[str]:
    """Return what an item waits for and does not have: patterns for files, and ``source``, the media file itself."""
    names = [posixpath.basename(item.key) for item in group.objects]
    missing = [
        pattern for pattern in wait_for if pattern != SOURCE and not any(matches(name, pattern) for name in names)
    ]
    return [SOURCE, *missing] if group.lacks_source else missing


def metadata_file_of(group: Group) -> dict[str, Any] | None:
    """Return the metadata file of an item: ``uri``, ``size`` and ``etag``, and ``error`` if there are several."""
    files = [sidecar for sidecar in group.sidecars if sidecar.role is Role.METADATA]
    if not files:
        return None
    found = _listed(files[0])
    if len(files) > 1:
        names = " and ".join(file.name for file in files)
        found["error"] = f"{names} are both metadata of {posixpath.basename(group.item.key)}; keep one of them"
    return found


def sidecars_of(group: Group, caption_language: str = UNDEFINED) -> list[dict[str, Any]]:
    """Return all files of an item besides its metadata, as the task that attaches them takes them.

    A caption without a language in its name is the default one. Without such a file, the caption in
    ``caption_language`` is the default, or the only caption. The first thumbnail by name is the default.

    :param caption_language: the language of captions whose names give none, by name or by BCP 47 code.
    """
    captions = [_caption(one, caption_language) for one in group.sidecars if one.role is Role.CAPTION]
    if default := _default_caption(captions, caption_language):
        default["default"] = True
    thumbnails = [_as(one, Role.THUMBNAIL, {}) for one in group.sidecars if one.role is Role.THUMBNAIL]
    for thumbnail in thumbnails[:1]:
        thumbnail["default"] = True
    attachments = [_attachment(one) for one in group.sidecars if one.role is Role.ATTACHMENT]
    renditions = [_rendition(one, group.item) for one in group.sidecars if one.role is Role.RENDITION]
    return [*captions, *thumbnails, *attachments, *renditions]


def _listed(file: Sidecar) -> dict[str, Any]:
    listed: dict[str, Any] = {"uri": file.item.uri, "size": file.item.size, "etag": file.item.etag}
    return {**listed, "owners": list(file.owners)} if file.owners else listed


def _as(sidecar: Sidecar, role: Role, values: dict[str, Any], error: str = "") -> dict[str, Any]:
    return {**_listed(sidecar), "kind": role.value, "values": values, **({"error": error} if error else {})}


def _caption(sidecar: Sidecar, caption_language: str) -> dict[str, Any]:
    said, _, rest = sidecar.between.partition(".")
    values: dict[str, Any] = {"format": int(caption_format(sidecar.name) or 0)}
    try:
        values["language"] = language_name(said or caption_language)
    except KalturaConfigurationError:
        text = (
            f"{said!r} in the name of the caption file is not a language; name the file like talk.en.srt or "
            "talk.English.srt, or leave the language out"
        )
        return _as(sidecar, Role.CAPTION, values, text)
    region = said.replace("_", "-").partition("-")[2] if said.lower() != values["language"].lower() else ""
    details = ", ".join(part for part in (region, rest.replace(".", ", ")) if part)
    label = "Captions" if values["language"] == UNDEFINED else values["language"]
    values["label"] = f"{label} ({details})" if details else label
    return _as(sidecar, Role.CAPTION, values)


def _default_caption(captions: Sequence[dict[str, Any]], caption_language: str) -> dict[str, Any] | None:
    good = [caption for caption in captions if "error" not in caption]
    language = language_name(caption_language)
    chosen = [caption for caption in good if caption["values"]["language"] == language]
    if chosen:
        # The plain one, "English", comes before "English (forced)".
        return min(chosen, key=lambda caption: len(caption["values"]["label"]))
    return good[0] if len(good) == 1 else None


def _attachment(sidecar: Sidecar) -> dict[str, Any]:
    values = attachment_object(sidecar.name)
    del values["objectType"]
    return _as(sidecar, Role.ATTACHMENT, {**values, "format": int(values["format"])})


def _rendition(sidecar: Sidecar, source: S3Object) -> dict[str, Any]:
    return {**_as(sidecar, Role.RENDITION, {}), "flavor": sidecar.between, "of": source.etag}
