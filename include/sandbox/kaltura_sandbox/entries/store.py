"""Entries as records: made, found, changed and shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.entries import notify
from kaltura_sandbox.entries.types import DELETED, IMAGE, NO_CONTENT, Kind, shown_type
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.ids import new_object_id
from kaltura_sandbox.store.search import search_text

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectType, Record

__all__ = ["change", "find", "new_entry", "next_content_version", "save", "show"]

_LANGUAGE = re.compile("[a-z]{2}(_[A-Z]{2})?")
_COMMON: dict[str, Any] = {
    "description": "",
    "tags": "",
    "categories": "",
    "categoriesIds": "",
    "status": NO_CONTENT,
    "moderationCount": 0,
    "rank": 0,
    "totalRank": 0,
    "votes": 0,
    "version": 0,
    "accessControlId": 2,
    "replacementStatus": 0,
    "partnerSortValue": 0,
    "operationAttributes": [],
    "entitledUsersEdit": "",
    "entitledUsersPublish": "",
    "entitledUsersView": "",
    "capabilities": "",
    "displayInSearch": 1,
    "blockAutoTranscript": False,
}
_MEDIA: dict[str, Any] = {"licenseType": -1, "plays": 0, "views": 0, "duration": 0, "msDuration": 0, "sourceType": "6"}


def new_entry(account: Account, partner_id: int, user_id: str, kind: int) -> Record:
    """Return the record of a new entry, not yet stored."""
    now, entry_id = account.clock.now(), new_object_id()
    entry = _COMMON | {
        "id": entry_id,
        "name": f"{partner_id}_{now}",
        "partnerId": partner_id,
        "userId": user_id,
        "creatorId": user_id,
        "moderationStatus": 1 if account.config.moderate else 6,
        "type": kind,
        "createdAt": now,
        "updatedAt": now,
        "rootEntryId": entry_id,
    }
    if kind in (Kind.MEDIA, Kind.LIVE):
        entry |= _MEDIA
    elif kind != Kind.DATA:
        entry["licenseType"] = -1
    return entry


def save(account: Account, entry: Record) -> Record:
    """Store an entry and hand it to the search index.

    What is returned, and so the reply of the call that sent it, is the entry as it was sent, not as it is stored.
    """
    with account.database.transaction():
        if templates := notify.wanted(account):
            before = account.tables.entries.get(entry["id"])
            shown = shown_at(_own_url(account), account.tables.entries.as_stored(entry))
            notify.queue_notifications(account, templates, before, entry, shown)
        account.tables.entries.put(entry)
        account.search.index(account.tables.entries.as_stored(entry))
    return entry


def change(account: Account, entry_id: str, **changes: Any) -> Record | None:
    """Set properties of a stored entry and its ``updatedAt``; None when it does not exist."""
    with account.database.transaction():
        entry = account.tables.entries.get(entry_id)
        if entry is None:
            return None
        return save(account, {**entry, "updatedAt": account.clock.now(), **changes})


def find(call: Call, entry_id: str, *kinds: int) -> Record:
    """Return an entry that is not deleted, of one of these types if any are given.

    :raises KalturaError: ``ENTRY_ID_NOT_FOUND``.
    """
    entry = call.tables.entries.get(entry_id)
    if entry is None or entry["status"] == DELETED or (kinds and entry["type"] not in kinds):
        raise KalturaError("ENTRY_ID_NOT_FOUND", entry_id)
    return entry


def next_content_version(version: Any) -> str:
    """Return the version of an entry's own file after its next change: 100002, 100012 and so on."""
    return str(int(version) + 10) if version else "100002"


def _own_url(account: Account) -> str:
    return f"http://{account.config.host}:{account.config.port}"


def show(call: Call, entry: Record, as_type: ObjectType | None = None) -> Record:
    """Return an entry as a reply shows it, in the language the call asks for."""
    return _in_language(call, shown_at(call.base_url, entry, as_type))


def shown_at(base_url: str, entry: Record, as_type: ObjectType | None = None) -> Record:
    """Return an entry as it is shown, with URLs that begin with ``base_url``."""
    entry_id, partner = entry["id"], entry["partnerId"]
    base = f"{base_url}/p/{partner}/sp/{partner}00"
    version = entry.get("version") or 0
    image = entry.get("mediaType") == IMAGE
    computed = {
        "searchText": search_text(entry),
        "thumbnailUrl": f"{base}/thumbnail/entry_id/{entry_id}/version/{entry.get('_thumb_version', 0)}",
        "downloadUrl": f"{base}/raw/entry_id/{entry_id}/version/{version}",
    }
    if entry["type"] == Kind.MEDIA and not image:
        manifest = f"{base}/playManifest/entryId/{entry_id}/format"
        computed["downloadUrl"] = f"{manifest}/download/protocol/http/flavorParamIds/0"
        computed["dataUrl"] = f"{manifest}/url/protocol/http"
    elif image:
        computed["dataUrl"] = (
            f"{base}/thumbnail/entry_id/{entry_id}/def_height/480/def_width/640/version/{version}/type/1"
        )
    return (as_type or shown_type(entry["type"])).dump(entry | computed)


def _in_language(call: Call, shown: Record) -> Record:
    """Give texts as lists of language and value where ``language=multi`` asks for that."""
    language = str(call.params.get("language") or "")
    if language and language != "multi" and not _LANGUAGE.fullmatch(language):
        raise KalturaError("INVALID_LANGUAGE_CODE", language)
    if language == "multi":
        for name in ("name", "description", "tags"):
            if name in shown:
                value = {"language": "default", "value": shown[name], "objectType": "KalturaMultiLingualString"}
                shown[name] = [value]
    return shown
