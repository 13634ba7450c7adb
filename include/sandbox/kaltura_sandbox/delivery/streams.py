"""HLS and DASH: flavors cut into segments by ffmpeg when first asked for, and kept."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from kaltura_sandbox.delivery.errors import DeliveryError
from kaltura_sandbox.media import ffmpeg
from kaltura_sandbox.media.ffmpeg import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["dash_directory", "hls_directory", "master_playlist"]

_SEGMENT_SECONDS = 4
# An empty one is a flavor without picture.
_KEPT_CODECS = ("avc1", "", None)
_ENCODE = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]


def master_playlist(entry: Record, renditions: list[tuple[Record, str]]) -> str:
    """Return the HLS master playlist over flavors and the URLs of their own playlists."""
    lines = ["#EXTM3U"]
    for flavor, url in renditions:
        attributes = f"PROGRAM-ID=1,BANDWIDTH={max(flavor.get('bitrate', 0), 64) * 1024}"
        if flavor.get("width"):
            attributes += f",RESOLUTION={flavor['width']}x{flavor['height']}"
        lines += [f"#EXT-X-STREAM-INF:{attributes}", url]
    return "\n".join([*lines, ""])


def hls_directory(account: Account, flavor: Record) -> Path:
    """Return the directory with ``index.m3u8`` and the segments of a flavor.

    :raises DeliveryError: it cannot be cut.
    """

    def cut(target: Path) -> None:
        tail = ["-f", "hls", "-hls_time", str(_SEGMENT_SECONDS), "-hls_playlist_type", "vod"]
        tail += ["-hls_segment_filename", str(target / "seg-%d.ts"), str(target / "index.m3u8")]
        maps = ["-map", "0:v:0?", "-map", "0:a:0?"]
        _cut([flavor], ["-i", flavor["_path"], *maps], tail)

    return _kept(account, f"hls-{flavor['id']}-{flavor['version']}", cut)


def dash_directory(account: Account, chosen: list[Record]) -> Path:
    """Return the directory with ``manifest.mpd`` and the segments of several flavors.

    :raises DeliveryError: they cannot be cut.
    """

    def cut(target: Path) -> None:
        inputs, maps = [], []
        for number, flavor in enumerate(chosen):
            inputs += ["-i", flavor["_path"]]
            if flavor.get("width"):
                maps += ["-map", f"{number}:v:0"]
        maps += ["-map", "0:a:0?"]
        tail = ["-f", "dash", "-seg_duration", str(_SEGMENT_SECONDS), "-use_template", "1", "-use_timeline", "1"]
        tail += ["-init_seg_name", "init-$RepresentationID$.m4s"]
        tail += ["-media_seg_name", "seg-$RepresentationID$-$Number$.m4s", str(target / "manifest.mpd")]
        _cut(chosen, [*inputs, *maps], tail)

    name = "-".join(f"{flavor['id']}-{flavor['version']}" for flavor in chosen)
    return _kept(account, f"dash-{name}", cut)


def _cut(chosen: list[Record], head: list[str], tail: list[str]) -> None:
    """Cut without touching the streams, where the segments can hold them; else encode them."""
    if all(flavor.get("videoCodecId") in _KEPT_CODECS for flavor in chosen):
        ffmpeg.run([*head, "-c", "copy", *tail])
    else:
        ffmpeg.run([*head, *_ENCODE, *tail])


def _kept(account: Account, name: str, cut: Callable[[Path], None]) -> Path:
    directory = account.files.root / "streams" / name
    with account.locks.hold(f"stream:{name}"):
        if not directory.is_dir():
            work = directory.with_suffix(".tmp")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            try:
                cut(work)
            except ConversionError as error:
                raise DeliveryError(5) from error
            work.rename(directory)
    return directory
