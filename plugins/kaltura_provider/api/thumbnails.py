"""Thumbnail URLs: what the dynamic thumbnail service of Kaltura can be asked for, checked before it is asked.

The service clamps numbers that are out of range and answers others with HTTP 404, so mistakes would only be
seen in the picture.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import ThumbCropType
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.url_path import delivery_base, encode_referrer, file_name_value, id_value, path_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["THUMBNAIL_FORMATS", "thumbnail_url"]

THUMBNAIL_FORMATS = frozenset(
    {"jpg", "png", "png8", "png24", "png32", "png48", "png64", "bmp", "gif", "tif", "psd", "pdf"}
)
_MAX_SIDE = 10_000
_MAX_STRIP = 65_500


def thumbnail_url(
    cdn_host: str,
    partner_id: int,
    entry_id: str,
    *,
    width: int | None = None,
    height: int | None = None,
    type: ThumbCropType | int | None = None,
    quality: int | None = None,
    format: str | None = None,
    bgcolor: str | None = None,
    density: int | None = None,
    nearest_aspect_ratio: bool | None = None,
    vid_sec: float | None = None,
    vid_slice: int | None = None,
    vid_slices: int | None = None,
    start_sec: float | None = None,
    end_sec: float | None = None,
    src_x: int | None = None,
    src_y: int | None = None,
    src_w: int | None = None,
    src_h: int | None = None,
    rel_width: int | None = None,
    rel_height: int | None = None,
    def_width: int | None = None,
    def_height: int | None = None,
    flavor_id: str | None = None,
    upload_token_id: str | None = None,
    version: int | str | None = None,
    ks: str | None = None,
    referrer: str | None = None,
    file_name: str | None = None,
) -> str:
    """Return the URL of a thumbnail of an entry, made by the server when it is fetched.

    Lengths are in pixels, times in seconds of the video. Without ``width`` and ``height`` it is 120 x 90; one
    of them keeps the proportions. ``type`` says how both are met. ``vid_slices`` alone gives a strip of that
    many frames side by side, with ``vid_slice`` (from 0) one of them; ``start_sec`` and ``end_sec`` bound the
    strip. ``referrer`` is a plain URL; it is encoded here. A URL with a ``ks`` is a secret.

    :raises KalturaConfigurationError: a value that the service would clamp, ignore or refuse; names it.
    """
    values: dict[str, Any] = {
        name: value
        for name, value in locals().items()
        if name not in ("cdn_host", "partner_id", "entry_id", "ks", "referrer", "file_name") and value is not None
    }
    _check_numbers(values)
    _check_choices(values)
    _check_times(values)
    for name in ("flavor_id", "upload_token_id", "version"):
        if name in values:
            values[name] = id_value(name, values[name])
    pairs = {
        "entry_id": id_value("entry_id", entry_id),
        **values,
        "ks": ks,
        "referrer": encode_referrer(referrer),
        # Whatever follows a file name is taken as a part of it.
        "file_name": file_name_value(file_name),
    }
    return f"{delivery_base(cdn_host, partner_id)}/thumbnail{path_pairs(pairs)}"


def _between(name: str, value: Any, low: int, high: int | None, *, whole: bool = True) -> None:
    allowed = int if whole else (int, float)
    fits = not isinstance(value, bool) and isinstance(value, allowed)
    # Written this way round a NaN is refused too.
    if not (fits and low <= value and (high is None or value <= high)):
        kind = "whole number" if whole else "number"
        reach = f"from {low} to {high}" if high is not None else f"of {low} or more"
        raise KalturaConfigurationError(name, value, "is out of range", f"give a {kind} {reach}")


def _check_numbers(values: Mapping[str, Any]) -> None:
    sides = (
        "width",
        "height",
        "src_x",
        "src_y",
        "src_w",
        "src_h",
        "rel_width",
        "rel_height",
        "def_width",
        "def_height",
    )
    for name in sides:
        if name in values:
            _between(name, values[name], 0, _MAX_SIDE)
    for name, low, high in (("quality", 0, 100), ("vid_slices", 1, None), ("vid_slice", 0, None), ("density", 1, None)):
        if name in values:
            _between(name, values[name], low, high)
    for name in ("vid_sec", "start_sec", "end_sec"):
        if name in values:
            _between(name, values[name], 0, None, whole=False)


def _check_choices(values: dict[str, Any]) -> None:
    if "type" in values:
        _between("type", values["type"], min(ThumbCropType), max(ThumbCropType))
    if "format" in values and values["format"] not in THUMBNAIL_FORMATS:
        known = ", ".join(sorted(THUMBNAIL_FORMATS))
        raise KalturaConfigurationError("format", values["format"], "is unknown", f"use one of {known}")
    if "bgcolor" in values:
        color = str(values["bgcolor"]).removeprefix("#")
        if not re.fullmatch(r"[0-9a-fA-F]{1,6}", color):
            raise KalturaConfigurationError("bgcolor", values["bgcolor"], "is no color", "give it as ff0000")
        values["bgcolor"] = color
    if "nearest_aspect_ratio" in values:
        values["nearest_aspect_ratio"] = int(bool(values["nearest_aspect_ratio"]))


def _check_times(values: Mapping[str, Any]) -> None:
    slices, which = values.get("vid_slices"), values.get("vid_slice")
    if which is not None and (slices is None or which >= slices):
        raise KalturaConfigurationError(
            "vid_slice", which, "is no slice of the strip", "give vid_slices too, and count slices from 0"
        )
    for side in ("width", "height"):
        if slices is not None and which is None and slices * values.get(side, 0) >= _MAX_STRIP:
            raise KalturaConfigurationError(
                "vid_slices", slices, f"make a strip of {_MAX_STRIP} pixels or more", f"give fewer, or a smaller {side}"
            )
    start, end = values.get("start_sec"), values.get("end_sec")
    if start is not None and end is not None and start > end:
        raise KalturaConfigurationError("start_sec", start, f"is after end_sec {end}", "exchange them")
