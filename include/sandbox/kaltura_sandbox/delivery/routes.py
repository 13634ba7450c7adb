"""The routes of delivery: from a path to the function that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.delivery import downloads, paths
from kaltura_sandbox.delivery.errors import DeliveryError
from kaltura_sandbox.delivery.play_manifest import play_manifest
from kaltura_sandbox.delivery.thumbnail import thumbnail
from kaltura_sandbox.routing import route

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.server.message import Request, Response

__all__: list[str] = []

_ACTIONS = {
    "playManifest": play_manifest,
    "thumbnail": thumbnail,
    "raw": downloads.raw,
    "download": downloads.download,
    "serveFlavor": downloads.serve_flavor,
}


@route("/p/")
def _deliver(account: Account, request: Request) -> Response | None:
    path = paths.parse(request.path, request.query)
    if path is None or path.action not in _ACTIONS:
        return None
    try:
        return _ACTIONS[path.action](account, request, path)
    except DeliveryError as error:
        return error.response()


@route("/hls/p/")
def _hls(account: Account, request: Request) -> Response | None:
    return _package(account, request, "hls")


@route("/dash/p/")
def _dash(account: Account, request: Request) -> Response | None:
    return _package(account, request, "dash")


def _package(account: Account, request: Request, kind: str) -> Response | None:
    path = paths.parse(request.path.removeprefix(f"/{kind}"), request.query)
    if path is None or path.action != "serveFlavor":
        return None
    try:
        return downloads.packaged(account, request, path, kind)
    except DeliveryError as error:
        return error.response()
