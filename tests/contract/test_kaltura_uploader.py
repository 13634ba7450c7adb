"""kaltura-uploader's own command line uploads to the sandbox what it uploads to Kaltura."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import requests
from support import environment

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_sandbox import Sandbox

# Its addresses are constants of the package; nothing else of it is changed.
COMMAND = """
import os, sys
from kaltura_uploader import cli, uploader

url = os.environ["KALTURA_SERVICE_URL"]
uploader.KALTURA_SERVICE_URL, uploader.KALTURA_API_URL = url, url + "api_v3/"
uploader.KALTURA_CDN_URL_TEMPLATE = uploader.KALTURA_CDN_URL_TEMPLATE.replace("https://cdnapi-ev.kaltura.com/", url)
sys.exit(cli.main())
"""
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture(scope="module")
def uploader_python() -> Path:
    return environment("kaltura-uploader", "kaltura_uploader", ["kaltura-uploader==0.1.3"])


@pytest.mark.parametrize(
    ("name", "content", "entry_type"),
    [("clip.mp4", None, 1), ("paper.pdf", PDF, 10), ("rows.bin", os.urandom(3 << 20), 6)],
    ids=["media entry", "document", "data entry"],
)
def test_it_uploads_a(
    uploader_python: Path,
    sandbox: Sandbox,
    clip: Path,
    tmp_path: Path,
    name: str,
    content: Any,
    entry_type: int,
) -> None:
    file = tmp_path / name
    file.write_bytes(content or clip.read_bytes())
    env = os.environ | {
        "KALTURA_SERVICE_URL": f"{sandbox.url}/",
        "KALTURA_PARTNER_ID": str(sandbox.partner_id),
        "KALTURA_ADMIN_SECRET": sandbox.admin_secret,
    }
    command = [uploader_python, "-c", COMMAND, file, "--chunk_size", "1024"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sandbox.control.wait_idle()
    (entry,) = [entry for entry in sandbox.control.entries() if entry["name"] == name]
    assert (entry["type"], entry["status"]) == (entry_type, 2)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert sandbox.control.entry(entry["id"])["content"]["sha256"] == digest
    url = f"{sandbox.url}/p/{sandbox.partner_id}/raw/entry_id/{entry['id']}/direct_serve/1/forceproxy/true/{name}"
    assert url in done.stderr
    assert hashlib.sha256(requests.get(url, timeout=10).content).hexdigest() == digest
