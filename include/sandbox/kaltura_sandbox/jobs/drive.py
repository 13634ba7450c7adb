"""Standing in for the workers: a test says what a job came to, and entries and flavors move accordingly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.assets.flavors import MediaInfo
from kaltura_sandbox.entries import content, flow
from kaltura_sandbox.uploads.attach import File

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.app import App

__all__ = ["EVENTS", "event"]

_MEDIA = {"duration": 61500, "width": 1280, "height": 720, "bitrate": 2000, "frame_rate": 25}


def _media(body: dict[str, Any]) -> MediaInfo:
    return MediaInfo(**(_MEDIA | body.get("media", {})))


def _renditions(app: App, body: dict[str, Any]) -> list[Record]:
    wanted = body.get("flavorParamsId")
    return [
        flavor
        for flavor in flavors.flavors_of(app, body["entryId"])
        if not flavor["isOriginal"] and wanted in (None, flavor["flavorParamsId"]) and flavor["status"] != 4
    ]


def _analysed(app: App, body: dict[str, Any]) -> None:
    flow.analysed(app, body["entryId"], _media(body))


def _analysis_failed(app: App, body: dict[str, Any]) -> None:
    flow.analysed(app, body["entryId"], None)


def _converted(app: App, body: dict[str, Any]) -> None:
    for flavor in _renditions(app, body):
        flow.converted(app, flavor["id"], _file(app, int(body.get("size", 40000))))


def _ready(app: App, body: dict[str, Any]) -> None:
    for flavor in _renditions(app, body):
        flow.rendition_ready(app, flavor["id"], _media(body))


def _failed(app: App, body: dict[str, Any]) -> None:
    for flavor in _renditions(app, body):
        flow.rendition_failed(app, flavor["id"], str(body.get("reason", "")))


def _conversion_failed(app: App, body: dict[str, Any]) -> None:
    flow.conversion_failed(app, body["entryId"], str(body.get("reason", "")))


def _import_failed(app: App, body: dict[str, Any]) -> None:
    app.jobs.abort(body["entryId"])
    flow.import_failed(app, body["entryId"], str(body.get("reason", "import failed")))


def _imported(app: App, body: dict[str, Any]) -> None:
    entry = app.tables.entries.get(body["entryId"])
    if entry is None:
        raise KeyError(body["entryId"])
    app.jobs.abort(entry["id"])
    size = int(body.get("size", 70000))
    file = File(_file(app, size), str(body.get("extension", "mp4")), size)
    content.give_file(app, entry, file, count_size=False, source_type="5")


def _file(app: App, size: int) -> Path:
    path = app.files.temporary_path()
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


_HANDLERS: dict[str, tuple[Callable[[App, dict[str, Any]], None], str]] = {
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


def event(app: App, body: dict[str, Any]) -> dict[str, Any]:
    """Let an event happen to an entry.

    :raises ValueError: no such event.
    """
    name = str(body["event"])
    if name not in _HANDLERS:
        raise ValueError(f"unknown event {name!r}; known: {', '.join(EVENTS)}")
    _HANDLERS[name][0](app, body)
    entry = app.tables.entries.get(body["entryId"]) or {}
    return {"entryId": body["entryId"], "status": entry.get("status")}
