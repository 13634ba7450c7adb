"""One contestant's upload in a process of its own; prints what it took as a line of JSON.

Time and processor time are those of the upload alone, without starting Python, importing and making the token.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MIB = 1 << 20


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {name}")


def measured(upload: Callable[[], Any]) -> dict[str, float]:
    """Run an upload and return seconds, processor seconds and by how many bytes memory grew at most."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _memory("VmRSS")
    cpu, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    upload()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "cpu": after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime,
        "growth": _memory("VmHWM") - before,
    }


def engine(options: argparse.Namespace) -> tuple[str, Callable[[], Any]]:
    """Upload with this project's engine, from a file or from S3."""
    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.api.credentials import Credentials
    from kaltura_provider.services.upload_token import UploadToken
    from kaltura_provider.upload.settings import UploadSettings
    from kaltura_provider.upload.sources.file import open_file
    from kaltura_provider.upload.sources.s3 import open_s3, s3_client_options
    from kaltura_provider.upload.uploader import Uploader

    client = KalturaClient(options.url, Credentials(1, "ks", "bench"))
    state = UploadToken.of(client.call("uploadToken", "add", {}))
    token = state.id
    settings = UploadSettings(chunk_size=options.chunk or None, parallelism=options.parallelism or None)
    uploader = Uploader(client, settings=settings)
    if not options.s3:
        return token, lambda: uploader.send(open_file(options.file), token, attached=True, state=state)
    import boto3
    from botocore.config import Config

    s3 = boto3.client(
        "s3",
        endpoint_url=options.s3,
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        region_name="us-east-1",
        config=Config(**s3_client_options(), s3={"addressing_style": "path"}),
    )
    return token, lambda: uploader.send(open_s3(s3, "bucket", "object.mp4"), token, attached=True, state=state)


def official(options: argparse.Namespace) -> tuple[str, Callable[[], Any]]:
    """Upload with Kaltura's own client, in one request or in chunks one after the other."""
    import io

    from KalturaClient import KalturaClient, KalturaConfiguration
    from KalturaClient.Plugins.Core import KalturaUploadToken

    configuration = KalturaConfiguration()
    configuration.serviceUrl = options.url
    client = KalturaClient(configuration)
    client.setKs("bench")
    token = client.uploadToken.add(KalturaUploadToken()).id

    def upload() -> None:
        with open(options.file, "rb") as file:
            if not options.chunk:
                client.uploadToken.upload(token, file)
                return
            offset, size = 0, Path(options.file).stat().st_size
            while offset < size:
                part = io.BytesIO(file.read(options.chunk))
                part.name = "chunk"
                length = len(part.getbuffer())
                client.uploadToken.upload(token, part, offset > 0, offset + length == size, offset)
                offset += length

    return token, upload


def uploader_tool(options: argparse.Namespace) -> tuple[str, Callable[[], Any]]:
    """Upload with the kaltura-uploader tool, as it comes."""
    from kaltura_uploader import uploader as module

    module.KALTURA_SERVICE_URL = options.url
    tool = module.KalturaUploader(options.partner, options.secret)
    made: list[str] = []

    def upload() -> None:
        for file in [options.file, *options.more]:
            made.append(tool.upload_file(file))
        print(made[0])

    return "", upload


def requests_files(options: argparse.Namespace) -> tuple[str, Callable[[], Any]]:
    """Upload with ``requests.post(files=...)``, as most examples do."""
    import requests

    add = f"{options.url}/api_v3/service/uploadtoken/action/add?format=1"
    token = requests.post(add, timeout=30).json()["id"]
    url = f"{options.url}/api_v3/service/uploadtoken/action/upload?format=1&uploadTokenId={token}"

    def upload() -> None:
        with open(options.file, "rb") as file:
            requests.post(url, files={"fileData": ("a.mp4", file)}, timeout=60).raise_for_status()

    return token, upload


CONTESTANTS = {
    "engine": engine,
    "official": official,
    "uploader": uploader_tool,
    "requests": requests_files,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("contestant", choices=CONTESTANTS)
    parser.add_argument("url")
    parser.add_argument("--file", default="")
    parser.add_argument("--s3", default="")
    parser.add_argument("--more", nargs="*", default=[], help="further files, for the uploader")
    parser.add_argument("--partner", type=int, default=1)
    parser.add_argument("--secret", default="secret")
    parser.add_argument("--chunk", type=int, default=0)
    parser.add_argument("--parallelism", type=int, default=0)
    options = parser.parse_args()
    token, upload = CONTESTANTS[options.contestant](options)
    report: dict[str, Any] = dict(measured(upload))
    report["token"] = token
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
