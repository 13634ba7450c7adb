"""Build and check URLs of Kaltura's dynamic thumbnail service.

The service clamps some numbers that are out of range and answers others with HTTP 404. Without these checks, mistakes
would only show in the picture.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.arguments import asset_id, choose, flag, number, token_id
from kaltura_provider.api.arguments import entry_id as entry_value
from kaltura_provider.api.enums import ThumbCropType
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.url_path import delivery_base, encode_referrer, file_name_value, path_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["THUMBNAIL_FORMATS", "thumbnail_url"]

THUMBNAIL_FORMATS = frozenset(
    {"jpg", "png", "png8", "png24", "png32", "png48", "png64", "bmp", "gif", "tif", "psd", "pdf"}
)
_NOT_OPTIONS = ("cdn_host", "partner_id", "entry_id", "ks", "referrer", "file_name")
_MAX_STRIP = 65_500
_DEFAULT_SIDES = {"width": 120, "height": 90}
_SIDE = (0, 10_000)
_NUMBERS: dict[str, tuple[int, int | None]] = {
    "width": _SIDE,
    "height": _SIDE,
    "src_x": _SIDE,
    "src_y": _SIDE,
    "src_w": _SIDE,
    "src_h": _SIDE,
    "rel_width": _SIDE,
    "rel_height": _SIDE,
    "def_width": _SIDE,
    "def_height": _SIDE,
    "quality": (0, 100),
    "vid_slices": (1, None),
    "vid_slice": (0, None),
    "density": (1, None),
    "version": (0, None),
}


def thumbnail_url(
    cdn_host: str,
    partner_id: int | str,
    entry_id: str | Mapping[str, Any],
    *,
    width: int | str | None = None,
    height: int | str | None = None,
    type: ThumbCropType | int | str | None = None,
    quality: int | str | None = None,
    format: str | None = None,
    bgcolor: str | None = None,
    density: int | str | None = None,
    nearest_aspect_ratio: bool | str | None = None,
    vid_sec: float | str | None = None,
    vid_slice: int | str | None = None,
    vid_slices: int | str | None = None,
    start_sec: float | str | None = None,
    end_sec: float | str | None = None,
    src_x: int | str | None = None,
    src_y: int | str | None = None,
    src_w: int | str | None = None,
    src_h: int | str | None = None,
    rel_width: int | str | None = None,
    rel_height: int | str | None = None,
    def_width: int | str | None = None,
    def_height: int | str | None = None,
    flavor_id: str | Mapping[str, Any] | None = None,
    upload_token_id: str | Mapping[str, Any] | None = None,
    version: int | str | None = None,
    ks: str | None = None,
    referrer: str | None = None,
    file_name: str | None = None,
) -> str:
    """Return the URL of a thumbnail of an entry. The server makes the picture when the URL is fetched.

    Lengths are in pixels, times in seconds of the video. Numbers may be text. Without ``width`` and ``height`` the
    picture has 120 x 90 pixels; with only one of them it keeps its proportions. ``type`` says how to fit both
    (``crop``, ``stretch`` ..., or 1 to 5). ``vid_slices`` alone gives a strip of that many frames side by side; with
    ``vid_slice`` (from 0) it gives one of them. ``start_sec`` and ``end_sec`` limit the strip. ``referrer`` is a plain
    URL, which this function encodes. A URL with a ``ks`` is a secret.

    :raises KalturaConfigurationError: the service would clamp, ignore or refuse a value; names it.
    """
    options = {name: value for name, value in locals().items() if name not in _NOT_OPTIONS}
    pairs = {
        "entry_id": entry_value(entry_id),
        **_checked(options),
        "ks": ks,
        "referrer": encode_referrer(referrer),
        # The server takes everything after a file name as part of it.
        "file_name": file_name_value(file_name),
    }
    return f"{delivery_base(cdn_host, partner_id)}/thumbnail{path_pairs(pairs)}"


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in options.items() if value is not None}
    _read_numbers(values)
    _read_choices(values)
    _check_moments(values)
    _check_strip(values)
    return values


def _read_numbers(values: dict[str, Any]) -> None:
    for name, (minimum, maximum) in _NUMBERS.items():
        if name in values:
            values[name] = number(values[name], name, minimum=minimum, maximum=maximum)
    for name in ("vid_sec", "start_sec", "end_sec"):
        if name in values:
            values[name] = _seconds(values[name], name)


def _seconds(value: Any, name: str) -> float:
    try:
        found = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = -1.0
    # This way round, NaN is refused too.
    if not 0 <= found < math.inf:
        raise KalturaConfigurationError(name, value, "is out of range", "give 0 seconds or more")
    return round(found, 3)


def _read_choices(values: dict[str, Any]) -> None:
    if "type" in values:
        values["type"] = choose(ThumbCropType, values["type"], "type")
    if "format" in values and values["format"] not in THUMBNAIL_FORMATS:
        known = ", ".join(sorted(THUMBNAIL_FORMATS))
        raise KalturaConfigurationError("format", values["format"], "is unknown", f"use one of {known}")
    if "bgcolor" in values:
        color = str(values["bgcolor"]).removeprefix("#")
        if not re.fullmatch(r"[0-9a-fA-F]{1,6}", color):
            raise KalturaConfigurationError(
                "bgcolor", values["bgcolor"], "is not a color", "give six hexadecimal digits such as ff0000"
            )
        values["bgcolor"] = color
    if "nearest_aspect_ratio" in values:
        values["nearest_aspect_ratio"] = int(flag(values["nearest_aspect_ratio"], "nearest_aspect_ratio"))
    for name, read in (("flavor_id", asset_id), ("upload_token_id", token_id)):
        if name in values:
            values[name] = read(values[name], name)


def _check_moments(values: Mapping[str, Any]) -> None:
    slices, which = values.get("vid_slices"), values.get("vid_slice")
    if which is not None and (slices is None or which >= slices):
        raise KalturaConfigurationError(
            "vid_slice", which, "is not a slice of the strip", "give vid_slices too, and count slices from 0"
        )
    start, end = values.get("start_sec"), values.get("end_sec")
    if start is not None and end is not None and start > end:
        raise KalturaConfigurationError("start_sec", start, f"is after end_sec {end}", "give an earlier start_sec")


def _check_strip(values: Mapping[str, Any]) -> None:
    slices = values.get("vid_slices")
    if slices is None or "vid_slice" in values:
        return
    unsaid = not values.keys() & _DEFAULT_SIDES.keys()
    for side, default in _DEFAULT_SIDES.items():
        pixels = values.get(f"def_{side}", default) if unsaid else values.get(side, 0)
        if slices * pixels >= _MAX_STRIP:
            fix = f"give at most {(_MAX_STRIP - 1) // pixels}, or a smaller {side}"
            raise KalturaConfigurationError(
                "vid_slices", slices, f"slices of {pixels} pixels make a strip of {_MAX_STRIP} pixels or more", fix
            )
