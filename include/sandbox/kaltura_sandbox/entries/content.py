"""Giving an entry its content, whatever resource it comes in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.entries import flavor_content, flow, images, remote, store
from kaltura_sandbox.entries.resources import (
    CONTAINER,
    CONTAINERS,
    REMOTE_RESOURCE,
    TOKEN_RESOURCE,
    URL_RESOURCE,
    local_file,
)
from kaltura_sandbox.entries.types import (
    AUDIO,
    ERROR_CONVERTING,
    ERROR_IMPORTING,
    IMAGE,
    IMPORT,
    NO_CONTENT,
    READY,
    VIDEO,
    Kind,
)  # fmt: skip
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.uploads import attach
from kaltura_sandbox.uploads.attach import File, Target

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["add_content", "adopt_extension", "give", "give_file", "media_type_of", "start_import"]

_VIDEO = frozenset(
    [
        "flv",
        "asf",
        "qt",
        "mov",
        "mpg",
        "mpeg",
        "avi",
        "wmv",
        "mp4",
        "m4v",
        "3gp",
        "vob",
        "f4v",
        "mkv",
        "mxf",
        "mts",
        "ts",
        "rm",
        "arf",
        "webm",
        "lxf",
    ]
)
_IMAGE = frozenset(["jpg", "jpeg", "bmp", "png", "gif", "tif", "tiff"])
_AUDIO = frozenset(["mp3", "wav", "wma", "amr", "m4a", "aiff", "aif", "ra", "ogg"])


def media_type_of(extension: str) -> int | None:
    """Return the media type a file extension stands for; ``mp4`` counts as video even when it only holds sound."""
    extension = extension.lower()
    if extension in _VIDEO:
        return VIDEO
    if extension in _IMAGE:
        return IMAGE
    return AUDIO if extension in _AUDIO else None


def add_content(call: Call, entry: Record, resource: ObjectValue) -> Record:
    """``addContent``: only for an entry without content.

    :raises KalturaError: ``ENTRY_ALREADY_WITH_CONTENT`` and whatever the resource raises.
    """
    if entry["status"] != NO_CONTENT:
        raise KalturaError("ENTRY_ALREADY_WITH_CONTENT")
    give(call, entry, resource)
    return call.tables.entries.get(entry["id"]) or entry


def give(call: Call, entry: Record, resource: ObjectValue) -> None:
    """Make a resource the content of an entry, or set it on its way."""
    if resource.type.is_a(TOKEN_RESOURCE):
        _give_token(call.account, entry, resource.get("token", ""))
    elif resource.type is CONTAINER:
        flavor_content.give_flavors(call, entry, [resource])
    elif resource.type is CONTAINERS:
        flavor_content.give_flavors(call, entry, resource.get("resources", []))
    elif resource.type.is_a(REMOTE_RESOURCE):
        remote.point_to(call, entry, resource)
    elif resource.type.is_a(URL_RESOURCE):
        start_import(call.account, entry, resource)
    else:
        file = local_file(call, resource)
        if file is None:
            store.change(call.account, entry["id"], status=ERROR_IMPORTING)
            raise KalturaError("RESOURCE_TYPE_NOT_SUPPORTED", resource.type.name)
        with call.account.database.transaction():
            give_file(call.account, entry, file)


def _give_token(account: Account, entry: Record, token_id: str) -> None:
    # The token's lock before the database's, the order in which an upload takes them.
    with account.locks.hold(token_id), account.database.transaction():
        token = account.tables.tokens.get(token_id) or {}
        entry = adopt_extension(account, entry, Path(token.get("fileName") or "").suffix[1:])
        if entry["type"] == Kind.DATA and token.get("status") in (0, 1):
            raise KalturaError("FILE_CONTENT_NOT_SECURE")
        if entry.get("mediaType") == IMAGE:
            file = attach.claim(account, token_id, "entry", entry["id"])
            if file is None:
                store.change(account, entry["id"], status=IMPORT, sourceType="1")
                return
        else:
            if token.get("status") not in (0, 1, 2, 3):
                raise KalturaError("UPLOAD_TOKEN_NOT_FOUND")
            if token["status"] != 2:
                asset = flow.source_waits(account, entry)
                attach.claim(account, token_id, "flavorAsset", asset["id"])
                return
            file = attach.claim(account, token_id, "flavorAsset", "")
        if file is not None:
            give_file(account, entry, file)


def give_file(account: Account, entry: Record, file: File, *, count_size: bool = True, source_type: str = "1") -> None:
    """Make a complete file the content of an entry."""
    entry = adopt_extension(account, entry, file.extension)
    if entry["type"] == Kind.DATA:
        version = store.next_content_version(entry.get("version"))
        path = account.files.keep(file.path, entry["id"], version, file.extension)
        store.change(account, entry["id"], status=READY, version=version, _path=str(path))
    elif entry.get("mediaType") == IMAGE:
        images.set_image(account, entry, file)
    else:
        if entry["type"] == Kind.MEDIA:
            store.change(account, entry["id"], sourceType=source_type)
        asset = flavors.new_source(account, entry, waiting=False)
        flow.source_arrived(account, entry["id"], asset, file, count_size=count_size)


def adopt_extension(account: Account, entry: Record, extension: str) -> Record:
    """Let a file extension say what an entry of automatic type is; unknown ones leave it as it is."""
    if entry["type"] != Kind.AUTOMATIC or (media_type := media_type_of(extension)) is None:
        return entry
    fresh = store.new_entry(account, entry["partnerId"], entry["userId"], Kind.MEDIA)
    return store.save(account, {**fresh, **entry, "type": Kind.MEDIA, "mediaType": media_type})


def start_import(account: Account, entry: Record, resource: ObjectValue) -> None:
    """Fetch a URL: at once for images, else by a job."""
    url = resource.get("url")
    if url is None:
        raise KalturaError("PROPERTY_VALIDATION_CANNOT_BE_NULL", "KalturaUrlResource::url")
    changes = {"status": IMPORT}
    headers = [item.get("value", "") for item in resource.get("urlHeaders", [])]
    entry = store.change(account, entry["id"], **changes, **_source_type(entry)) or entry
    job = {"url": url, "headers": headers}
    if entry.get("mediaType") == IMAGE and not resource.get("forceAsyncDownload"):
        account.jobs.run_now("import", entry_id=entry["id"], **job)
    else:
        account.jobs.add("import", entry_id=entry["id"], **job)


def _source_type(entry: Record) -> Record:
    return {"sourceType": "5"} if entry["type"] == Kind.MEDIA else {}


def copy_of(account: Account, path: Path, extension: str) -> File:
    """Return a copy of stored content, ready to be moved to another object."""
    target = account.files.temporary_path()
    shutil.copyfile(path, target)
    return File(target, extension, target.stat().st_size)


def _fill_entry(account: Account, entry_id: str, file: File) -> bool:
    entry = account.tables.entries.get(entry_id)
    if entry is None or entry["status"] == 3:
        return False
    give_file(account, entry, file)
    return True


def _forget_entry(account: Account, entry_id: str, finished: bool) -> None:
    entry = account.tables.entries.get(entry_id)
    if entry is not None and (entry["status"] in (IMPORT, ERROR_CONVERTING) or finished):
        store.change(account, entry_id, status=NO_CONTENT)


attach.register("entry", Target(_fill_entry, _forget_entry))
