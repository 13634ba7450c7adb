"""Creates the plan of a run: compares the items of its source with Kaltura."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kaltura_provider.feeds.planning.plan import Decision, Plan, PlannedItem, files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.feeds.planning.forecast import Forecast
    from kaltura_provider.feeds.sources import Found, FoundItem
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.upload.sources.errors import SourceError

__all__ = ["Planner"]

_EMPTY = "it is empty (0 bytes), so its task will fail"
_SKIPPED = "the feed says if_exists: skip, so the entry keeps the content it has"
_DELETED = "its entry was deleted in Kaltura, so it is not ingested again"


@dataclass(frozen=True, slots=True)
class Planner:
    """Decides what to do with each item that a source lists.

    :param client: used to look up the items. Without it, all items are ingested.
    :param metadata: returns the metadata of an item's entry.
    :param if_exists: ``skip``, ``replace`` or ``fail``.
    :param transfer: ``upload``, ``import`` or ``bulk``.
    :param on_metadata_change: ``keep``, ``update`` or ``fail``.
    :param read_files: reads the metadata files at these addresses; needed if the source has any.
    :param timezone: of dates without an offset in metadata files.
    """

    metadata: Callable[[FoundItem], dict[str, Any]]
    client: KalturaClient | None = None
    if_exists: str = "skip"
    transfer: str = "upload"
    on_metadata_change: str = "keep"
    read_files: Callable[[Sequence[str]], Sequence[bytes | SourceError]] | None = None
    timezone: str = "UTC"

    def plan(self, found: Found) -> Plan:
        """Return the plan: the items in the order of the source, changes of entries, then what is left out.

        :raises KalturaError: Kaltura did not answer, or refused.
        :raises ValueError: a template cannot be rendered, or a secret in an address cannot be encrypted.
        """
        taken = self._looked_up(found.items, [self._new(item) for item in found.items])
        taken = [_waiting(item, one) for item, one in zip(found.items, taken, strict=True)]
        taken, warnings = self._with_files(found.items, taken)
        ignored = [
            PlannedItem(uri=name, decision=_left_out(reason), reason=reason, transfer=self.transfer)
            for reason, names in found.left_out.items()
            for name in names
        ]
        changes = [_change(change, self.transfer) for change in found.changes]
        return Plan((*taken, *changes, *ignored), (*found.warnings, *warnings))

    def _new(self, item: FoundItem) -> PlannedItem:
        from kaltura_provider.hooks.metadata import metadata_digest
        from kaltura_provider.hooks.sealing import seal_address

        metadata = self.metadata(item)
        tracked = item.metadata_file or self.on_metadata_change != "keep"
        return PlannedItem(
            uri=seal_address(item.uri),
            decision=Decision.NEW,
            reason=_EMPTY if item.size == 0 else "",
            name=str(metadata.get("name") or ""),
            tags=_texts(metadata.get("tags")),
            size=item.size,
            transfer="upload" if item.checksum else self.transfer,
            metadata=metadata,
            identity=item.identity,
            checksum=item.checksum,
            metadata_file=_named_file(item.metadata_file),
            etag=item.etag,
            contents=item.contents,
            metadata_digest=metadata_digest(metadata, item.metadata_file) if tracked else None,
            sidecars=tuple({**file, "uri": seal_address(file["uri"])} for file in item.sidecars),
        )

    def _looked_up(self, found: Sequence[FoundItem], planned: list[PlannedItem]) -> list[PlannedItem]:
        """Return the items with a decision from Kaltura. Items without a listed size and ETag stay new."""
        from kaltura_provider.feeds.planning.forecast import forecast

        if self.client is None:
            return planned
        known = {
            number: known
            for number, (item, one) in enumerate(zip(found, planned, strict=True))
            if (known := _known(item, one)) is not None
        }
        forecasts = forecast(self.client, list(known.values()))
        planned = list(planned)
        for number, seen in zip(known, forecasts, strict=True):
            planned[number] = self._decided(planned[number], seen)
        return planned

    def _decided(self, item: PlannedItem, seen: Forecast) -> PlannedItem:
        from kaltura_provider.feeds.planning.forecast import Outlook
        from kaltura_provider.ingest.decision import CHANGED_NOTE
        from kaltura_provider.ingest.item import ItemState

        changed = {"replace": Decision.REPLACE, "fail": Decision.FAIL}.get(self.if_exists, Decision.SKIP)
        decision = {
            Outlook.NEW: Decision.NEW,
            Outlook.UNDER_WAY: Decision.UNDER_WAY,
            Outlook.THERE: Decision.THERE,
            Outlook.CHANGED: changed,
            Outlook.DELETED: Decision.DELETED,
        }[seen.outlook]
        if decision in (Decision.THERE, Decision.SKIP):
            if self._metadata_is_new(item, seen):
                decision = Decision.METADATA
            elif _sidecars_missing(item, seen):
                decision = Decision.SIDECARS
        item = replace(item, decision=decision, entry_id=seen.entry.id if seen.entry else None)
        if decision is Decision.THERE:
            return replace(item, reference=_reference(item, seen, ItemState.DONE))
        if decision is Decision.SKIP:
            return replace(
                item, reason=_SKIPPED, reference=_reference(item, seen, ItemState.SKIPPED, note=CHANGED_NOTE)
            )
        if decision is Decision.DELETED:
            return replace(item, reason=_DELETED, reference=_reference(item, seen, ItemState.SKIPPED, note=_DELETED))
        return item

    def _metadata_is_new(self, item: PlannedItem, seen: Forecast) -> bool:
        """Tell from the mark of an entry whether metadata of its item is still to be applied."""
        from kaltura_provider.hooks.metadata import MetadataState, OnMetadataChange, metadata_state

        if item.metadata_digest is None or seen.entry is None:
            return False
        on_change = OnMetadataChange(self.on_metadata_change)
        return metadata_state(seen.entry.metadata, item.metadata_digest, on_change) is not MetadataState.APPLIED

    def _with_files(
        self, found: Sequence[FoundItem], planned: list[PlannedItem]
    ) -> tuple[list[PlannedItem], tuple[str, ...]]:
        """Read the metadata files of the items that need a task. Return the items, and what is unknown in the files.

        :raises SourceError: a file cannot be read at the moment.
        """
        from kaltura_provider.feeds.sources.listing import examples

        files = {
            number: item.metadata_file
            for number, (item, one) in enumerate(zip(found, planned, strict=True))
            if item.metadata_file and not one.decision.settled
        }
        if not files or self.read_files is None:
            return planned, ()
        contents = self.read_files([file["uri"] for file in files.values()])
        planned, warnings = list(planned), []
        for (number, file), content in zip(files.items(), contents, strict=True):
            planned[number], unknown = self._with_file(planned[number], file, content)
            warnings += [f"{file['uri']} ({', '.join(unknown)})"] if unknown else []
        return planned, (f"Unknown fields of metadata files are not used: {examples(warnings)}",) if warnings else ()

    def _with_file(
        self, item: PlannedItem, file: Mapping[str, Any], content: bytes | SourceError
    ) -> tuple[PlannedItem, list[str]]:
        from kaltura_provider.feeds.sources.metadata_files import read_metadata

        if isinstance(content, Exception):
            if not content.permanent:
                raise content
            problem = str(content)
        elif file.get("error"):
            problem = str(file["error"])
        else:
            try:
                values, unknown = read_metadata(content, file["uri"], self.timezone)
            except ValueError as error:
                problem = f"{file['uri']}: {error}"
            else:
                metadata = {**item.metadata, **values}
                name, tags = str(metadata.get("name") or ""), _texts(metadata.get("tags"))
                return replace(item, metadata=metadata, name=name, tags=tags), unknown
        return replace(item, error=problem, reason=problem), []


def _named_file(file: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what the tasks after the plan need to know of a metadata file."""
    return {name: file[name] for name in ("uri", "etag", "owners") if name in file} if file else None


