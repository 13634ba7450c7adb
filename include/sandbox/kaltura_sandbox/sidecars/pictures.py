"""Rendering pictures with ffmpeg: a frame of a video or an image, cropped, scaled, padded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_sandbox.media import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CROP", "CROP_TOP", "PAD", "RESIZE", "STRETCH", "Picture", "render"]

RESIZE, PAD, CROP, CROP_TOP, STRETCH = range(1, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What to render.

    ``second`` is the moment of a video, ``slices`` a strip of that many moments instead; ``region`` is x, y, width and
    height of the part to use (0 = up to the edge); a ``width`` or ``height`` of 0 follows from the other.
    """

    second: float = 0
    slices: int = 0
    length: float = 0
    width: int = 0
    height: int = 0
    kind: int = RESIZE
    quality: int = 75
    background: str = "FFFFFF"
    region: tuple[int, int, int, int] = (0, 0, 0, 0)
    extension: str = "jpg"


def render(source: Path, picture: Picture, target: Path, *, is_video: bool) -> None:
    """Render a picture into a file.

    :raises ConversionError: the source does not contain this picture.
    """
    filters = [*_region(picture), *_scale(picture)]
    arguments: list[str] = []
    if is_video and picture.slices:
        filters = [f"fps={picture.slices / max(picture.length, 0.1):.6f}", *filters, f"tile={picture.slices}x1"]
    elif is_video:
        # A moment after the last frame gives nothing: stop short of the end.
        second = min(picture.second, max(picture.length - 0.2, 0)) if picture.length else picture.second
        arguments = ["-ss", f"{second:.3f}"]
    arguments += ["-i", str(source), "-frames:v", "1"]
    if filters:
        arguments += ["-vf", ",".join(filters)]
    codec = {"png": "png", "gif": "gif", "bmp": "bmp"}.get(picture.extension, "mjpeg")
    if codec == "mjpeg":
        arguments += ["-q:v", str(max(2, 31 - picture.quality * 29 // 100)), "-pix_fmt", "yuvj420p"]
    ffmpeg.run([*arguments, "-c:v", codec, "-f", "image2", "-update", "1", str(target)], timeout=60)


def _region(picture: Picture) -> list[str]:
    x, y, width, height = picture.region
    if not any(picture.region):
        return []
    return [f"crop={width or f'iw-{x}'}:{height or f'ih-{y}'}:{x}:{y}"]


def _scale(picture: Picture) -> list[str]:
    width, height = picture.width, picture.height
    if not width and not height:
        return []
    if not width or not height:
        return [f"scale={width or -1}:{height or -1}"]
    box = f"scale={width}:{height}"
    if picture.kind == STRETCH:
        return [box]
    if picture.kind == PAD:
        pad = f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:color=0x{picture.background}"
        return [f"{box}:force_original_aspect_ratio=decrease", pad]
    if picture.kind in (CROP, CROP_TOP):
        top = "0" if picture.kind == CROP_TOP else "(ih-oh)/2"
        return [f"{box}:force_original_aspect_ratio=increase", f"crop={width}:{height}:(iw-ow)/2:{top}"]
    return [f"{box}:force_original_aspect_ratio=decrease"]
