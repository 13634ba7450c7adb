"""A sandbox per test module, and a client that says what a test means in one line."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
import requests

from kaltura_sandbox import Sandbox
from tests.until import until

# The head of an MP4 file, for content that account rules must take for video.
MP4_HEAD = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"


class Api:
    """Calls the sandbox as a client with one session does."""

    def __init__(self, sandbox: Any, ks: str | None = None) -> None:
        self.sandbox = sandbox
        self.ks = ks if ks is not None else sandbox.ks()
        self._session = requests.Session()
        self._session.trust_env = False
        self.headers: Any = {}

    def close(self) -> None:
        self._session.close()

    def __call__(self, service: str, action: str, *, files: Any = None, timeout: float = 30, **params: Any) -> Any:
        data = {"format": 1, **({"ks": self.ks} if self.ks else {}), **_flat(params)}
        url = f"{self.sandbox.service_url}/service/{service}/action/{action}"
        reply = self._session.post(url, data=data, files=files, timeout=timeout)
        self.headers = reply.headers
        reply.raise_for_status()
        return reply.json()

    def multi(self, *requests_: dict[str, Any]) -> Any:
        body = {str(at): part for at, part in enumerate(requests_, 1)}
        url = f"{self.sandbox.service_url}/service/multirequest"
        return self._session.post(url, json={"ks": self.ks, "format": 1, **body}, timeout=30).json()

    def token(self, **properties: Any) -> str:
        return str(self("uploadToken", "add", uploadToken=properties)["id"])

    def upload(self, token: str, data: bytes, *, name: str = "video.mp4", timeout: float = 30, **params: Any) -> Any:
        return self(
            "uploadToken", "upload", files={"fileData": (name, data)}, timeout=timeout, uploadTokenId=token, **params
        )

    def full_token(self, data: bytes, name: str = "video.mp4") -> str:
        token = self.token(fileName=name)
        assert self.upload(token, data, name=name)["status"] == 2
        return token

    def media(self, **properties: Any) -> str:
        return str(self("media", "add", entry={"mediaType": 1, **properties})["id"])

    def attach(self, entry: str, token: str) -> Any:
        resource = {"objectType": "KalturaUploadedFileTokenResource", "token": token}
        return self("media", "addContent", entryId=entry, resource=resource)

    def status(self, entry: str) -> Any:
        return self("baseEntry", "get", entryId=entry).get("status")

    def token_status(self, token: str) -> Any:
        return self("uploadToken", "get", uploadTokenId=token)["status"]

    def wait(self, entry: str, *wanted: Any, timeout: float = 30) -> Any:
        until(lambda: self.status(entry) in wanted, f"entry {entry} in status {wanted}", timeout)
        return self.status(entry)

    @staticmethod
    def code(reply: Any) -> str:
        """Return the error code of a reply; it must be an error."""
        assert isinstance(reply, dict), reply
        assert reply.get("objectType") == "KalturaAPIException", reply
        return str(reply["code"])

    @staticmethod
    def sha256(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    @staticmethod
    def video(size: int) -> bytes:
        """Bytes that look like a video by their head only."""
        return (MP4_HEAD + os.urandom(size))[:size]


def _flat(params: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in params.items():
        key = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, dict):
            flat |= _flat(value, key)
        else:
            flat[key] = int(value) if isinstance(value, bool) else value
    return flat


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(final_wait=0.45, import_retry_delay=0.1, run_jobs=False) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    sandbox.account.reset()
    client = Api(sandbox)
    yield client
    client.close()
    sandbox.account.faults.remove()


@pytest.fixture
def client() -> Iterator[Callable[[Any], Api]]:
    """Clients for sandboxes that a test starts itself."""
    made: list[Api] = []

    def make(sandbox: Any, ks: str | None = None) -> Api:
        made.append(Api(sandbox, ks))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def user(sandbox: Sandbox, api: Api) -> Iterator[Api]:
    client = Api(sandbox, sandbox.ks("lecturer", admin=False, privileges=""))
    yield client
    client.close()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a real video of 3 seconds with sound."""
    target = tmp_path_factory.mktemp("media") / "clip.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"]
    command += ["-f", "lavfi", "-i", "sine=frequency=440", "-t", "3", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-pix_fmt", "yuv420p", "-c:a", "aac", str(target)]
    subprocess.run(command, check=True, timeout=60)
    return target
