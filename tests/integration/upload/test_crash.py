"""An uploader that dies by SIGKILL, and another process that goes on; memory of a process that uploads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kaltura_provider.upload.settings import memory_bound
from kaltura_provider.upload.sources.file import open_file
from tests.until import until

if TYPE_CHECKING:
    Account = Any

MIB = 1 << 20
PARALLELISM = 4

CHILD = """
import json, sys
from pathlib import Path
from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import Credentials
from kaltura_provider.upload.settings import UploadSettings
from kaltura_provider.upload.sources.file import open_file
from kaltura_provider.upload.sources.s3 import open_s3, s3_client_options
from kaltura_provider.upload.uploader import Uploader

url, partner, secret, token, path, options = sys.argv[1:]

def opened(address):
    if not address.startswith("{"):
        return open_file(address)
    import boto3
    from botocore.config import Config
    where = json.loads(address)
    config = Config(**s3_client_options(), s3={"addressing_style": "path"})
    source = open_s3(boto3.client("s3", **where["client"], config=config), where["bucket"], where["key"])
    list(source.read(0, 1))  # botocore loads its parsers with the first answer
    return source

def memory(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024

client = KalturaClient(url, Credentials(int(partner), "secret", secret))
client.call("uploadToken", "get", {"uploadTokenId": token})
source = opened(path)
Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
result = Uploader(client, settings=UploadSettings(**json.loads(options))).send(source, token, attached=True)
print(json.dumps({"growth": memory("VmHWM") - before, "sent": result.bytes_sent}))
"""


def start(account: Account, token: str, path: Path | str, **options: Any) -> subprocess.Popen[str]:
    sandbox = account.sandbox
    arguments = [sandbox.service_url, str(sandbox.partner_id), sandbox.admin_secret, token, str(path)]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments, json.dumps(options)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("after", [4, 10, 16])
def test_killed_process_costs_no_more_than_the_chunks_in_flight(
    account: Account, clip: Callable[[int], tuple[Path, str]], quick: Any, after: int
) -> None:
    size = 24 * MIB
    path, sha = clip(size)
    token = account.token(size, attached=True)
    child = start(account, token, path, parallelism=PARALLELISM, chunk_size=MIB, bandwidth=18 * MIB)
    until(lambda: int(account.get(token).get("uploadedFileSize") or 0) >= after * MIB, f"{after} MiB")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert account.get(token)["status"] == 1
    result = quick(account.client).send(open_file(path), token, attached=True, own=True)
    assert account.content(token, attached=True) == {"sha256": sha, "size": size}
    assert result.resumed_from > 0
    # All bytes the server took, from both processes, headers and forms included.
    assert size <= account.control.state()["bytes_received"] <= size + 2 * PARALLELISM * MIB + 100_000


def assert_all_sent_within_the_bound(child: subprocess.Popen[str], size: int) -> None:
    out, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    report = json.loads(out)
    assert report["sent"] == size
    assert 0 < report["growth"] <= memory_bound(8)


@pytest.mark.parametrize("chunk", [2, 10, 64])
def test_memory_stays_within_the_documented_bound(
    account: Account, clip: Callable[[int], tuple[Path, str]], chunk: int
) -> None:
    size = 150 * MIB
    path, sha = clip(size)
    token = account.token(size, attached=True)
    child = start(account, token, path, parallelism=8, chunk_size=chunk * MIB)
    assert_all_sent_within_the_bound(child, size)
    assert account.content(token, attached=True)["sha256"] == sha
    os.unlink(path)


def test_memory_stays_within_the_documented_bound_from_s3(
    account: Account, bucket: Any, s3_sandbox: Any, clip: Callable[[int], tuple[Path, str]]
) -> None:
    size = 100 * MIB
    path, sha = clip(size)
    bucket.upload_file(str(path), "upload-tests", "clip.mp4")
    path.unlink()
    token = account.token(size, attached=True)
    client = {
        "endpoint_url": s3_sandbox.url,
        "aws_access_key_id": s3_sandbox.access_key,
        "aws_secret_access_key": s3_sandbox.secret_key,
        "region_name": "us-east-1",
    }
    address = json.dumps({"client": client, "bucket": "upload-tests", "key": "clip.mp4"})
    child = start(account, token, address, parallelism=8, chunk_size=10 * MIB)
    assert_all_sent_within_the_bound(child, size)
    assert account.content(token, attached=True)["sha256"] == sha
