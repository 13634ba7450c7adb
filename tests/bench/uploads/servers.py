"""The bench's servers as processes, and the peers' environment."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[2] / "build"
PEERS = ("KalturaApiClient", "kaltura-uploader")


@contextlib.contextmanager
def server(script: str, *arguments: str) -> Iterator[str]:
    """Run one of this folder's servers and give its address."""
    command = [sys.executable, str(HERE / script), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"{script} did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def peers_python() -> str:
    """Return the Python of an environment with the peers in it, made once."""
    python = BUILD / "bench-peers" / "bin" / "python"
    ready = BUILD / "bench-peers" / ".ready"
    if not ready.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        print("installing the peers into build/bench-peers", flush=True)
        subprocess.run(
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(python.parents[1])], check=True
        )
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *PEERS], check=True)
        ready.touch()
    return str(python)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder in memory if there is one, so that disks are not measured."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None, prefix="kaltura-bench-") as folder:
        yield Path(folder)
