"""The ledger, which is Kaltura itself: reads entries by mark and by id, and tokens by name; writes marks and tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaConfigurationError,
    KalturaNotFoundError,
)
from kaltura_provider.api.together import read_together
from kaltura_provider.api.wire import Request
from kaltura_provider.ingest.identity import reference_for
from kaltura_provider.ingest.marks import EntryView, MarkLostError, item_mark, released_mark
from kaltura_provider.ingest.settings import AdoptBy
from kaltura_provider.services.flavor_asset import FlavorAsset
from kaltura_provider.services.paging import list_all, list_request
from kaltura_provider.services.upload_token import UploadToken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kaltura_provider.api.caller import Caller
    from kaltura_provider.ingest.settings import Clock

__all__ = ["Ledger", "Snapshot", "TokenView"]

_EVERY_STATUS = "-2,-1,0,1,2,3,4,5,6,7"
_PLUGIN_STATUSES = "virusScan.Infected,virusScan.ScanFailure"
_EVERY_MODERATION = "1,2,3,4,5,6"
_OTHER_TYPES = "6,10"  # data and document entries: media.list shows neither
_RECYCLED = "-2"
_SYSTEM = -1
_MARKS_A_SEARCH = 50
_NAMES_A_REQUEST = 25
_ADMIN = 2
_TRIES = 4


@dataclass(frozen=True, slots=True)
class TokenView(UploadToken):
    """An upload token; ``entry_id`` is the entry it is attached to, if that is known."""

    entry_id: str | None = None

    @property
    def spent(self) -> bool:
        """Whether an entry was made from its file. Such a token claims nothing."""
        return self.used_up and not self.attached

    @property
    def unused(self) -> bool:
        """Whether it holds a whole file that no object uses. It can be deleted once the content is in."""
        return self.filled and not (self.attached or self.spent)

    def on(self, entry_id: str | None) -> TokenView:
        """Return a copy with that ``entry_id``."""
        return replace(self, entry_id=entry_id)


Snapshot = tuple[EntryView | None, TokenView | None, list[EntryView], float]


class Ledger:
    """The ledger as one client sees it. Every method raises the client's :class:`KalturaError`.

    Several threads may use it, through a :class:`~kaltura_provider.api.sharing.SharedCalls`.
    """

    def __init__(self, client: Caller, clock: Clock) -> None:
        self.client = client
        self._clock = clock

    def entries_of(self, item_ids: Sequence[str], *, thorough: bool = False) -> dict[str, list[EntryView]]:
        """Return the entries that carry the marks of ``item_ids``, in every status, including deleted ones.

        Entries that are about to be deleted (``EntryView.released``) are included. This reads the search index, which
        may lag. ``thorough`` also searches the recycle bin, the statuses of the virus scan, and entries that lost their
        mark but have the reference id that this package gave them.
        """
        found: dict[str, dict[str, EntryView]] = {item_id: {} for item_id in item_ids}
        for start in range(0, len(item_ids), _MARKS_A_SEARCH):
            part = item_ids[start : start + _MARKS_A_SEARCH]
            for entry in self._search(part, thorough=thorough):
                for item_id in part:
                    left = entry.released(item_id) and not entry.deleted
                    if entry.is_item(item_id) or left or _lost_mark(entry, item_id):
                        found[item_id][entry.id] = entry
        return {item_id: list(entries.values()) for item_id, entries in found.items()}

    def entries_of_item(self, item_id: str, *, thorough: bool = False) -> list[EntryView]:
        """Return the entries of one item, as :meth:`entries_of`."""
        return self.entries_of([item_id], thorough=thorough)[item_id]

    def _search(self, item_ids: Sequence[str], *, thorough: bool) -> Iterable[EntryView]:
        marks = ",".join(mark(item_id) for item_id in item_ids for mark in (item_mark, released_mark))
        requests = _list_marked(marks)
        needed = len(requests)
        if thorough:
            references = ",".join(reference_for(item_id) for item_id in item_ids)
            requests += [
                _list("media", _PLUGIN_STATUSES, adminTagsMultiLikeOr=marks),
                _list("media", _EVERY_STATUS, adminTagsMultiLikeOr=marks, displayInSearchEqual=_RECYCLED),
                _list("media", _EVERY_STATUS, referenceIdIn=references),
            ]
        # A server without a virus scan or recycle bin may refuse these searches.
        for reply in read_together(self.client, requests, may_fail=range(needed, len(requests))):
            for values in reply["objects"] if reply is not None else ():
                entry = EntryView.of(values)
                if entry.display_in_search != _SYSTEM:
                    yield entry

    def entries_like(self, adopt_by: AdoptBy, value: str) -> list[EntryView]:
        """Return the entries with that reference id (the case does not matter) or exactly that name."""
        if adopt_by is AdoptBy.REFERENCE:
            request = _list("baseEntry", _EVERY_STATUS, referenceIdEqual=value)
        else:
            request = _list("baseEntry", _EVERY_STATUS, nameEqual=value)
        reply = self.client.call(request.service, request.action, request.params)
        found = [EntryView.of(values) for values in reply["objects"]]
        return [
            entry
            for entry in found
            if entry.display_in_search != _SYSTEM
            and (
                entry.name == value
                if adopt_by is AdoptBy.NAME
                else (entry.reference_id or "").strip().lower() == value.strip().lower()
            )
        ]

    def entry(self, entry_id: str) -> EntryView | None:
        """Return an entry as the database has it, even if it is deleted; ``None`` if it never existed."""
        return _one_entry(self.client.call(*_by_id(entry_id)))

    def tokens(self, file_name: str) -> tuple[list[TokenView], float]:
        """Return the tokens with that name, oldest first, and the server's time."""
        return self.tokens_of([file_name])

    def tokens_of(self, file_names: Sequence[str]) -> tuple[list[TokenView], float]:
        """Return the tokens with these names, oldest first within a name, and the server's time."""
        found: list[TokenView] = []
        answer: Any = None
        for start in range(0, len(file_names), _NAMES_A_REQUEST):
            part = [_list_tokens(name) for name in file_names[start : start + _NAMES_A_REQUEST]]
            *replies, answer = read_together(
                self.client, [*part, Request("system", "getTime")], may_fail=[len(part)]
            )  # fmt: skip
            found += [TokenView.of(values) for reply in replies for values in reply["objects"]]
        return found, self._time(answer)

    def _time(self, answer: Any) -> float:
        return self._clock.time() if answer is None else float(answer)

    def token(self, token_id: str) -> TokenView | None:
        """Return a token; ``None`` if it was deleted."""
        try:
            return TokenView.of(self.client.call("uploadToken", "get", {"uploadTokenId": token_id}))
        except KalturaNotFoundError:
            return None

    def entry_of(self, token: TokenView) -> str | None:
        """Return the id of the entry that an attached token belongs to. The token names a source flavor or the entry.

        The flavor of a replacement belongs to a temporary entry; the id of the original entry is returned.
        """
        if token.attached_id is None:
            return None
        if token.attached_type == "entry":
            return token.attached_id
        try:
            flavor = self.client.call("flavorAsset", "get", {"id": token.attached_id})
        except KalturaNotFoundError:
            return None
        entry = self.entry(str(flavor["entryId"]))
        return (entry.replaced_entry_id or entry.id) if entry else None

    def with_owners(self, item_id: str, entries: Iterable[EntryView], tokens: Iterable[TokenView]) -> list[EntryView]:
        """Return ``entries`` and the entries that ``tokens`` belong to, each once, without entries of other items."""
        found = {entry.id: entry for entry in entries}
        for token in tokens:
            if token.entry_id and token.entry_id not in found:
                entry = self.entry(token.entry_id)
                if entry is not None and (entry.is_item(item_id) or not entry.has_item_mark):
                    found[entry.id] = entry
        return list(found.values())

    def source_flavor(self, entry_id: str) -> FlavorAsset | None:
        """Return the source flavor; ``None`` if the entry has none."""
        flavors = map(FlavorAsset.of, list_all(self.client, "flavorAsset", {"entryIdEqual": entry_id}))
        return next((flavor for flavor in flavors if flavor.original), None)

    def snapshot(self, entry_id: str, token_id: str | None, item_id: str) -> Snapshot:
        """Return the entry, the token, all media entries of the item, and the server's time, in one request."""
        requests = [
            Request(*_by_id(entry_id)),
            Request("uploadToken", "get", {"uploadTokenId": token_id or ""}),
            _list("media", _EVERY_STATUS, adminTagsMultiLikeOr=item_mark(item_id)),
            Request("system", "getTime"),
        ]
        entry, token, others, now = read_together(
            self.client, requests, may_miss=[1], may_fail=[3] if token_id else [1, 3]
        )
        found = [EntryView.of(values) for values in others["objects"]]
        return (
            _one_entry(entry),
            None if token is None else TokenView.of(token),
            [item for item in found if item.is_item(item_id) and item.display_in_search != _SYSTEM],
            self._time(now),
        )

    def is_alone(self, entry_id: str, item_id: str) -> bool:
        """Return whether searches show no other entry of the item than this one."""
        replies = read_together(self.client, _list_marked(item_mark(item_id)))
        found = [EntryView.of(values) for reply in replies for values in reply["objects"]]
        others = [entry for entry in found if entry.is_item(item_id) and entry.id != entry_id]
        return all(entry.deleted or entry.display_in_search == _SYSTEM for entry in others)

    def check_session(self) -> None:
        """Refuse a session that cannot see or mark every entry.

        :raises KalturaConfigurationError: it is not an ADMIN session, or entitlement hides entries from it.
        """
        try:
            session = self.client.call("session", "get")
        except KalturaAPIError as error:
            if error.code == "SERVICE_FORBIDDEN":
                return  # a narrow role cannot ask; creating the first entry will show it
            raise
        if int(session.get("sessionType") or 0) != _ADMIN:
            raise KalturaConfigurationError(
                "session_type", "USER", "cannot search or write adminTags", "use an ADMIN session for ingest"
            )
        if "disableentitlement" not in str(session.get("privileges") or ""):
            raise KalturaConfigurationError(
                "privileges",
                session.get("privileges") or "",
                "may hide entries that exist",
                "add disableentitlement to the connection's privileges",
            )

    def delete_token(self, token_id: str) -> None:
        """Delete a token, so every later use of it fails. An entry that waits for it becomes empty again."""
        try:
            self.client.call("uploadToken", "delete", {"uploadTokenId": token_id}, repeatable=True)
        except KalturaNotFoundError:
            return

    def add_token(self, file_name: str, size: int) -> TokenView:
        """Add a token."""
        token = {"objectType": "KalturaUploadToken", "fileName": file_name, "fileSize": size}
        return TokenView.of(self.client.call("uploadToken", "add", {"uploadToken": token}))

    def write_tags(self, entry_id: str, tags: Iterable[str], beside: Mapping[str, Any] | None = None) -> None:
        """Give an entry exactly these adminTags, and the properties in ``beside``. It is safe to repeat this."""
        changes = {"objectType": "KalturaBaseEntry", "adminTags": ",".join(tags), **(beside or {})}
        self.client.call("baseEntry", "update", {"entryId": entry_id, "baseEntry": changes}, repeatable=True)

    def write_marks(
        self, entry: EntryView, item_id: str, *marks: str, beside: Mapping[str, Any] | None = None
    ) -> EntryView:
        """Replace the content marks of ``entry`` with ``marks``, check that they stay, and return the entry.

        :param beside: other properties of the entry to write with them.

        Kaltura has no conditional update. A write by somebody else between our read and our write is lost, or ours is;
        that is why the entry is read again.

        :raises MarkLostError: the marks do not stay.
        """
        current = entry
        for _ in range(_TRIES):
            self.write_tags(entry.id, current.tags_with(item_id, marks), beside)
            seen = self.entry(entry.id)
            if seen is None:
                break
            if set(marks) <= set(seen.admin_tags) and seen.is_item(item_id):
                return seen
            current = seen
        raise _lost(entry.id, marks)

    def add_marks(self, entry_id: str, *marks: str) -> None:
        """Give an entry the marks of its sidecar files or its metadata, and keep all its other adminTags.

        A mark replaces the earlier one of its kind.

        :raises MarkLostError: the marks do not stay.
        """
        for _ in range(_TRIES):
            entry = self.entry(entry_id)
            if entry is None or set(marks) <= set(entry.admin_tags):
                return
            self.write_tags(entry_id, entry.tags_beside(marks))
        raise _lost(entry_id, marks)


