"""A sandbox server of these tests' own, and short names for what they do with it."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import Credentials
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.upload.settings import Patience, UploadSettings
from kaltura_provider.upload.sources.s3 import s3_client_options
from kaltura_provider.upload.uploader import Uploader
from kaltura_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MIB = 1 << 20


class Account:
    """One account on the sandbox: a client, tokens, and what the server really holds."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.control = sandbox.control
        self.client = self.new_client()

    def new_client(self) -> KalturaClient:
        credentials = Credentials(self.sandbox.partner_id, "secret", self.sandbox.admin_secret)
        retry = RetrySettings(attempts=6, base=0.02, cap=0.1)
        return KalturaClient(self.sandbox.service_url, credentials, retry=retry)

    def token(self, size: int, name: str = "clip.mp4", *, attached: bool = False) -> str:
        token = self.client.call("uploadToken", "add", {"uploadToken": {"fileName": name, "fileSize": size}})
        if attached:
            self.attach(token["id"])
        return str(token["id"])

    def attach(self, token_id: str) -> str:
        """Make an entry of a token and return its id."""
        entry = self.client.call("media", "add", {"entry": {"name": token_id, "mediaType": 1}})
        resource = {"objectType": "KalturaUploadedFileTokenResource", "token": token_id}
        self.client.call("media", "addContent", {"entryId": entry["id"], "resource": resource})
        return str(entry["id"])

    def entry_of(self, token_id: str) -> str:
        return str(next(entry["id"] for entry in self.control.entries() if entry["name"] == token_id))

    def content(self, token_id: str, *, attached: bool) -> dict[str, Any]:
        """Return the sha256 and size of what a token brought in, as the server has it on disk."""
        entry_id = self.entry_of(token_id) if attached else self.attach(token_id)
        return dict(self.control.entry(entry_id)["content"])

    def get(self, token_id: str) -> dict[str, Any]:
        return dict(self.client.call("uploadToken", "get", {"uploadTokenId": token_id}))

    def uploads(self) -> list[dict[str, Any]]:
        """Return the upload calls the server has seen, oldest first."""
        return [call for call in self.control.log(5000) if call["call"].lower() == "uploadtoken.upload"]


@pytest.fixture(scope="session")
def upload_sandbox() -> Iterator[Sandbox]:
    with Sandbox(run_jobs=False, final_wait=0.4) as sandbox:
        yield sandbox


@pytest.fixture
def account(upload_sandbox: Sandbox) -> Iterator[Account]:
    upload_sandbox.control.reset()
    account = Account(upload_sandbox)
    yield account
    upload_sandbox.control.clear_faults()
    account.client.close()


@pytest.fixture
def quick() -> Callable[..., Uploader]:
    """Return a maker of uploaders whose pauses do not hold a test up; it takes settings and patience by name."""
    settings = UploadSettings(chunk_size=1 * MIB)
    patience = Patience(
        retry=RetrySettings(attempts=8, base=0.02, cap=0.1, budget=30.0),
        chunk_timeout=10.0,
        final_timeout=10.0,
        final_poll=1.0,
        single_poll=1.0,
        busy_after=0.6,
        busy_wait=2.0,
        poll=0.1,
    )

    def make(client: KalturaClient, observer: Any = None, **changes: Any) -> Uploader:
        mine = {item.name for item in dataclasses.fields(UploadSettings)}
        return Uploader(
            client,
            observer=observer,
            settings=dataclasses.replace(settings, **{name: changes[name] for name in changes if name in mine}),
            patience=dataclasses.replace(patience, **{name: changes[name] for name in changes if name not in mine}),
        )

    return make


@pytest.fixture
def clip(tmp_path: Path) -> Callable[[int], tuple[Path, str]]:
    """Return a maker of files without two equal stretches; it returns the path and the sha256."""

    def make(size: int) -> tuple[Path, str]:
        data = random.Random(size).randbytes(size)
        path = tmp_path / f"clip-{size}.mp4"
        path.write_bytes(data)
        return path, hashlib.sha256(data).hexdigest()

    return make


@pytest.fixture
def bucket(s3_sandbox: Any) -> Iterator[Any]:
    """Give a client of an S3 server, with an empty bucket ``upload-tests``."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_sandbox.url,
        aws_access_key_id=s3_sandbox.access_key,
        aws_secret_access_key=s3_sandbox.secret_key,
        region_name="us-east-1",
        config=Config(**s3_client_options(), s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket="upload-tests")
    yield client
    for found in client.list_objects_v2(Bucket="upload-tests").get("Contents", []):
        client.delete_object(Bucket="upload-tests", Key=found["Key"])
    client.delete_bucket(Bucket="upload-tests")
    client.close()
