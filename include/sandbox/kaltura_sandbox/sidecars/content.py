"""What thumbnails, attachments and captions share: found by id, filled from a resource, listed, served, deleted."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.call import FileReply
from kaltura_sandbox.api.listing import list_reply, page
from kaltura_sandbox.assets import types as asset_types
from kaltura_sandbox.assets.query import list_assets
from kaltura_sandbox.assets.types import alive, new_asset, next_version
from kaltura_sandbox.entries.resources import TOKEN_RESOURCE, URL_RESOURCE, local_file
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.fetching import FetchError, clean_url, download, extension_of
from kaltura_sandbox.server.message import Response
from kaltura_sandbox.uploads import attach
from kaltura_sandbox.uploads.attach import File, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectType, ObjectValue, Record

__all__ = ["AssetKind", "AssetShelf", "fetch_file", "properties_sent"]

# What the database fills in; each kind shows of it what it declares.
_UNSENT = {"description": "", "thumbParamsId": 0, "captionParamsId": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetKind:
    """One kind of asset: the names it has in records, replies, tokens and errors.

    ``token_type`` is what a token calls it in ``attachedObjectType``; ``download_failed`` is empty for kinds whose URLs
    are fetched by a job; ``service`` and ``id_name`` make the URL that serves it.
    """

    name: str
    type: ObjectType
    token_type: str
    not_found: str
    not_ready: str
    list_type: str
    download_failed: str = ""
    service: str = ""
    id_name: str = ""


class AssetShelf:
    """The actions that every kind of asset has.

    :param arrived: called with the account and the asset that has a new file; returns properties to set beside it.
    """

    def __init__(self, kind: AssetKind, arrived: Callable[[Account, Record], Record] | None = None) -> None:
        self.kind, self._arrived = kind, arrived
        attach.register(kind.token_type, Target(self._fill, self._forget))

    def find(self, call: Call, asset_id: str) -> Record:
        """Return an asset by its id.

        :raises KalturaError: it does not exist, or is of another kind.
        """
        asset = alive(call.account, asset_id, self.kind.name)
        if asset is None:
            raise KalturaError(self.kind.not_found, asset_id)
        return asset

    def add(self, call: Call, entry: Record, value: ObjectValue | None, **properties: Any) -> Record:
        """Store a new asset, QUEUED and without file, from the properties sent over those given."""
        sent = properties_sent(value) if value is not None else {}
        return new_asset(call.account, entry, self.kind.name, **(_UNSENT | properties | sent))

    def show(self, asset: Record, *, fresh: bool = False) -> Record:
        """Return an asset as a reply shows it; one made in this very call lacks what only the database fills in."""
        if fresh:
            asset = {name: value for name, value in asset.items() if name not in _UNSENT or value}
        return self.kind.type.dump(asset)

    def fill(self, account: Account, asset: Record, file: File) -> Record:
        """Make a file the content of an asset: it is READY."""
        version = next_version(asset.get("version"))
        path = account.files.keep(file.path, asset["id"], version, file.extension)
        changed = {
            **asset,
            "version": version,
            "fileExt": file.extension,
            "size": file.size,
            "sizeInBytes": file.size,
            "status": asset_types.READY,
            "updatedAt": account.clock.now(),
            "_path": str(path),
        }
        if self._arrived is not None:
            changed |= self._arrived(account, changed)
        return account.tables.assets.put(changed)

    def set_content(self, call: Call, asset: Record, resource: ObjectValue) -> Record:
        """Fill an asset from a resource; a token that is not full leaves it IMPORTING.

        :raises KalturaError: the resource cannot be used, or its URL could not be fetched.
        """
        if resource.type.is_a(TOKEN_RESOURCE):
            token_id = resource.get("token", "")
            with call.account.locks.hold(token_id), call.account.database.transaction():
                file = attach.claim(call.account, token_id, self.kind.token_type, asset["id"])
                if file is None:
                    return call.tables.assets.put({**asset, "status": asset_types.IMPORTING})
            # Outside the transaction: a look into the file may take a while.
            return self.fill(call.account, asset, file)
        if resource.type is URL_RESOURCE:
            return self._from_url(call, asset, resource)
        local = local_file(call, resource)
        if local is None:
            raise KalturaError("RESOURCE_TYPE_NOT_SUPPORTED", resource.type.name)
        return self.fill(call.account, asset, local)

    def _from_url(self, call: Call, asset: Record, resource: ObjectValue) -> Record:
        url = resource.get("url")
        if url is None:
            raise KalturaError("PROPERTY_VALIDATION_CANNOT_BE_NULL", f"{resource.type.name}::url")
        headers = [item.get("value", "") for item in resource.get("urlHeaders", [])]
        if not self.kind.download_failed:
            target = {"object_type": self.kind.token_type, "asset_id": asset["id"]}
            call.account.jobs.add("asset_import", **target, url=url, headers=headers)
            return call.tables.assets.put({**asset, "status": asset_types.IMPORTING})
        return self.fill_from_url(call, asset, url, headers)

    def fill_from_url(self, call: Call, asset: Record, url: str, headers: list[str]) -> Record:
        """Fetch a URL during the call.

        :raises KalturaError: it could not be fetched; the asset is in ERROR.
        """
        try:
            file = fetch_file(call.account, url, headers)
        except FetchError as error:
            call.tables.assets.change(asset["id"], status=asset_types.ERROR)
            raise KalturaError(self.kind.download_failed, url) from error
        return self.fill(call.account, asset, file)

    def list(self, call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
        """Return the assets of the entries a filter names.

        :raises KalturaError: it does not name an entry.
        """
        found = list_assets(call, self.kind.name, wanted)
        limit, offset = page(pager)
        shown = [self.show(asset) for asset in found[offset : offset + limit]]
        return list_reply(self.kind.list_type, len(found), shown)

    def update(self, call: Call, asset_id: str, value: ObjectValue) -> Record:
        """Change the properties of an asset."""
        stored = self.find(call, asset_id)
        value.check_update(stored)
        changed = {**stored, **value.values, "updatedAt": call.account.clock.now()}
        return self.show(call.tables.assets.put(changed))

    def delete(self, call: Call, asset_id: str) -> None:
        """Delete an asset."""
        asset = self.find(call, asset_id)
        now = call.account.clock.now()
        call.tables.assets.put({**asset, "status": asset_types.DELETED, "updatedAt": now, "deletedAt": now})

    def url(self, call: Call, asset_id: str) -> str:
        """Return the URL that serves an asset's file.

        :raises KalturaError: it has no file yet.
        """
        asset = self._ready(call, asset_id)
        name = f"{asset['id']}.{asset.get('fileExt') or 'noex'}"
        serve = f"{call.base_url}/api_v3/service/{self.kind.service}/action/serve"
        return f"{serve}/{self.kind.id_name}/{asset['id']}/{name}"

    def serve(self, call: Call, asset_id: str) -> FileReply:
        """Return an asset's file."""
        asset = self._ready(call, asset_id)
        path = Path(asset["_path"])
        kind = mimetypes.guess_type(f"x.{asset.get('fileExt')}")[0] or "application/octet-stream"
        return FileReply(Response(200, {"Content-Type": kind}, file=path))

    def _ready(self, call: Call, asset_id: str) -> Record:
        asset = self.find(call, asset_id)
        if asset["status"] != asset_types.READY or not Path(asset.get("_path", "")).is_file():
            raise KalturaError(self.kind.not_ready)
        return asset

    def _fill(self, account: Account, asset_id: str, file: File) -> bool:
        asset = alive(account, asset_id, self.kind.name)
        if asset is None:
            return False
        self.fill(account, asset, file)
        return True

    def _forget(self, account: Account, asset_id: str, _finished: bool) -> None:
        asset = account.tables.assets.get(asset_id)
        if asset is not None and asset["status"] == asset_types.IMPORTING:
            account.tables.assets.change(asset_id, status=asset_types.QUEUED)


def fetch_file(account: Account, url: str, headers: list[str]) -> File:
    """Fetch a URL into a temporary file.

    :raises FetchError: it could not be fetched.
    """
    url, target = clean_url(url), account.files.temporary_path()
    length = download(url, target, headers)
    return File(target, extension_of(url) or "noex", length)


def properties_sent(value: ObjectValue) -> dict[str, Any]:
    """Return the properties of a new asset that were sent and are not null."""
    value.check_insert()
    return {name: item for name, item in value.values.items() if item is not None}