def _change(change: Mapping[str, Any], transfer: str) -> PlannedItem:
    """Return the row of a plan for an entry that a manifest changes or deletes."""
    reference = change.get("reference_id")
    return PlannedItem(
        uri=str(change.get("url") or (f"reference {reference}" if reference else f"entry {change['entry_id']}")),
        decision=Decision.TO_UPDATE if change["action"] == "update" else Decision.TO_DELETE,
        name=str((change.get("metadata") or {}).get("name") or ""),
        transfer=transfer,
        entry_id=change.get("entry_id"),
        reason=f"line {change['line']}",
    )


def _left_out(reason: str) -> Decision:
    from kaltura_provider.feeds.sources.s3_new import UNSTABLE

    return Decision.UNSTABLE if reason == UNSTABLE else Decision.IGNORED


def _waiting(item: FoundItem, planned: PlannedItem) -> PlannedItem:
    """Let an item wait, or fail, if it would otherwise get a task."""
    if planned.decision.settled:
        return planned
    if item.waiting:
        return replace(planned, decision=Decision.WAITING, reason=item.waiting)
    return replace(planned, error=item.error, reason=item.error) if item.error else planned


def _sidecars_missing(item: PlannedItem, seen: Forecast) -> bool:
    """Tell from the mark of an entry whether sidecar files of its item are still to be attached."""
    from kaltura_provider.hooks.sidecars import sidecars_digest

    if not item.sidecars or seen.entry is None:
        return False
    known = sidecars_digest(item.sidecars)
    return known is None or seen.entry.sidecars != known


def _known(item: FoundItem, planned: PlannedItem) -> SourceItem | None:
    """Return the item to look up, or ``None`` if the source does not list which bytes it holds."""
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.services.entry.metadata import EntryMetadata

    if not item.size or not item.etag:
        return None
    known: dict[str, Any] = {
        "uri": item.uri, "size": item.size, "validator": item.etag, "identity": item.identity or None
    }  # fmt: skip
    try:
        kind = EntryMetadata(media_type=planned.metadata.get("media_type") or None)
        return SourceItem(metadata=kind, **known)
    except ValueError:
        # The file name does not give the type. The task that opens the source finds out.
        return SourceItem(metadata=EntryMetadata(media_type="data"), **known)


def _reference(item: PlannedItem, seen: Forecast, state: Any, note: str | None = None) -> dict[str, Any]:
    from kaltura_provider.ingest.item import ItemRef

    entry = seen.entry
    ref = ItemRef.of(seen.item, state, entry_id=entry and entry.id, entry_status=entry and entry.status, note=note)
    files = files_of(item.request)
    return {**ref.to_dict(), "uri": item.uri, **({"files": files} if files else {})}


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(one) for one in value or ())
