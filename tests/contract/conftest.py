"""Fixtures of the contract tests: sandboxes, a clip with sound, a web server with files to fetch."""

from __future__ import annotations

import functools
import http.server
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support import Api

from kaltura_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `clip.mp4` (3 s, 640x360, sound) and `picture.png` (160x90)."""
    folder = tmp_path_factory.mktemp("files")
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi"]
    picture, sound = "testsrc=size=640x360:rate=25:duration=3", "sine=frequency=440:duration=3"
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    clip = str(folder / "clip.mp4")
    subprocess.run([*ffmpeg, "-i", picture, "-f", "lavfi", "-i", sound, *codecs, clip], check=True)
    still = ["-i", "testsrc=size=160x90", "-frames:v", "1", str(folder / "picture.png")]
    subprocess.run([*ffmpeg, *still], check=True)
    return folder


@pytest.fixture(scope="session")
def clip(files: Path) -> Path:
    return files / "clip.mp4"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def web(files: Path) -> Iterator[str]:
    """Return the address of a web server that serves `files`."""
    handler = functools.partial(_Quiet, directory=str(files))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(final_wait=1, import_retry_delay=0.1) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[Api]:
    caller = Api(sandbox)
    yield caller
    caller.http.close()


@pytest.fixture(scope="module")
def ready(api: Api, clip: Path) -> str:
    """Return a READY entry with flavors."""
    return api.entry(clip, name="Ready <b>&")
