"""A library on a sandbox in this process, and a bench that counts what the server really holds."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.multipart import FilePart
from kaltura_provider.api.observer import Observer
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.ingest.item import ItemRef, SourceItem
from kaltura_provider.ingest.marks import item_mark
from kaltura_provider.ingest.preparation import prepare
from kaltura_provider.ingest.send import Ingested, ingest
from kaltura_provider.ingest.settings import Clock, IngestSettings
from kaltura_provider.ingest.sidecar import Sidecar
from kaltura_provider.ingest.sidecar_protocol import attach_sidecar
from kaltura_provider.services.entry.metadata import EntryMetadata
from kaltura_provider.upload.settings import UploadSettings
from kaltura_provider.upload.sources.base import Source
from kaltura_provider.upload.sources.file import open_file
from kaltura_provider.upload.uploader import Uploader
from kaltura_sandbox import Sandbox


class SandboxClock(Clock):
    """Sleeps by moving the server's time, so that graces pass at once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.slept = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.sandbox.control.advance_clock(seconds)


class Ids(Observer):
    """Keeps the ids that it is notified of."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def on_id(self, kind: str, value: str) -> None:
        self.seen.append((kind, value))


@dataclass
class Library:
    """The sandbox, a client of it, and files to ingest."""

    sandbox: Sandbox
    client: KalturaClient
    folder: Path
    settings: IngestSettings
    observer: Ids = field(default_factory=Ids)

    def __post_init__(self) -> None:
        self.uploader = Uploader(self.client, settings=UploadSettings(chunk_size=64 * 1024, parallelism=2))

    def file(self, name: str = "clip.mp4", size: int = 200_000, seed: int = 1) -> Source:
        path = self.folder / name
        path.write_bytes(random.Random(seed).randbytes(size))
        return open_file(path)

    def item(self, source: Source, validator: str | None = None, **values: Any) -> SourceItem:
        return SourceItem(
            uri=f"s3://media/{source.name}",
            size=source.size,
            validator=source.validator if validator is None else validator,
            name=source.name,
            metadata=EntryMetadata(**values.pop("metadata", {})),
            **values,
        )

    def prepare(self, *items: SourceItem, **settings: Any) -> list[ItemRef]:
        known = settings.pop("known", None)
        return prepare(
            self.client, items, settings=replace(self.settings, **settings), observer=self.observer, known=known
        )

    def ingest(self, source: Source, item: SourceItem | None = None, **settings: Any) -> Ingested:
        pair = (item or self.item(source), lambda: source)
        chosen = replace(self.settings, **settings)
        return ingest(self.client, self.uploader, [pair], settings=chosen, observer=self.observer)[0]

    def begin(self, source: Source, token_id: str | None) -> None:
        """Send the first chunk of a source to a token."""
        params = {"uploadTokenId": token_id, "resume": False, "finalChunk": False, "resumeAt": 0}
        part = FilePart("content.mp4", 8192, lambda: source.read(0, 8192))
        self.client.send_file("uploadToken", "upload", params, part)

    def entries(self, item: SourceItem | ItemRef) -> list[dict[str, Any]]:
        """Every entry with the item's mark that is not deleted, counted on the server and not by our own search."""
        mark = item_mark(item.item_id)
        return [entry for entry in self.sandbox.control.entries() if mark in str(entry.get("adminTags")).split(",")]

    def tokens(self, item: SourceItem) -> list[dict[str, Any]]:
        tokens = self.sandbox.control.tokens()
        return [token for token in tokens if token["status"] != 5 and item.item_id in str(token.get("fileName"))]

    def holds(self, entry_id: str, source: Source) -> bool:
        content = self.sandbox.control.entry(entry_id)["content"]
        path = self.folder / source.name
        return bool(content) and content["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()

    def calls(self) -> int:
        return int(self.sandbox.control.state()["requests"])

    def changes(self) -> dict[str, int]:
        """Calls that changed something, by name."""
        calls = self.sandbox.control.state()["calls"]
        reading = ("list", "get", "getTime")
        return {name: count for name, count in calls.items() if name.split(".")[1] not in reading}

    def race(self, sidecar: Sidecar, source: Source) -> list[str]:
        """Attach one file from three clients at the same moment, and return the id of the asset that each got."""
        settings = IngestSettings(poll=0.05, backoff=0.2, grace=3, claim_timeout=20, clock=Clock())
        gate = threading.Barrier(3, timeout=30)

        def attached(_: int) -> str:
            with client_of(self.sandbox) as client:
                gate.wait()
                uploader = Uploader(client, settings=self.uploader.settings)
                return attach_sidecar(client, uploader, sidecar, source, settings=settings).asset_id

        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(attached, range(3)))


def client_of(sandbox: Sandbox, **values: Any) -> KalturaClient:
    credentials = Credentials(
        partner_id=sandbox.partner_id,
        **({"auth": AuthMethod.SECRET, "secret": sandbox.admin_secret} | values),
    )
    return KalturaClient(sandbox.service_url, credentials, retry=RetrySettings(attempts=3, base=0.01, cap=0.05))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Sandbox(run_jobs=False) as sandbox, client_of(sandbox) as client:
        settings = IngestSettings(clock=SandboxClock(sandbox), backoff=0.5)
        folder = tmp_path / "files"
        folder.mkdir()
        yield Library(sandbox, client, folder, settings)
