"""The sample media: short clips with sound, made by ffmpeg, stored under three days' prefixes."""

from __future__ import annotations

import concurrent.futures
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_sandbox.media import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_sandbox.s3.client import S3Client

__all__ = ["DEMO_BUCKET", "SampleMedia"]

DEMO_BUCKET = "kaltura-demo"


@dataclass(frozen=True, slots=True)
class _Clip:
    """One sample; ``noise`` makes frames differ enough for the bit rate to be really reached."""

    key: str
    picture: str
    seconds: int
    kilobits: int
    tone: int
    noise: int = 12


_CLIPS = (
    _Clip("incoming/2024-03-01/lecture-01.mp4", "testsrc2=size=640x360:rate=25", 5, 900, 440),
    _Clip("incoming/2024-03-01/campus-tour.mp4", "mandelbrot=size=480x270:rate=25", 4, 700, 550),
    _Clip("incoming/2024-03-02/lecture-02.mp4", "testsrc=size=854x480:rate=25", 4, 1200, 330),
    _Clip("incoming/2024-03-02/interview.mp4", "smptebars=size=640x360:rate=25", 6, 500, 660),
    # Larger than one chunk of an upload.
    _Clip("incoming/2024-03-02/ceremony-raw.mp4", "testsrc2=size=640x360:rate=25", 4, 32000, 220, noise=80),
    _Clip("incoming/2024-03-03/lecture-03.mp4", "testsrc2=size=640x480:rate=25", 4, 800, 494),
    _Clip("incoming/2024-03-03/announcement.mp4", "smptehdbars=size=480x270:rate=25", 3, 400, 587),
)


class SampleMedia:
    """Makes the clips once, in a directory, and puts them into a bucket."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def make(self) -> dict[str, Path]:
        """All clips by key; those made before are kept."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            paths = list(pool.map(self._clip, _CLIPS))
        return {clip.key: path for clip, path in zip(_CLIPS, paths, strict=True)}

    def _clip(self, clip: _Clip) -> Path:
        target = self._directory / clip.key.replace("/", "_")
        if target.exists():
            return target
        source = f"{clip.picture}:duration={clip.seconds}" if "mandelbrot" not in clip.picture else clip.picture
        source += f",noise=alls={clip.noise}:allf=t"
        rate = f"{clip.kilobits}k"
        partial = target.with_suffix(".part")
        ffmpeg.run(
            [
                *("-f", "lavfi", "-i", source),
                *("-f", "lavfi", "-i", f"sine=frequency={clip.tone}:duration={clip.seconds}"),
                *("-t", str(clip.seconds), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
                *("-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate),
                *("-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", "-f", "mp4", str(partial)),
            ]
        )
        partial.rename(target)
        return target

    def put(self, client: S3Client, bucket: str = DEMO_BUCKET) -> list[str]:
        """Store the clips that the bucket does not hold yet; returns all keys."""
        client.create_bucket(bucket)
        clips = self.make()
        for key, path in clips.items():
            if client.size(bucket, key) != path.stat().st_size:
                client.put_file(bucket, key, path)
        return list(clips)
