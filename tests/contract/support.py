"""What the contract tests share: a plain caller of the API over a real socket."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.until import until

if TYPE_CHECKING:
    from kaltura_sandbox import Sandbox

__all__ = ["Api", "environment"]

TIMEOUT = 30
BUILD = Path(__file__).resolve().parents[2] / "build"


def environment(name: str, module: str, packages: list[str]) -> Path:
    """Return the interpreter of an environment with other people's clients, made on first use."""
    folder = BUILD / name
    python = folder / "bin" / "python"
    if not python.exists() or subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode:
        beside = Path(sys.executable).with_name("uv")
        uv = str(beside) if beside.exists() else shutil.which("uv")
        assert uv, "environments of other clients are made with uv, which is neither beside Python nor on PATH"
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, *packages], check=True)
    return python


class Api:
    """Calls a sandbox as one user, in JSON; errors come back as values."""

    def __init__(self, sandbox: Sandbox, user: str = "admin", *, admin: bool = True, privileges: str = "") -> None:
        self.sandbox = sandbox
        self.ks = sandbox.ks(user, admin=admin, privileges=privileges or "disableentitlement")
        self.http = requests.Session()

    def raw(self, service: str, action: str, *, files: Any = None, **fields: Any) -> requests.Response:
        """Send a call; nested names are given as ``entry__name``."""
        data = {name.replace("__", ":"): value for name, value in fields.items()}
        url = f"{self.sandbox.service_url}/service/{service}/action/{action}"
        return self.http.post(url, data={"ks": self.ks, "format": 1, **data}, files=files, timeout=TIMEOUT)

    def call(self, service: str, action: str, *, files: Any = None, **fields: Any) -> Any:
        """Return the value of a call."""
        return self.raw(service, action, files=files, **fields).json()

    def code(self, service: str, action: str, **fields: Any) -> str:
        """Return the error code of a call that must fail."""
        value = self.call(service, action, **fields)
        assert isinstance(value, dict), value
        assert value["objectType"] == "KalturaAPIException", value
        return str(value["code"])

    def get(self, path: str, **headers: str) -> requests.Response:
        """Fetch a path of the sandbox without following redirects."""
        url = path if path.startswith("http") else self.sandbox.url + path
        return self.http.get(url, headers=headers, timeout=TIMEOUT, allow_redirects=False)

    def token(self, data: bytes | None = None, name: str = "clip.mp4") -> str:
        """Make an upload token, full when there are bytes."""
        made = str(self.call("uploadToken", "add", uploadToken__fileName=name)["id"])
        if data is not None:
            self.call("uploadToken", "upload", uploadTokenId=made, files={"fileData": (name, data)})
        return made

    def entry(self, clip: Path | None = None, *, media_type: int = 1, name: str = "entry") -> str:
        """Make a media entry; with a file it waits until the entry is READY and nothing converts any more."""
        made = str(self.call("media", "add", entry__mediaType=media_type, entry__name=name)["id"])
        if clip is not None:
            token = self.token(clip.read_bytes(), clip.name)
            resource = {"resource__objectType": "KalturaUploadedFileTokenResource", "resource__token": token}
            self.call("media", "addContent", entryId=made, **resource)
            self.wait(made)
        return made

    def wait(self, entry_id: str, seconds: float = 30) -> int:
        """Wait until an entry and its flavors are done; returns the entry's status."""

        def done() -> bool:
            found = self.call("flavorAsset", "list", filter__entryIdEqual=entry_id)["objects"]
            return status() not in (0, 1) and all(flavor["status"] not in (0, 1, 7) for flavor in found)

        def status() -> int:
            return int(self.call("media", "get", entryId=entry_id)["status"])

        until(done, f"{entry_id} is done", seconds)
        return status()
