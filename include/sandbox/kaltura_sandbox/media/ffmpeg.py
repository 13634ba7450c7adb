"""ffmpeg as analyser and converter; the binary comes with the imageio-ffmpeg package."""

from __future__ import annotations

import dataclasses
import functools
import re
import subprocess
from typing import TYPE_CHECKING

import imageio_ffmpeg

from kaltura_sandbox import process
from kaltura_sandbox.assets.flavors import MediaInfo
from kaltura_sandbox.assets.params import FLAVOR_PARAMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["ConversionError", "binary", "convert", "outcome", "probe", "run"]

_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+)\.(\d+)(?:.*?bitrate: (\d+) kb/s)?", re.DOTALL)
_VIDEO = re.compile(r"Stream #\S+.*?: Video: (\w+)[^\n]*?, (\d{2,5})x(\d{2,5})")
_RATE = re.compile(r"([\d.]+) fps")
_AUDIO = re.compile(r"Stream #\S+.*?: Audio: (\w+)")
_FORMAT = re.compile(r"Input #0, ([\w,]+)")
_CODEC_IDS = {"h264": "avc1", "hevc": "hvc1", "mpeg4": "mp4v"}
_PICTURES = ("image2", "png_pipe", "jpeg_pipe", "gif", "bmp_pipe", "tiff_pipe", "webp_pipe")
_TEXT = "tty"


class ConversionError(Exception):
    """ffmpeg could not do it; the text is the last line it wrote."""


@functools.cache
def binary() -> str:
    """Return the path of the ffmpeg program."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run(arguments: Sequence[str], *, timeout: float = 600) -> str:
    """Run ffmpeg and return what it wrote.

    :raises ConversionError: it failed, or took too long.
    """
    command = [binary(), "-hide_banner", "-nostdin", "-y", *arguments]
    child = process.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, errors = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        child.kill()
        child.communicate()
        raise ConversionError(f"ffmpeg took longer than {timeout:.0f} s") from error
    text = errors.decode("utf-8", "replace")
    if child.returncode != 0:
        raise ConversionError(text.strip().rpartition("\n")[2])
    return text


def probe(path: Path) -> MediaInfo | None:
    """Return the contents of a file, or None if it is not media."""
    try:
        text = run(["-i", str(path), "-t", "0", "-f", "null", "-"], timeout=60)
    except ConversionError:
        return None
    duration, video, audio = _DURATION.search(text), _VIDEO.search(text), _AUDIO.search(text)
    container = found.group(1) if (found := _FORMAT.search(text)) else ""
    if (video is None and audio is None) or container == _TEXT:
        return None
    milliseconds = 0
    if duration and container not in _PICTURES:
        hours, minutes, seconds, fraction = (int(duration.group(at)) for at in range(1, 5))
        milliseconds = ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction * 10
    rate = _RATE.search(text)
    return MediaInfo(
        duration=milliseconds,
        width=int(video.group(2)) if video else 0,
        height=int(video.group(3)) if video else 0,
        bitrate=int(duration.group(5) or 0) if duration else 0,
        frame_rate=float(rate.group(1)) if rate else 0,
        container="isom" if "mp4" in container else container.partition(",")[0],
        video_codec=_CODEC_IDS.get(video.group(1), video.group(1)) if video else "",
        has_audio=audio is not None,
        audio_codec=audio.group(1) if audio else "",
    )


def convert(source: Path, info: MediaInfo, targets: dict[int, Path], picture: Path | None) -> None:
    """Convert a file into several flavors, and a picture from its middle, in one pass.

    :raises ConversionError: ffmpeg failed.
    """
    arguments = ["-threads", "2", "-i", str(source)]
    for params_id, target in targets.items():
        arguments += _rendition(FLAVOR_PARAMS[params_id], info, target)
    if picture is not None and info.width:
        arguments += ["-map", "0:v:0", "-ss", f"{info.duration / 2000:.2f}", "-frames:v", "1", "-q:v", "4"]
        arguments += ["-f", "image2", "-update", "1", str(picture)]
    if targets or (picture is not None and info.width):
        run(arguments)


def outcome(params_id: int, info: MediaInfo, target: Path) -> MediaInfo | None:
    """Return the result of a conversion without reading the file, or None if it produced nothing."""
    if not target.exists() or (length := target.stat().st_size) == 0:
        return None
    height = _height(FLAVOR_PARAMS[params_id], info)
    return dataclasses.replace(
        info,
        width=round(info.width * height / info.height / 2) * 2 if info.width else 0,
        height=height if info.width else 0,
        bitrate=length * 8 // max(info.duration, 1),
        container="isom",
        video_codec="avc1" if info.width else "",
        audio_codec="aac" if info.has_audio else "",
    )


def _height(params: dict[str, object], info: MediaInfo) -> int:
    """Return the height of a rendition: the source is never enlarged, and it is even."""
    return max(min(int(str(params["height"])), info.height) // 2 * 2, 2)


def _rendition(params: dict[str, object], info: MediaInfo, target: Path) -> list[str]:
    arguments: list[str] = []
    if info.width:
        arguments += [
            "-map",
            "0:v:0",
            "-vf",
            f"scale=-2:{_height(params, info)}",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
        ]
        arguments += ["-b:v", f"{params['videoBitrate']}k", "-pix_fmt", "yuv420p", "-g", "50"]
    if info.has_audio:
        arguments += ["-map", "0:a:0", "-c:a", "aac", "-ac", "2", "-ar", "44100", "-b:a", f"{params['audioBitrate']}k"]
    return [*arguments, "-movflags", "+faststart", "-f", "mp4", str(target)]
