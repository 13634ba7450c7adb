"""Attaches the sidecar files of ingested items: captions, thumbnails, attachments and renditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.batch import presentable

if TYPE_CHECKING:
    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.hooks.sources import Sources
    from kaltura_provider.ingest.item import ItemError, ItemRef
    from kaltura_provider.ingest.settings import IngestSettings
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["SidecarSender"]


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

        :param files: as in :mod:`kaltura_provider.ingest.sidecar_files`.
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
        if not errors:
            errors += self._marked(ref.entry_id, files)
        return (ref.failed(_together(errors)) if errors else ref), attached

    def attach_early(self, ref: ItemRef, files: list[dict[str, Any]]) -> None:
        """Attach the renditions of an item whose source is about to be sent.

        Kaltura converts the source as soon as it has it, and makes the flavors that are missing then. What goes wrong
        here is left to :meth:`attach`, which finds again what is attached.
        """
        from kaltura_provider.ingest.item import ItemState
        from kaltura_provider.ingest.sidecars import SidecarKind

        if ref.entry_id is None or ref.state is not ItemState.SEND:
            return
        for file in files:
            if file["kind"] == SidecarKind.RENDITION:
                self._try(ref.entry_id, file, [])

    def _try(self, entry_id: str, file: dict[str, Any], attached: list[dict[str, Any]]) -> ItemError | None:
        """Attach one file, or return why that is not possible."""
        from kaltura_provider.hooks.sources import printable
        from kaltura_provider.ingest.failures import ITEM_ERRORS, describe
        from kaltura_provider.ingest.item import ItemError
        from kaltura_provider.ingest.sidecars import SidecarError

        shown = printable(file["uri"])
        if file.get("error"):
            return ItemError("sidecar", f"{shown}: {file['error']}")
        try:
            attached.append(self._attached(entry_id, file))
        except SidecarError as error:
            return ItemError("sidecar", str(error), error.retry_helps)
        except (*ITEM_ERRORS, ValueError) as error:
            found = describe(error)
            text = presentable(found.message, file["uri"])
            said = text if shown in text else f"{shown}: {text}"
            return ItemError("sidecar", f"the {file['kind']} {said}", found.retry_helps, found.code)
        return None

    def _attached(self, entry_id: str, file: dict[str, Any]) -> dict[str, Any]:
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.hooks.sources import printable
        from kaltura_provider.ingest.sidecars import Sidecar, SidecarKind, attach_sidecar
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
        )
        source = self._sources.open(file["uri"])
        try:
            done = attach_sidecar(
                self._hook.get_conn(), self._uploader, sidecar, source, settings=self._settings
            ).to_dict()
        finally:
            source.close()
        return {**done, "uri": printable(file["uri"])}

    def _marked(self, entry_id: str, files: list[dict[str, Any]]) -> list[ItemError]:
        """Mark on the entry which files it has, so that later runs need not check each file."""
        from kaltura_provider.api.errors import KalturaError
        from kaltura_provider.hooks.sealing import opened_address
        from kaltura_provider.ingest.failures import describe
        from kaltura_provider.ingest.ledger import Ledger
        from kaltura_provider.ingest.mark_writes import MarkLostError, add_marks
        from kaltura_provider.ingest.marks import sidecars_mark
        from kaltura_provider.ingest.sidecar_files import sidecars_digest

        known = sidecars_digest(files, opened_address)
        if known is None:
            return []
        try:
            add_marks(Ledger(self._hook.get_conn(), self._settings.clock), entry_id, sidecars_mark(known))
        except (KalturaError, MarkLostError) as error:
            return [describe(error)]
        return []


def _together(errors: list[ItemError]) -> ItemError:
    """Return several errors as one."""
    from kaltura_provider.ingest.item import ItemError

    if len(errors) == 1:
        return errors[0]
    text = "; ".join(error.message for error in errors)
    return ItemError("sidecar", text, any(error.retry_helps for error in errors))
