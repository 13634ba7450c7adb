"""A sandbox as a process of its own, which a test can kill and start again."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from kaltura_sandbox import process
from kaltura_sandbox.client import Control
from kaltura_sandbox.config import ADMIN_SECRET, PARTNER_ID, USER_SECRET
from kaltura_sandbox.s3.server import reserve_port
from kaltura_sandbox.sessions import ks

__all__ = ["SpawnedSandbox"]

_START_TIMEOUT = 30.0


class SpawnedSandbox:
    """``with SpawnedSandbox(final_wait=1) as sandbox: sandbox.kill(); sandbox.restart()``.

    Keyword arguments are the command line's options with underscores (``final_wait=1``, ``manual_jobs=True``); jobs
    start at once unless ``pickup_delay`` is given. Port and data directory stay the same over a restart.
    """

    def __init__(self, *, data_dir: Path | str | None = None, port: int = 0, **options: Any) -> None:
        self._own_directory = data_dir is None
        self.data_dir = Path(data_dir) if data_dir else Path(tempfile.mkdtemp(prefix="kaltura-sandbox-"))
        if port == 0:
            with contextlib.closing(reserve_port("127.0.0.1", 0)) as holder:
                port = holder.getsockname()[1]
        self.port = port
        self._options = {"pickup_delay": 0, **options}
        self._child: subprocess.Popen[bytes] | None = None
        self.partner_id = int(options.get("partner_id", PARTNER_ID))
        self.admin_secret = str(options.get("admin_secret", ADMIN_SECRET))
        self.user_secret = str(options.get("user_secret", USER_SECRET))
        self.control = Control(self.url)

    @property
    def url(self) -> str:
        """The address of the sandbox."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def service_url(self) -> str:
        """The address of the API."""
        return f"{self.url}/api_v3"

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def ks(self, user_id: str = "admin", *, admin: bool = True, privileges: str = "disableentitlement") -> str:
        """Return a session string, without asking the server."""
        expiry = int(time.time()) + 86400
        return ks.make_v2(self.admin_secret, self.partner_id, user_id, 2 if admin else 0, expiry, privileges)

    def start(self) -> Self:
        """Start the process and wait until it answers.

        :raises RuntimeError: it does not.
        """
        command = [sys.executable, "-m", "kaltura_sandbox", "--port", str(self.port), "--no-s3"]
        command += ["--data-dir", str(self.data_dir), "--env-file", str(self.data_dir / "env")]
        for name, value in self._options.items():
            if value is True:
                command.append(f"--{name.replace('_', '-')}")
            elif value is not False:
                command += [f"--{name.replace('_', '-')}", str(value)]
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        log_path = self.data_dir / "sandbox.log"
        with log_path.open("ab") as log:
            self._child = process.start(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline and self._child.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.control.state()
                return self
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"the sandbox did not start: {log_path.read_text('utf-8', 'replace')[-800:]}")

    def kill(self) -> None:
        """End the process at once, as a crash does (SIGKILL)."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def stop(self) -> None:
        """End the process in good order (SIGTERM)."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def restart(self) -> Self:
        """Start again on the same port with the same state, after a kill or a stop."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """Stop, and remove a temporary data directory."""
        self.stop()
        if self._own_directory:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.close()
