"""caption_captionAsset: the captions of a video or sound."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.api.call import FileReply
from kaltura_sandbox.api.listing import PAGER
from kaltura_sandbox.api.registry import Level, Service, param
from kaltura_sandbox.api.types import INT, STRING
from kaltura_sandbox.entries import store
from kaltura_sandbox.entries.resources import RESOURCE, STRING_RESOURCE
from kaltura_sandbox.entries.types import AUDIO, VIDEO
from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.jobs import asset_import as _asset_import  # noqa: F401 - registers its job
from kaltura_sandbox.server.message import Response
from kaltura_sandbox.sidecars import subtitles
from kaltura_sandbox.sidecars.captions import CAPTION, CAPTION_FILTER, EXTENSIONS, make_default, shelf
from kaltura_sandbox.sidecars.languages import code_of

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call
    from kaltura_sandbox.api.types import ObjectValue, Record

__all__ = ["service"]

service = Service("caption_captionAsset")


@service.action("add", param("entryId", STRING), param("captionAsset", CAPTION), owner="entryId")
def add(call: Call, entry_id: str, value: ObjectValue) -> Record:
    """Make a caption without text."""
    entry = store.find(call, entry_id)
    if entry.get("mediaType") not in (VIDEO, AUDIO):
        raise KalturaError("ENTRY_ID_NOT_FOUND", entry_id)
    shown = not call.has("enablecaptionmoderation")
    code = code_of(value.get("language"))
    made = shelf.add(call, entry, value, format="1", languageCode=code, displayOnPlayer=shown, usage=0)
    if made.get("isDefault"):
        make_default(call.account, made)
    return shelf.show(made, fresh=True)


@service.action("setContent", param("id", STRING), param("contentResource", RESOURCE))
def set_content(call: Call, asset_id: str, resource: ObjectValue) -> Record:
    """Give a caption its text."""
    asset = shelf.set_content(call, shelf.find(call, asset_id), resource)
    if resource.type.is_a(STRING_RESOURCE):
        asset = call.tables.assets.put({**asset, "fileExt": EXTENSIONS[str(asset["format"])]})
    return shelf.show(asset)


@service.action("get", param("captionAssetId", STRING))
def get(call: Call, asset_id: str) -> Record:
    """One caption."""
    return shelf.show(shelf.find(call, asset_id))


@service.action("list", param("filter", CAPTION_FILTER, None), param("pager", PAGER, None))
def list_(call: Call, wanted: ObjectValue | None, pager: ObjectValue | None) -> Record:
    """Return the captions of entries."""
    return shelf.list(call, wanted, pager)


@service.action("update", param("id", STRING), param("captionAsset", CAPTION))
def update(call: Call, asset_id: str, value: ObjectValue) -> Record:
    """Change a caption's properties."""
    shown = shelf.update(call, asset_id, value)
    changed = call.tables.assets.change(asset_id, languageCode=code_of(shown.get("language"))) or {}
    if value.get("isDefault"):
        make_default(call.account, changed)
    return shelf.show(changed)


@service.action("setAsDefault", param("captionAssetId", STRING))
def set_as_default(call: Call, asset_id: str) -> None:
    """Make a caption its entry's default."""
    make_default(call.account, shelf.find(call, asset_id))


@service.action("delete", param("captionAssetId", STRING))
def delete(call: Call, asset_id: str) -> None:
    """Delete a caption; not the default one."""
    if shelf.find(call, asset_id).get("isDefault"):
        raise KalturaError("CAPTION_ASSET_IS_DEFAULT")
    shelf.delete(call, asset_id)


@service.action("getUrl", param("id", STRING), param("storageId", INT, None))
def get_url(call: Call, asset_id: str, _storage: int | None) -> str:
    """Return the URL of a caption's text."""
    return shelf.url(call, asset_id)


@service.action("serve", param("captionAssetId", STRING), level=Level.NONE, returns_file=True)
def serve(call: Call, asset_id: str) -> FileReply:
    """Return a caption's text, as it was uploaded."""
    return shelf.serve(call, asset_id)


@service.action("serveAsJson", param("captionAssetId", STRING), level=Level.NONE, returns_file=True)
def serve_as_json(call: Call, asset_id: str) -> FileReply:
    """Return a caption's cues as JSON; times in milliseconds."""
    objects = [
        {"startTime": cue.start, "endTime": cue.end, "content": [{"text": cue.text}]} for cue in _cues(call, asset_id)
    ]
    return _text("application/json", json.dumps({"objects": objects}))


@service.action(
    "serveWebVTT",
    param("captionAssetId", STRING),
    param("segmentDuration", INT, 30),
    param("segmentIndex", INT, None),
    param("localTimestamp", INT, 10000),
    level=Level.NONE,
    returns_file=True,
)
def serve_web_vtt(call: Call, asset_id: str, duration: int, index: int | None, _local: int) -> FileReply:
    """Return a caption as HLS subtitles: the playlist, or segment ``segmentIndex`` counted from 1."""
    cues = _cues(call, asset_id)
    length = max(duration, 1)
    if index is not None:
        first, last = (index - 1) * length * 1000, index * length * 1000
        return _text("text/vtt", subtitles.web_vtt([cue for cue in cues if cue.end > first and cue.start < last]))
    count = max(math.ceil(max((cue.end for cue in cues), default=0) / (length * 1000)), 1)
    lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{length}", "#EXT-X-VERSION:3", "#EXT-X-PLAYLIST-TYPE:VOD"]
    for number in range(1, count + 1):
        lines += [f"#EXTINF:{length},", f"segmentIndex/{number}.vtt"]
    return _text("application/x-mpegurl", "\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def _cues(call: Call, asset_id: str) -> list[subtitles.Cue]:
    path = shelf.serve(call, asset_id).response.file
    return subtitles.parse(Path(path).read_text("utf-8", "replace")) if path else []


def _text(content_type: str, text: str) -> FileReply:
    return FileReply(Response(200, {"Content-Type": content_type}, text.encode()))
