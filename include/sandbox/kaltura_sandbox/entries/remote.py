"""Content that stays on a remote storage: a storage profile names the storage, the entry only points to the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.types import IMAGE, PRECONVERT, READY, Kind
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["address_of", "point_to"]


def point_to(call: Call, entry: Record, resource: ObjectValue) -> None:
    """Make a file on a remote storage an entry's content; its conversion reads it from there.

    :raises KalturaError: ``STORAGE_PROFILE_ID_NOT_FOUND``, before anything is changed.
    """
    resource.require("url", "storageProfileId")
    number = resource.get("storageProfileId")
    profile = call.tables.storage_profiles.get(number)
    if profile is None:
        raise KalturaError("STORAGE_PROFILE_ID_NOT_FOUND", number)
    path = str(resource.get("url")).removeprefix(profile.get("deliveryHttpBaseUrl") or "")
    source = {"sourceType": "5"} if entry["type"] == Kind.MEDIA else {}
    remote = {"storageProfileId": number, "uri": path}
    with call.account.database.transaction():
        if entry.get("mediaType") == IMAGE:
            store.change(call.account, entry["id"], status=READY, _remote=remote, **source)
        else:
            extension = os.path.splitext(path)[1][1:].lower()
            call.account.tables.assets.put(
                {**flavors.new_source(call.account, entry, waiting=False), "fileExt": extension}
            )
            store.change(call.account, entry["id"], status=PRECONVERT, _remote=remote, **source)
        call.account.jobs.add("remote_source", entry_id=entry["id"], url=address_of(profile, path))


def address_of(profile: Record, path: str) -> str:
    """Return where a file on a storage can be fetched."""
    return f"{(profile.get('deliveryHttpBaseUrl') or '').rstrip('/')}/{path.lstrip('/')}"
