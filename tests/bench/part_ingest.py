"""What an ingest costs in tasks and requests: batches of 100 kB files into the sandbox, then once more.

Task instances follow from the batches that discover makes (two for a batch, discover and summary). Requests are
exchanges over HTTP while ingest tasks ran, and while a plan was made of what was there already.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kaltura_provider.feeds.batches import DEFAULT_SIZE, in_batches
from kaltura_provider.feeds.forecast import Outlook, forecast
from kaltura_provider.hooks.observer import AirflowObserver
from kaltura_provider.ingest.item import SourceItem
from kaltura_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.api.observer import CallRecord

SIZES = (10, 100, 1000)
LENGTH = 100_000

_EXCHANGES: list[str] = []

MUST = {
    "ingest_task_instances_per_asset_1k": 0.06,
    "ingest_requests_per_asset_100": 6,
    "ingest_requests_per_asset_again_100": 0.05,
    "plan_seconds_10k": 5,
}


def run() -> dict[str, float]:
    """Measure, and return the figures."""
    found: dict[str, float] = {}
    for count in SIZES:
        batches = in_batches([(number, LENGTH) for number in range(count)], DEFAULT_SIZE)
        found[f"ingest_task_instances_per_asset_{_name(count)}"] = (2 + 2 * len(batches)) / count
    AirflowObserver.on_call = _count  # type: ignore[method-assign]
    with TemporaryDirectory() as folder, Sandbox() as sandbox:
        os.environ["KALTURA_ALLOWED_PATHS"] = folder
        found |= _requests(sandbox, Path(folder), 100)
        found |= _plan_of_many(sandbox, 10_000)
    for name, value in found.items():
        print(f"  {name} {value:.3f}", flush=True)
    return found


def missed(found: dict[str, float]) -> list[str]:
    """Return what is beyond its bound."""
    return [f"{name} {found[name]:.3f} > {bound}" for name, bound in MUST.items() if found.get(name, 0) > bound]


def _count(self: AirflowObserver, call: CallRecord) -> None:
    """Note one exchange over HTTP: a multirequest is one, whatever it holds."""
    _EXCHANGES.append(call.action)


def _name(count: int) -> str:
    return f"{count // 1000}k" if count >= 1000 else str(count)


def _requests(sandbox: Sandbox, folder: Path, count: int) -> dict[str, float]:
    uris = []
    for number in range(count):
        # A picture by its first bytes, so that no conversion follows.
        path = folder / f"{number}.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + number.to_bytes(4, "big") + os.urandom(LENGTH - 12))
        uris.append(path.as_uri())
    batches = [uris[start : start + DEFAULT_SIZE] for start in range(0, count, DEFAULT_SIZE)]
    began, before = time.process_time(), len(_EXCHANGES)
    refs = [ref for batch in batches for ref in _ingested(sandbox, batch)]
    cpu, first = time.process_time() - began, len(_EXCHANGES) - before
    items = [SourceItem(uri=ref["uri"], size=ref["size"], validator=_validator(ref["uri"])) for ref in refs]
    before = len(_EXCHANGES)
    forecasts = forecast(_client(sandbox), items)
    again = len(_EXCHANGES) - before
    there = sum(one.outlook is Outlook.THERE for one in forecasts)
    if there != count:
        raise RuntimeError(f"{there} of {count} items were found again")
    return {
        f"ingest_requests_per_asset_{count}": first / count,
        f"ingest_requests_per_asset_again_{count}": again / count,
        f"ingest_cpu_seconds_per_asset_{count}_engine": cpu / count,
    }


def _plan_of_many(sandbox: Sandbox, count: int) -> dict[str, float]:
    items = [SourceItem(uri=f"s3://media/{number}.mp4", size=LENGTH, validator=str(number)) for number in range(count)]
    began = time.monotonic()
    forecast(_client(sandbox), items)
    return {"plan_seconds_10k": time.monotonic() - began}


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
    import json

    fields = {"conn_type": "kaltura", "host": sandbox.url, "login": str(sandbox.partner_id)}
    os.environ["AIRFLOW_CONN_KALTURA_DEFAULT"] = json.dumps({**fields, "password": sandbox.admin_secret})


def _ingested(sandbox: Sandbox, uris: Sequence[str]) -> list[dict[str, Any]]:
    from kaltura_provider.operators.ingest import KalturaIngestOperator

    _connect(sandbox)
    ti = SimpleNamespace(
        dag_id="bench", run_id="bench", try_number=1, max_tries=0, map_index=-1, xcom_push=lambda key, value: None
    )
    context: Any = {"ti": ti}
    refs: list[dict[str, Any]] = KalturaIngestOperator(task_id="ingest", assets=list(uris)).execute(context)
    return refs
