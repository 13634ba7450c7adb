"""Takes the place of the workers: a test gives the result of a job, and entries and flavors change accordingly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets.flavors import MediaInfo
from kaltura_sandbox.entries import content, flow
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["EVENTS", "event"]

_MEDIA = {"duration": 61500, "width": 1280, "height": 720, "bitrate": 2000, "frame_rate": 25}


def _media(body: dict[str, Any]) -> MediaInfo:
    return MediaInfo(**(_MEDIA | body.get("media", {})))


def _renditions(account: Account, body: dict[str, Any]) -> list[Record]:
    wanted = body.get("flavorParamsId")
    return [
        flavor
        for flavor in flavors.flavors_of(account, body["entryId"])
        if not flavor["isOriginal"] and wanted in (None, flavor["flavorParamsId"]) and flavor["status"] != 4
    ]


def _analysed(account: Account, body: dict[str, Any]) -> None:
    flow.analysed(account, body["entryId"], _media(body))


def _analysis_failed(account: Account, body: dict[str, Any]) -> None:
    flow.analysed(account, body["entryId"], None)


def _converted(account: Account, body: dict[str, Any]) -> None:
    for flavor in _renditions(account, body):
        flow.converted(account, flavor["id"], _file(account, int(body.get("size", 40000))))


def _ready(account: Account, body: dict[str, Any]) -> None:
    for flavor in _renditions(account, body):
        flow.rendition_ready(account, flavor["id"], _media(body))


def _failed(account: Account, body: dict[str, Any]) -> None:
    for flavor in _renditions(account, body):
        flow.rendition_failed(account, flavor["id"], str(body.get("reason", "")))


def _conversion_failed(account: Account, body: dict[str, Any]) -> None:
    flow.conversion_failed(account, body["entryId"], str(body.get("reason", "")))


def _import_failed(account: Account, body: dict[str, Any]) -> None:
    account.jobs.abort(body["entryId"])
    flow.import_failed(account, body["entryId"], str(body.get("reason", "import failed")))


def _imported(account: Account, body: dict[str, Any]) -> None:
    entry = account.tables.entries.get(body["entryId"])
    if entry is None:
        raise KeyError(body["entryId"])
    account.jobs.abort(entry["id"])
    size = int(body.get("size", 70000))
    file = File(_file(account, size), str(body.get("extension", "mp4")), size)
    content.give_file(account, entry, file, count_size=False, source_type="5")


def _file(account: Account, size: int) -> Path:
    path = account.files.temporary_path()
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


_HANDLERS: dict[str, tuple[Callable[[Account, dict[str, Any]], None], str]] = {
    "analysed": (_analysed, "the source was analysed; `media` overrides duration (ms), width, height, bitrate"),
    "analysis_failed": (_analysis_failed, "the source could not be analysed; renditions are tried all the same"),
    "converted": (_converted, "renditions have a file (`flavorParamsId` narrows, `size` in bytes)"),
    "ready": (_ready, "renditions are READY (`flavorParamsId` narrows)"),
    "failed": (_failed, "renditions failed (`flavorParamsId` narrows, `reason`)"),
    "conversion_failed": (_conversion_failed, "the whole conversion failed (`reason`)"),
    "imported": (_imported, "the import by URL has fetched `size` bytes (`extension`)"),
    "import_failed": (_import_failed, "the import by URL has given up (`reason`)"),
}
EVENTS = {name: text for name, (_, text) in _HANDLERS.items()}


def event(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    """Let an event happen to an entry.

    :raises ValueError: the event does not exist.
    """
    name = str(body["event"])
    if name not in _HANDLERS:
        raise ValueError(f"unknown event {name!r}; known: {', '.join(EVENTS)}")
    _HANDLERS[name][0](account, body)
    entry = account.tables.entries.get(body["entryId"]) or {}
    return {"entryId": body["entryId"], "status": entry.get("status")}
