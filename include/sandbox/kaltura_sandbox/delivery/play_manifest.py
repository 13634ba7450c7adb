"""playManifest: how a player finds what to play."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kaltura_sandbox.delivery.access import admit, entry_of
from kaltura_sandbox.delivery.errors import DeliveryError
from kaltura_sandbox.delivery.files import content_type
from kaltura_sandbox.delivery.flavors import best, choose
from kaltura_sandbox.delivery.paths import DeliveryPath
from kaltura_sandbox.delivery.streams import master_playlist
from kaltura_sandbox.entries.types import IMAGE, Kind
from kaltura_sandbox.server.message import Response

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.server.message import Request

__all__ = ["play_manifest"]

_SHORT = {
    "e": "entryId",
    "f": "format",
    "fi": "flavorId",
    "fs": "flavorIds",
    "fp": "flavorParamId",
    "fps": "flavorParamIds",
    "mb": "maxBitrate",
}
_TYPES = (Kind.MEDIA, Kind.PLAYLIST, Kind.LIVE, Kind.LIVE_CHANNEL)
_DEFAULT_FORMAT = "http"


def play_manifest(account: Account, request: Request, path: DeliveryPath) -> Response:
    """Answer a manifest, or a redirect to the file for ``format/url`` and ``format/download``.

    :raises DeliveryError: see the numbers in :mod:`kaltura_sandbox.delivery.errors`.
    """
    named = {_SHORT.get(name, name): value for name, value in path.params.items()}
    path = DeliveryPath(path.action, named, path.tail, path.partner)
    entry = entry_of(account, named.get("entryId", ""))
    if entry["type"] not in _TYPES or entry.get("mediaType") == IMAGE:
        raise DeliveryError(12)
    kind = named.get("format", _DEFAULT_FORMAT).lower()
    if kind not in ("url", "download", "applehttp", "mpegdash", _DEFAULT_FORMAT):
        raise DeliveryError(25)
    admit(account, request, path, entry)
    chosen = choose(account, entry, path, kind)
    base = f"{request.base_url}/p/{entry['partnerId']}/sp/{entry['partnerId']}00/serveFlavor/entryId/{entry['id']}"
    if kind in ("url", "download"):
        return _redirect(_file_url(base, entry, best(chosen, path), kind))
    if kind == "applehttp":
        return _text("m3u8", master_playlist(entry, [(flavor, _hls_url(base, flavor)) for flavor in chosen]))
    if kind == "mpegdash":
        ids = ",".join(flavor["id"] for flavor in chosen)
        return _redirect(f"{_prefixed(base, 'dash')}/flavorIds/{ids}/name/a.mp4/manifest.mpd")
    return _f4m(entry, [(flavor, _file_url(base, entry, flavor, "url")) for flavor in chosen])


def _prefixed(base: str, kind: str) -> str:
    head, _, tail = base.partition("/p/")
    return f"{head}/{kind}/p/{tail}"


def _hls_url(base: str, flavor: Record) -> str:
    return f"{_prefixed(base, 'hls')}/v/{flavor['version']}/flavorId/{flavor['id']}/name/a.mp4/index.m3u8"


def _file_url(base: str, entry: Record, flavor: Record, kind: str) -> str:
    extension = flavor.get("fileExt") or "mp4"
    url = f"{base}/v/{flavor['version']}/flavorId/{flavor['id']}"
    if kind == "download":
        name = "".join(letter if letter.isalnum() else "_" for letter in entry["name"])[:100]
        return f"{url}/fileName/{name.encode('ascii', 'replace').decode().replace('?', '_')}.{extension}"
    return f"{url}/name/a.{extension}"


def _redirect(url: str) -> Response:
    return Response(302, {"Location": url, "Access-Control-Allow-Origin": "*"})


def _text(extension: str, text: str) -> Response:
    headers = {"Content-Type": content_type(extension), "Access-Control-Allow-Origin": "*"}
    return Response(200, headers, text.encode())


def _f4m(entry: Record, renditions: list[tuple[Record, str]]) -> Response:
    media = "".join(
        f'<media url="{escape(url)}" bitrate="{flavor.get("bitrate", 0)}" '
        f'width="{flavor.get("width", 0)}" height="{flavor.get("height", 0)}"/>'
        for flavor, url in renditions
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest xmlns="http://ns.adobe.com/f4m/1.0">'
        f"<id>{entry['id']}</id><mimeType>video/mp4</mimeType><streamType>recorded</streamType>"
        f"<duration>{entry.get('msDuration', 0) / 1000}</duration>{media}</manifest>"
    )
    return Response(200, {"Content-Type": "text/xml; charset=UTF-8", "Access-Control-Allow-Origin": "*"}, text.encode())
