"""What an ingest costs in tasks and requests, and how long small files take on a long line.

Requests are exchanges over HTTP while ingest tasks ran, and while a plan was made of what was there already. Waiting
is not counted: one request serves all waits of a connection (part *waiting*). For runs under a real scheduler, all
requests to Kaltura are counted. Kaltura converts instantly: entries become READY without work.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import feeds_alone
import feeds_scheduled
from uploads.runs import CONTESTANTS
from uploads.servers import peers_python, scratch, server

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.observer import Observer
from kaltura_provider.feeds.planning.batches import DEFAULT_SIZE
from kaltura_provider.feeds.planning.forecast import Outlook, forecast
from kaltura_provider.hooks.observer import AirflowObserver
from kaltura_provider.ingest.item import ItemState, SourceItem
from kaltura_provider.ingest.send import ingest
from kaltura_provider.upload.sources.file import open_file
from kaltura_provider.upload.uploader import Uploader
from kaltura_sandbox import Sandbox
from kaltura_sandbox.spawned import SpawnedSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaltura_provider.api.observer import CallRecord

SIZES = (10, 100, 1000)
LENGTH = 100_000
SMALL_FILES = 200
# kaltura-uploader sends one file after the other, so fewer of them show how long each takes.
PEER_FILES = 20
TRIP = 0.05

_EXCHANGES: list[str] = []

MOST = {
    "ingest_requests_per_asset_1k": 6,
    "ingest_requests_per_asset_again_1k": 0.05,
    "plan_seconds_10k": 5,
    **feeds_alone.MOST,
    **feeds_scheduled.MOST,
}
LEAST = {"small_files_vs_kaltura_uploader": 10}


def run() -> Iterator[dict[str, float]]:
    """Measure, print the figures, and yield them as soon as they are known."""
    for figures in _measured():
        for name, value in figures.items():
            print(f"  {name} {value:.3f}", flush=True)
        yield figures


def _measured() -> Iterator[dict[str, float]]:
    AirflowObserver.on_call = _count  # type: ignore[method-assign]
    # A deployment must not get the connections of what was measured before it.
    with patch.dict(os.environ):
        with TemporaryDirectory() as folder, Sandbox(run_jobs=False) as sandbox:
            os.environ["KALTURA_ALLOWED_PATHS"] = folder
            for count in SIZES:
                sandbox.control.reset()
                yield _uploads(sandbox, Path(folder), count)
            sandbox.control.reset()
            yield _plan_of_many(sandbox, 10_000)
        yield from feeds_alone.measure()
        yield _small_files()
    yield from feeds_scheduled.measure()


def missed(found: dict[str, float]) -> list[str]:
    """Return what is beyond its bound."""
    over = [f"{name} {found[name]:.3f} > {bound}" for name, bound in MOST.items() if found.get(name, 0) > bound]
    under = [f"{name} {found[name]:.3f} < {bound}" for name, bound in LEAST.items() if found.get(name, bound) < bound]
    return over + under


def _count(self: AirflowObserver, call: CallRecord) -> None:
    """Note one exchange over HTTP: a multirequest is one, whatever it holds."""
    _EXCHANGES.append(call.action)


def _name(count: int) -> str:
    return f"{count // 1000}k" if count >= 1000 else str(count)


def _in_batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), DEFAULT_SIZE):
        yield items[start : start + DEFAULT_SIZE]


def _write(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number}.mp4" for number in range(count)]
    for path in paths:
        path.write_bytes(b"\x00\x00\x00\x18ftypmp42" + os.urandom(LENGTH - 12))
    return paths


def _uploads(sandbox: Sandbox, folder: Path, count: int) -> dict[str, float]:
    uris = [path.as_uri() for path in _write(folder, count)]
    began, before = time.process_time(), len(_EXCHANGES)
    refs = [ref for batch in _in_batches(uris) for ref in _ingested(sandbox, batch)]
    cpu, first = time.process_time() - began, len(_EXCHANGES) - before
    _expect(ref["state"] == "done" for ref in refs)
    for ref in refs:
        sandbox.control.set_entry(ref["entry_id"], status=2)
    items = [SourceItem(uri=ref["uri"], size=ref["size"], validator=_validator(ref["uri"])) for ref in refs]
    before = len(_EXCHANGES)
    forecasts = forecast(_client(sandbox), items)
    again = len(_EXCHANGES) - before
    _expect(one.outlook is Outlook.THERE for one in forecasts)
    return {
        f"ingest_requests_per_asset_{_name(count)}": first / count,
        f"ingest_requests_per_asset_again_{_name(count)}": again / count,
        f"ingest_cpu_seconds_per_asset_{_name(count)}_engine": cpu / count,
    }


def _expect(good: Iterator[bool]) -> None:
    if not all(good):
        raise RuntimeError("not every item is as expected")


def _plan_of_many(sandbox: Sandbox, count: int) -> dict[str, float]:
    items = [SourceItem(uri=f"s3://media/{number}.mp4", size=LENGTH, validator=str(number)) for number in range(count)]
    began = time.monotonic()
    forecast(_client(sandbox), items)
    return {"plan_seconds_10k": time.monotonic() - began}


def _small_files() -> dict[str, float]:
    """Ingest small files over a line of 50 ms, and upload some of them with kaltura-uploader over the same line."""
    with scratch() as folder, SpawnedSandbox(manual_jobs=True) as sandbox:
        paths = _write(folder, SMALL_FILES)
        with server("pacer.py", str(sandbox.port), "--trip", str(TRIP)) as url:
            peer = _uploader_seconds(sandbox, url, paths[:PEER_FILES]) / PEER_FILES
            began = time.monotonic()
            for batch in _in_batches(paths):
                _ingest_files(sandbox, url, batch)
            engine = (time.monotonic() - began) / SMALL_FILES
    return {
        "small_files_seconds_engine": engine,
        "small_files_seconds_kaltura_uploader": peer,
        "small_files_vs_kaltura_uploader": peer / engine,
    }


def _uploader_seconds(sandbox: SpawnedSandbox, url: str, paths: Sequence[Path]) -> float:
    command = [peers_python(), CONTESTANTS, "uploader", url, "--file", str(paths[0])]
    command += ["--partner", str(sandbox.partner_id), "--secret", sandbox.admin_secret]
    command += ["--more", *map(str, paths[1:])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"kaltura-uploader failed: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout.strip().splitlines()[-1])["seconds"])


def _ingest_files(sandbox: SpawnedSandbox, url: str, paths: Sequence[Path]) -> None:
    """Ingest a batch: entries are made, files uploaded and verified. kaltura-uploader only uploads them."""
    credentials = Credentials(
        partner_id=sandbox.partner_id, auth=AuthMethod.SECRET, secret=sandbox.admin_secret
    )  # fmt: skip
    sources = [open_file(path) for path in paths]
    items = [
        SourceItem(uri=path.as_uri(), size=LENGTH, validator=source.validator)
        for path, source in zip(paths, sources, strict=True)
    ]
    with KalturaClient(url, credentials, observer=Observer()) as client:
        pairs = [(item, lambda opened=source: opened) for item, source in zip(items, sources, strict=True)]
        results = ingest(client, Uploader(client), pairs)  # type: ignore[arg-type]
    _expect(result.ref.state is ItemState.DONE for result in results)
    for source in sources:
        source.close()


def _validator(uri: str) -> str:
    from kaltura_provider.hooks.sources import open_source

    source = open_source(uri)
    source.close()
    return source.validator


def _client(sandbox: Sandbox) -> Any:
    from kaltura_provider.hooks.kaltura import KalturaHook

    _connect(sandbox)
    return KalturaHook().get_conn()


def _connect(sandbox: Sandbox) -> None:
    fields = {"conn_type": "kaltura", "host": sandbox.url, "login": str(sandbox.partner_id)}
    os.environ["AIRFLOW_CONN_KALTURA_DEFAULT"] = json.dumps({**fields, "password": sandbox.admin_secret})


def _ingested(sandbox: Sandbox, uris: Sequence[str]) -> list[dict[str, Any]]:
    from kaltura_provider.operators.ingest import KalturaIngestOperator

    _connect(sandbox)
    ti = SimpleNamespace(
        dag_id="bench", run_id="bench", try_number=1, max_tries=0, map_index=-1, xcom_push=lambda key, value: None
    )
    context: Any = {"ti": ti}
    sources = [{"uri": uri, "metadata_digest": "0-0123456789ab"} for uri in uris]  # as a feed does
    refs: list[dict[str, Any]] = KalturaIngestOperator(task_id="ingest", source=sources).execute(context)
    return refs
