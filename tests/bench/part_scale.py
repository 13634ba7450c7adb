"""Items a minute with 1, 2 and 4 workers, each a process, that share one long line to the sandbox.

The line carries ``RATE`` bits a second with round trips of ``TRIP`` seconds. Each worker ingests batches of pictures of
``LENGTH`` bytes, one item after another. ``scale_2_vs_1`` says how many times as many items two workers ingest as one;
``scale_line_share_N`` is the share of time for which the line is full. The sandbox, the line and all workers share this
machine's processors, so with few of them the figures for 4 workers say little about the product.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from uploads.servers import scratch, server

from kaltura_sandbox.spawned import SpawnedSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WORKERS = (1, 2, 4)
BATCHES_EACH, BATCH = 3, 4
LENGTH = 2_000_000
RATE, TRIP = 400e6, 0.1
WORKER = Path(__file__).with_name("scale_worker.py")
MUST = {"scale_2_vs_1": 1.8}


def run() -> Iterator[dict[str, float]]:
    """Measure, and yield the figures."""
    found: dict[str, float] = {}
    for count in WORKERS:
        found |= _measure(count)
    found["scale_2_vs_1"] = found["scale_items_per_minute_2"] / found["scale_items_per_minute_1"]
    found["scale_4_vs_1"] = found["scale_items_per_minute_4"] / found["scale_items_per_minute_1"]
    for name, value in found.items():
        print(f"  {name} {value:.3f}", flush=True)
    yield found


def missed(found: dict[str, float]) -> list[str]:
    """Return what is below its bound."""
    return [f"{name} {found[name]:.2f} < {bound}" for name, bound in MUST.items() if found[name] < bound]


def _measure(count: int) -> dict[str, float]:
    """Let workers ingest as many batches each, and count what comes in a minute."""
    with scratch() as folder, SpawnedSandbox(manual_jobs=True) as sandbox:
        items = count * BATCHES_EACH * BATCH
        paths = _write(folder, items)
        batches = [paths[start : start + BATCH] for start in range(0, items, BATCH)]
        with server("pacer.py", str(sandbox.port), "--trip", str(TRIP), "--rate", str(RATE)) as url:
            command = [sys.executable, str(WORKER), url]
            command += ["--partner", str(sandbox.partner_id), "--secret", sandbox.admin_secret]
            seconds, cpu = _together(command, [batches[worker::count] for worker in range(count)])
    return {
        f"scale_items_per_minute_{count}": items / seconds * 60,
        f"scale_line_share_{count}": items * LENGTH * 8 / RATE / seconds,
        f"scale_cpu_seconds_per_item_{count}": cpu / items,
    }


def _together(command: Sequence[str], shares: Sequence[Sequence[Sequence[str]]]) -> tuple[float, float]:
    """Start a worker for each share, let all begin at once, and return the seconds and processor seconds they took."""
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in shares]
    try:
        for worker in workers:
            _read(worker)
        began = time.monotonic()
        for worker, share in zip(workers, shares, strict=True):
            assert worker.stdin is not None
            worker.stdin.write(json.dumps(share) + "\n")
            worker.stdin.flush()
        cpu = sum(float(_read(worker).split()[1]) for worker in workers)
        return time.monotonic() - began, cpu
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate(timeout=20)


def _read(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    line = worker.stdout.readline()
    if not line:
        raise RuntimeError(f"a worker ended with code {worker.wait(20)}")
    return line


def _write(folder: Path, count: int) -> list[str]:
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        # A picture by its first bytes, so nothing is converted.
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + number.to_bytes(4, "big") + os.urandom(LENGTH - 12))
    return [str(path) for path in paths]