def _list_tokens(file_name: str) -> Request:
    return list_request("uploadToken", {"fileNameEqual": file_name, "statusIn": "0,1,2,3"})


def _list_marked(marks: str) -> list[Request]:
    return [
        _list("media", _EVERY_STATUS, adminTagsMultiLikeOr=marks),
        _list("baseEntry", _EVERY_STATUS, adminTagsMultiLikeOr=marks, typeIn=_OTHER_TYPES),
    ]


def _list(service: str, statuses: str, **conditions: str) -> Request:
    kind = "KalturaMediaEntryFilter" if service == "media" else "KalturaBaseEntryFilter"
    conditions |= {"statusIn": statuses, "moderationStatusIn": _EVERY_MODERATION}
    return list_request(service, {"objectType": kind, **conditions})


def _by_id(entry_id: str) -> tuple[str, str, dict[str, Any]]:
    # A filter by id reads the database without default filters: deleted entries are returned too.
    entry_filter = {"objectType": "KalturaBaseEntryFilter", "idEqual": entry_id}
    return "baseEntry", "list", {"filter": entry_filter}


def _one_entry(reply: Any) -> EntryView | None:
    return next((EntryView.of(values) for values in reply["objects"]), None)


def _lost_mark(entry: EntryView, item_id: str) -> bool:
    ours = entry.reference_id is not None and entry.reference_id.lower() == reference_for(item_id)
    marked = entry.has_item_mark or any(tag.startswith(released_mark("")) for tag in entry.admin_tags)
    return ours and not marked and not entry.deleted


def _lost(entry_id: str, marks: Iterable[str]) -> MarkLostError:
    return MarkLostError(f"the adminTags {', '.join(marks)} do not stay on entry {entry_id}")
