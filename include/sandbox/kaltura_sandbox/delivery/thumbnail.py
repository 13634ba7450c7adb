"""thumbnail: a picture of an entry, rendered as the path asks."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.api.listing import split
from kaltura_sandbox.delivery.access import admit, entry_of
from kaltura_sandbox.delivery.errors import DeliveryError
from kaltura_sandbox.delivery.files import serve_file
from kaltura_sandbox.delivery.flavors import playable
from kaltura_sandbox.delivery.paths import DeliveryPath
from kaltura_sandbox.entries.types import IMAGE
from kaltura_sandbox.media.ffmpeg import ConversionError
from kaltura_sandbox.sidecars.pictures import RESIZE, STRETCH, Picture, render
from kaltura_sandbox.sidecars.thumbs import DEFAULT_TAG, thumbs_of

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.server.message import Request, Response

__all__ = ["thumbnail"]

_DEFAULT_WIDTH, _DEFAULT_HEIGHT = 120, 90
_LARGEST, _LARGEST_STRIP = 10000, 65500
_SUFFIX = re.compile(r"\.(jpg|gif|png)$")
_COLOUR = re.compile(r"[0-9a-fA-F]{1,6}")
_MOMENTS = ("vid_sec", "vid_slice", "vid_slices", "start_sec", "end_sec")


def thumbnail(account: Account, request: Request, path: DeliveryPath) -> Response:
    """Render a picture, or answer one rendered before.

    :raises DeliveryError: 1 for an unknown entry, 11 when there is nothing to show yet, 25 for a bad parameter.
    """
    params = {name: _SUFFIX.sub("", value) for name, value in path.params.items()}
    path = DeliveryPath(path.action, params, path.tail, path.partner)
    if params.get("upload_token_id"):
        source, version, is_video, length = _uploaded(account, params["upload_token_id"])
    else:
        entry = entry_of(account, params.get("entry_id", ""))
        admit(account, request, path, entry)
        source, version, is_video = _source(account, entry, path)
        length = entry.get("msDuration", 0) / 1000
    picture = _picture(path, length)
    name = hashlib.sha256(f"{source}|{version}|{picture}".encode()).hexdigest()
    target = account.files.root / "thumbnails" / f"{name}.{picture.extension}"
    with account.locks.hold(f"thumbnail:{name}"):
        if not target.is_file():
            _render(account, source, picture, target, is_video=is_video)
    return serve_file(request, target, download_as=params.get("file_name", ""))


def _render(account: Account, source: Path, picture: Picture, target: Path, *, is_video: bool) -> None:
    target.parent.mkdir(exist_ok=True)
    work = account.files.temporary_path(f".{picture.extension}")
    try:
        render(source, picture, work, is_video=is_video)
    except ConversionError as error:
        raise DeliveryError(11) from error
    work.rename(target)


def _uploaded(account: Account, token_id: str) -> tuple[Path, str, bool, float]:
    token = account.tables.tokens.get(token_id)
    source = account.files.upload_dir(token_id) / "data" if token else None
    path = Path((token or {}).get("_path") or source or "")
    if token is None or not path.is_file():
        raise DeliveryError(5)
    return path, str(token["updatedAt"]), token.get("_extension") not in ("jpg", "jpeg", "png", "gif", "bmp"), 0


def _source(account: Account, entry: Record, path: DeliveryPath) -> tuple[Path, str, bool]:
    """Return the file to render from, its version, and whether it moves: a moment of the video where one is asked for,
    else the entry's own picture or its default thumbnail.
    """  # noqa: D205
    if entry.get("mediaType") == IMAGE:
        if not entry.get("_path"):
            raise DeliveryError(11)
        return Path(entry["_path"]), str(entry.get("version")), False
    if not any(name in path.params for name in _MOMENTS) and "flavor_id" not in path.params:
        for thumb in thumbs_of(account, entry["id"]):
            if DEFAULT_TAG in split(thumb["tags"]) and Path(thumb.get("_path", "")).is_file():
                return Path(thumb["_path"]), str(thumb["version"]), False
    wanted = path.params.get("flavor_id")
    ready = [flavor for flavor in playable(account, entry["id"]) if flavor.get("width")]
    chosen = [flavor for flavor in ready if flavor["id"] == wanted] if wanted else ready
    if not chosen:
        raise DeliveryError(6 if wanted else 11)
    return Path(chosen[-1]["_path"]), str(chosen[-1]["version"]), True


def _picture(path: DeliveryPath, length: float) -> Picture:
    width, stretch = _side(path, "width")
    height, stretch_too = _side(path, "height")
    if "width" not in path.params and "height" not in path.params:
        width = path.number("def_width", _DEFAULT_WIDTH)
        height = path.number("def_height", _DEFAULT_HEIGHT)
    slices, second = _moment(path, length)
    if slices * max(width, height) >= _LARGEST_STRIP:
        raise DeliveryError(25)
    return Picture(
        second=second,
        slices=slices,
        length=length,
        width=width,
        height=height,
        kind=STRETCH if stretch or stretch_too else _clamp(path.number("type", RESIZE), 1, 5),
        quality=_clamp(path.number("quality", 75), 0, 100) or 75,
        background=_background(path),
        region=(
            _clamp(path.number("src_x"), 0, _LARGEST),
            _clamp(path.number("src_y"), 0, _LARGEST),
            _clamp(path.number("src_w"), 0, _LARGEST),
            _clamp(path.number("src_h"), 0, _LARGEST),
        ),
        extension=_extension(path),
    )


def _side(path: DeliveryPath, name: str) -> tuple[int, bool]:
    """Return a width or height, and whether a ``!`` asks to stretch to it."""
    return _clamp(path.number(name), 0, _LARGEST), path.params.get(name, "").endswith("!")


def _moment(path: DeliveryPath, length: float) -> tuple[int, float]:
    """Return the number of slices for a strip (0 = no strip) and the second for a single picture."""
    slices, start = path.number("vid_slices"), float(path.number("start_sec"))
    end = float(path.number("end_sec")) or length
    if end < start:
        raise DeliveryError(25)
    if slices > 0:
        if "vid_slice" not in path.params:
            return slices, 0
        at = _clamp(path.number("vid_slice"), 0, slices - 1)
        return 0, start + (end - start) * at / slices
    if "vid_sec" in path.params:
        return 0, float(max(path.number("vid_sec"), 0))
    return 0, start or length / 2


def _background(path: DeliveryPath) -> str:
    text = path.params.get("bgcolor", "FFFFFF")
    if not _COLOUR.fullmatch(text):
        raise DeliveryError(25)
    return f"{text:0>6}"


def _extension(path: DeliveryPath) -> str:
    wanted = path.params.get("format", "jpg").lower()
    return wanted if wanted in ("png", "gif", "bmp") else "jpg"


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)
