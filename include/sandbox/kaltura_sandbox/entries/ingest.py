"""Create and change entries, for the add and update actions of all entry services."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kaltura_sandbox.entries import content, properties, store
from kaltura_sandbox.entries.types import DOCUMENT_ENTRY, MEDIA_ENTRY, READY, Kind
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.uploads import attach, tokens

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["add_entry", "add_from_token", "update_entry"]


def add_entry(call: Call, value: ObjectValue, kind: int = Kind.AUTOMATIC) -> Record:
    """Store a new entry from the object sent.

    Its type is that of the object, else the one asked for. With profile -1 a media entry is READY without content.
    """
    value.check_insert()
    if value.type.is_a(MEDIA_ENTRY):
        value.require("mediaType")
    elif value.type.is_a(DOCUMENT_ENTRY):
        value.require("documentType")
    own = properties.kind_of(value)
    if own == Kind.AUTOMATIC:
        own = value.get("type", kind) if kind == Kind.AUTOMATIC else kind
    entry = store.new_entry(call.account, call.partner_id, value.get("userId", call.user_id), own)
    _from_template(call, entry, value)
    with call.account.database.transaction():
        properties.apply(call, entry, value, insert=True)
        entry["type"] = own
        if value.get("creatorId"):
            entry["creatorId"] = value.get("creatorId")
        if own == Kind.MEDIA and entry.get("conversionProfileId") == -1:
            entry["status"] = READY
        _know_user(call, entry["userId"])
        return store.save(call.account, entry)


def _from_template(call: Call, entry: Record, value: ObjectValue) -> None:
    """Fill properties that were not sent from the template entry."""
    template = call.tables.entries.get(value.get("templateEntryId", ""))
    if template is not None:
        for name in ("description", "tags", "adminTags", "partnerData", "licenseType", "conversionProfileId"):
            if template.get(name) is not None:
                entry[name] = template[name]


def _know_user(call: Call, user_id: str) -> None:
    """Users come into being when they are first named."""
    if user_id and call.tables.users.get(user_id) is None:
        call.tables.users.put({"id": user_id, "createdAt": call.account.clock.now()})


def add_from_token(call: Call, value: ObjectValue, token_id: str, kind: int = Kind.AUTOMATIC) -> Record:
    """Store a new entry with the content of a full token.

    :raises KalturaError: ``UPLOAD_TOKEN_INVALID_STATUS_FOR_ADD_ENTRY``; ``INTERNAL_SERVERL_ERROR`` for an unknown
        token, and for those who lose a race for one.
    """
    account = call.account
    seen = account.tables.tokens.get(token_id)
    if seen is None or seen["status"] == tokens.DELETED:
        raise KalturaError("INTERNAL_SERVERL_ERROR")
    if seen["status"] != tokens.FULL:
        lost_a_race = call.arrived < account.consumed.get(token_id, 0)
        raise KalturaError("INTERNAL_SERVERL_ERROR" if lost_a_race else "UPLOAD_TOKEN_INVALID_STATUS_FOR_ADD_ENTRY")
    with account.locks.hold(token_id), account.database.transaction():
        token = account.tables.tokens.get(token_id) or seen
        if token["status"] != tokens.FULL:
            # It was full when this call looked: somebody else was faster.
            raise KalturaError("INTERNAL_SERVERL_ERROR")
        entry = add_entry(call, value, kind)
        if entry.get("conversionProfileId") == -1:
            entry = store.save(account, {**entry, "status": 7})
        file = attach.close(account, token)
        content.give_file(account, entry, file, count_size=False)
        account.consumed[token_id] = time.monotonic()
        return account.tables.entries.get(entry["id"]) or entry


def update_entry(call: Call, entry: Record, value: ObjectValue) -> Record:
    """Change the properties sent."""
    value.check_update(entry)
    with call.account.database.transaction():
        current = call.tables.entries.get(entry["id"]) or entry
        properties.apply(call, current, value, insert=False)
        current["updatedAt"] = call.account.clock.now()
        return store.save(call.account, current)
