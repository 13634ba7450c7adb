"""raw, download and serveFlavor: files as they are stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets.types import alive
from kaltura_sandbox.delivery.access import admit, entry_of
from kaltura_sandbox.delivery.errors import DeliveryError
from kaltura_sandbox.delivery.files import serve_file
from kaltura_sandbox.delivery.flavors import playable
from kaltura_sandbox.delivery.streams import dash_directory, hls_directory
from kaltura_sandbox.entries.types import Kind
from kaltura_sandbox.server.message import Response

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.delivery.paths import DeliveryPath
    from kaltura_sandbox.server.message import Request

__all__ = ["download", "packaged", "raw", "serve_flavor"]

_FAILED = 200  # these URLs answer an empty 200 where others say 404


def raw(account: Account, request: Request, path: DeliveryPath) -> Response:
    """Return the file of an entry: its own, its source flavor, or the best flavor there is."""
    try:
        entry = entry_of(account, path.params.get("entry_id", ""))
        admit(account, request, path, entry)
    except DeliveryError as error:
        raise DeliveryError(error.number, _FAILED) from error
    if entry["type"] == Kind.DATA and not entry.get("_path"):
        body = (entry.get("dataContent") or "").encode()
        return Response(200, {"Content-Type": "text/plain; charset=UTF-8"}, body)
    found = _content(account, entry)
    if found is None:
        return Response(404, {"KalturaRaw": "no file for this entry"})
    name = path.params.get("file_name") or f"{entry['name']}.{found.suffix[1:]}"
    return serve_file(request, found, download_as="" if path.params.get("direct_serve") == "1" else name)


def _content(account: Account, entry: Record) -> Path | None:
    if entry.get("_path"):
        path = Path(entry["_path"])
        return path if path.is_file() else None
    source = flavors.source_of(account, entry["id"])
    if source is not None and Path(source.get("_path", "")).is_file():
        return Path(source["_path"])
    ready = playable(account, entry["id"])
    return Path(ready[-1]["_path"]) if ready else None


def download(account: Account, request: Request, path: DeliveryPath) -> Response:
    """Return a flavor for the disk: first a redirect to the same URL with ``/relocate/<name>``, then the file."""
    try:
        entry = entry_of(account, path.params.get("entry_id", ""))
        admit(account, request, path, entry)
        asset = _flavor(account, entry, path.params.get("flavor", "")) if path.params.get("flavor") else None
    except DeliveryError as error:
        raise DeliveryError(error.number, _FAILED) from error
    found = Path(asset["_path"]) if asset else _content(account, entry)
    if found is None:
        raise DeliveryError(5, _FAILED)
    name = path.params.get("file_name") or f"{entry['id']}.{found.suffix[1:]}"
    if "relocate" not in path.params:
        return Response(302, {"Location": f"{request.base_url}{request.path.rstrip('/')}/relocate/{name}"})
    return serve_file(request, found, download_as=path.params["relocate"])


def serve_flavor(account: Account, request: Request, path: DeliveryPath) -> Response:
    """Return the file of a flavor."""
    try:
        entry = entry_of(account, path.params.get("entryId", ""))
        asset = _flavor(account, entry, path.params.get("flavorId", ""))
    except DeliveryError as error:
        raise DeliveryError(error.number, _FAILED) from error
    return serve_file(request, Path(asset["_path"]), download_as=path.params.get("fileName", ""))


def packaged(account: Account, request: Request, path: DeliveryPath, kind: str) -> Response:
    """Return a playlist, manifest or segment of a stream.

    :raises DeliveryError: 1, 5 or 6 when entry, file or flavor is not there.
    """
    entry = entry_of(account, path.params.get("entryId", ""))
    if kind == "hls":
        directory = hls_directory(account, _flavor(account, entry, path.params.get("flavorId", "")))
    else:
        ids = path.params.get("flavorIds", "").split(",")
        directory = dash_directory(account, [_flavor(account, entry, flavor_id) for flavor_id in ids])
    found = directory / path.tail
    if not path.tail or found.parent != directory or not found.is_file():
        raise DeliveryError(5)
    return serve_file(request, found)


def _flavor(account: Account, entry: Record, flavor_id: str) -> Record:
    asset = alive(account, flavor_id, "flavor")
    if asset is None or asset["entryId"] != entry["id"]:
        raise DeliveryError(6)
    if not flavors.is_ready(asset) or not Path(asset.get("_path", "")).is_file():
        raise DeliveryError(5)
    return asset
