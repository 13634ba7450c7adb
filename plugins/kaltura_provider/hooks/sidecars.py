"""Attaches the sidecar files of ingested items: captions, thumbnails, attachments and renditions.

A sidecar file is a mapping: ``uri``; ``kind`` (``caption``, ``thumbnail``, ``attachment``, ``rendition``); ``default``,
for a caption or thumbnail that becomes the default one of its entry; ``values``, properties of Kaltura's asset under
Kaltura's names; ``checksum``, what its bytes must hash to, such as ``md5:...``; ``size`` (bytes) and ``etag``, if a
listing contains them; ``owners``, the addresses of other items that it belongs to; and ``error``, why the file cannot
be used.
A rendition also has ``flavor``, the system name, name or id of its flavor params, and ``of``, the ETag of its source,
if a listing contains it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import presentable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.hooks.sources import Sources
    from kaltura_provider.ingest.item import ItemError, ItemRef
    from kaltura_provider.ingest.settings import IngestSettings
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["SidecarSender", "checked_sidecars", "sidecars_digest"]

# Failures that are not about the file.
_OTHER_KINDS = ("access", "kaltura", "transport", "mark_lost")

_FIELDS = ("uri", "kind", "default", "values", "flavor", "of", "checksum", "size", "etag", "owners", "error")


class SidecarSender:
    """Attaches sidecar files to the entries of items. Several threads may share one.

    :param settings: ``if_exists`` decides about a file that changed at its source since it was attached.
    """

    def __init__(self, hook: KalturaHook, uploader: Uploader, sources: Sources, settings: IngestSettings) -> None:
        self._hook = hook
        self._uploader = uploader
        self._sources = sources
        self._settings = settings

    def attach(self, ref: ItemRef, files: list[dict[str, Any]]) -> tuple[ItemRef, list[dict[str, Any]]]:
        """Attach all files of one item, each exactly once. An item without an entry, or that failed, is left alone.

        :param files: mappings as this module describes them.
        :return: the reference, failed if a file could not be attached, and what is attached. One bad file does not
            keep the others from their entry.
        """
        from kaltura_provider.ingest.item import ItemState

        if not files or ref.entry_id is None or ref.state is ItemState.FAILED:
            return ref, []
        attached: list[dict[str, Any]] = []
        errors: list[ItemError] = []
        for file in files:
            error = self._try(ref.entry_id, file, attached)
            if error is not None:
                errors.append(error)
        if not errors and not any(one["note"] for one in attached):
            errors += self._marked(ref.entry_id, files)
        return (ref.failed(_together(errors)) if errors else ref), attached

    def attach_early(self, ref: ItemRef, files: list[dict[str, Any]]) -> None:
        """Attach the renditions of an item whose source is about to be sent.

        Kaltura converts the source as soon as it has it, and makes the flavors that are missing then. What goes wrong
        here is left to :meth:`attach`, which finds again what is attached.
        """
        from kaltura_provider.ingest.item import ItemState
        from kaltura_provider.ingest.sidecar import SidecarKind

        if ref.entry_id is None or ref.state is not ItemState.SEND:
            return
        for file in files:
            if file["kind"] == SidecarKind.RENDITION:
                self._try(ref.entry_id, file, [])

    def _try(self, entry_id: str, file: dict[str, Any], attached: list[dict[str, Any]]) -> ItemError | None:
        """Attach one file, or return why that is not possible."""
        from kaltura_provider.hooks.sources import shown_address
        from kaltura_provider.ingest.item import ITEM_ERRORS, ItemError
        from kaltura_provider.ingest.sidecar import SidecarError

        shown = shown_address(file["uri"])
        if file.get("error"):
            return ItemError("sidecar", f"{shown}: {file['error']}")
        try:
            attached.append(self._attached(entry_id, file))
        except SidecarError as error:
            return ItemError("sidecar", str(error), error.retry_helps)
        except (*ITEM_ERRORS, ValueError) as error:
            found = ItemError.of(error)
            text = presentable(found.message, file["uri"])
            said = text if shown in text else f"{shown}: {text}"
            kind = found.kind if found.kind in _OTHER_KINDS else "sidecar"
            return ItemError(kind, f"the {file['kind']} {said}", found.retry_helps, found.code)
        return None

    def _attached(self, entry_id: str, file: dict[str, Any]) -> dict[str, Any]:
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.hooks.sources import shown_address
        from kaltura_provider.ingest.sidecar import Sidecar, SidecarKind
        from kaltura_provider.ingest.sidecar_protocol import attach_sidecar
        from kaltura_provider.services.flavor_params import find_flavor_params

        kind, values = SidecarKind(file["kind"]), dict(file.get("values") or {})
        if kind is SidecarKind.RENDITION:
            values["flavorParamsId"] = find_flavor_params(self._hook.get_conn(), entry_id, file["flavor"])
        sidecar = Sidecar(
            entry_id=entry_id,
            kind=kind,
            uri=opened_address(file["uri"]),
            values=values,
            default=bool(file.get("default")),
            checksum=str(file.get("checksum") or ""),
        )
        source = self._sources.open(file["uri"])
        try:
            done = attach_sidecar(
                self._hook.get_conn(), self._uploader, sidecar, source, settings=self._settings
            ).to_dict()
        finally:
            source.close()
        return {**done, "uri": shown_address(file["uri"])}

    def _marked(self, entry_id: str, files: list[dict[str, Any]]) -> list[ItemError]:
        """Mark on the entry which files it has, so that later runs need not check each file."""
        from kaltura_provider.api.errors import KalturaError
        from kaltura_provider.ingest.item import ItemError
        from kaltura_provider.ingest.ledger import Ledger
        from kaltura_provider.ingest.marks import MarkLostError, sidecars_mark

        known = sidecars_digest(files)
        if known is None:
            return []
        try:
            Ledger(self._hook.get_conn(), self._settings.clock).add_marks(entry_id, sidecars_mark(known))
        except (KalturaError, MarkLostError) as error:
            return [ItemError.of(error)]
        return []


def _together(errors: list[ItemError]) -> ItemError:
    """Return several errors as one."""
    from kaltura_provider.ingest.item import ItemError

    if len(errors) == 1:
        return errors[0]
    text = "; ".join(error.message for error in errors)
    kind = next((error.kind for error in errors if error.kind != "sidecar"), "sidecar")
    return ItemError(kind, text, any(error.retry_helps for error in errors))


def checked_sidecars(files: Any) -> list[dict[str, Any]]:
    """Return the sidecar files of a request.

    :raises ValueError: they are not a list of such mappings; the message says what is wrong.
    """
    from kaltura_provider.ingest.sidecar import SidecarKind

    if files is None:
        return []
    kinds = [kind.value for kind in SidecarKind]
    if not isinstance(files, (list, tuple)) or not all(isinstance(one, dict) for one in files):
        raise ValueError("sidecars must be a list of mappings with uri and kind")
    for file in files:
        if unknown := sorted(set(file) - set(_FIELDS)):
            raise ValueError(f"sidecars: unknown field {', '.join(unknown)}; a sidecar has {', '.join(_FIELDS)}")
        if not isinstance(file.get("uri"), str) or file.get("kind") not in kinds:
            raise ValueError(f"sidecars: each needs a uri, and a kind out of {', '.join(kinds)}")
        if file["kind"] == SidecarKind.RENDITION and not str(file.get("flavor") or ""):
            raise ValueError("sidecars: a rendition needs the flavor that it is: its system name, name or id")
    return [dict(file) for file in files]


def sidecars_digest(files: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the digest of all sidecar files of an item: which files they are, with which content, and as what.

    An entry with this digest has all of them. ``None`` if the content of a file is not known.
    """
    from kaltura_provider.ingest.identity import digest

    if not all(file.get("etag") for file in files):
        return None
    return digest("sidecars", *sorted(_identity(file) for file in files))


def _identity(file: Mapping[str, Any]) -> str:
    from kaltura_provider.hooks.sealing import opened_address
    from kaltura_provider.ingest.identity import canonical_uri
    from kaltura_provider.ingest.sidecar import SidecarKind

    asset = [file["kind"], bool(file.get("default")), sorted((file.get("values") or {}).items())]
    if file["kind"] == SidecarKind.RENDITION:
        # A new source takes the renditions of the old one with it.
        asset += [str(file["flavor"]), str(file.get("of") or "")]
    return json.dumps([canonical_uri(opened_address(file["uri"])), file.get("size"), file["etag"], *asset])
