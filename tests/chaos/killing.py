"""A real deployment whose parts are killed at random: scheduler, triggerer, workers, tasks, the sandbox."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import imageio_ffmpeg
import psutil

from kaltura_sandbox import Control

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "include" / "local"))

from deployment import Deployment, free_port  # noqa: E402 - the path above leads to it

BUCKET = "chaos"
BATCH = 20
PART_KILLS = ("scheduler", "triggerer", "sandbox")
# What a real deployment waits for in minutes passes in seconds here.
IMPATIENCE = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "3",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "3",
}


@dataclass
class Wave:
    """Runs that are under way together; each is one schedule."""

    runs: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    kills: list[str] = field(default_factory=list)


class Battlefield:
    """Airflow and the sandbox, started once for all waves."""

    def __init__(self, home: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.deployment = Deployment(
            home,
            free_port(),
            free_port(),
            free_port(),
            home / "env",
            {**IMPATIENCE, "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "dags")},
        )
        self.clip = _clip(home)
        self._s3: Any = None

    def start(self) -> None:
        self.deployment.start(print)
        env = self.deployment.sandbox_env()
        self._s3 = boto3.client(
            "s3",
            endpoint_url=env["S3_ENDPOINT_URL"],
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        )
        self._s3.create_bucket(Bucket=BUCKET)
        self.deployment.send("PATCH", "dags/chaos", {"is_paused": False})

    @property
    def control(self) -> Control:
        return Control(f"http://127.0.0.1:{self.deployment.kaltura_port}")

    def begin(self, schedules: int, name: str) -> Wave:
        """Start runs of two assets each, some of them twice, at once. The first of four is a batch of small assets."""
        wave = Wave()
        for number in range(schedules):
            sources = []
            count, most = (BATCH, 200_000) if number == 0 and schedules > 3 else (2, 12_000_000)
            for part in range(count):
                key = f"{name}/{number}-{part}.mp4"
                # A player ignores what follows the film: every asset has bytes of its own, and several chunks.
                content = self.clip + self.random.randbytes(self.random.randrange(1, most))
                self._s3.put_object(Bucket=BUCKET, Key=key, Body=content)
                sources.append(f"s3://{BUCKET}/{key}")
                wave.sources[sources[-1]] = hashlib.sha256(content).hexdigest()
            for _ in range(2 if self.random.random() < 0.3 else 1):
                wave.runs.append(self._trigger(sources))
        return wave

    def kill_for(self, wave: Wave, seconds: float) -> None:
        """Kill something every few seconds; what is a part of the deployment is started again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.random.uniform(1.0, 5.0))
            what = self.random.choice(["task", "task", "worker", *PART_KILLS, "sessions", "clear"])
            if what in PART_KILLS:
                os.killpg(self.deployment.processes.recorded()[what], signal.SIGKILL)
                time.sleep(self.random.uniform(0.0, 2.0))
                self.deployment.start_part(what)
            elif what == "sessions":
                with contextlib.suppress(OSError):
                    self.control.expire_sessions()
            elif what == "clear":
                if not self._clear(wave):
                    continue
            elif not self._kill_process(what):
                continue
            wave.kills.append(what)

    def _kill_process(self, what: str) -> bool:
        """SIGKILL a task's process, or the worker above it; returns whether there was one.

        A worker without a task is left alone: waiting for one, it may hold the lock of the executor's queue, and once
        that lock's holder is dead, no worker gets a task until the scheduler is started again.
        """
        group = self.deployment.processes.recorded()["scheduler"]
        found = []
        for worker in psutil.Process(group).children():
            with contextlib.suppress(psutil.Error):
                if tasks := worker.children():
                    found += tasks if what == "task" else [worker]
        if not found:
            return False
        chosen = self.random.choice(found)
        with contextlib.suppress(psutil.Error):
            chosen.suspend()
            if what == "task" or chosen.children():
                chosen.kill()
                return True
            chosen.resume()
        return False

    def _clear(self, wave: Wave) -> bool:
        """Clear a run's tasks as a person would, and what they remembered with them."""
        run = self.random.choice(wave.runs)
        with contextlib.suppress(Exception):
            # The sources of a run are one batch.
            path = f"dags/chaos/dagRuns/{run}/taskInstances/batch.ingest/state-store"
            self.deployment.send("DELETE", path, {}, map_index=0)
            body = {"dry_run": False, "only_failed": False, "dag_run_id": run, "task_ids": ["batch.ingest"]}
            self.deployment.send("POST", "dags/chaos/clearTaskInstances", {**body, "include_downstream": True})
            return True
        return False

    def settle(self, wave: Wave, timeout: float) -> None:
        """Wait until every run has ended; a failed one is followed by another, as a person would do."""
        deadline = time.monotonic() + timeout
        open_runs = list(wave.runs)
        while open_runs:
            assert time.monotonic() < deadline, f"still open after {timeout:.0f} s: {open_runs}"
            time.sleep(0.5)
            for run in list(open_runs):
                state = self.deployment.get(f"dags/chaos/dagRuns/{run}")
                if state["state"] == "success":
                    open_runs.remove(run)
                elif state["state"] == "failed":
                    open_runs.remove(run)
                    again = self._trigger(state["conf"]["sources"])
                    wave.runs.append(again)
                    open_runs.append(again)

    def check(self, wave: Wave) -> None:
        """Count on the server: one entry an asset, in whatever status but deleted, with exactly its bytes."""
        control = self.control
        control.wait_idle()
        held: dict[str, list[str]] = {}
        for entry in control.entries():
            said = control.entry(entry["id"])
            content = (said.get("content") or {}).get("sha256", "nothing")
            held.setdefault(entry["name"], []).append(f"{entry['id']} status {entry['status']}: {content}")
        for uri, digest in wave.sources.items():
            name = uri.rsplit("/", 1)[-1].removesuffix(".mp4")
            wave_of = uri.split("/")[3]
            mine = held.get(f"{wave_of} {name}", [])
            assert len(mine) == 1, f"{uri} is {len(mine)} entries: {mine}"
            assert mine[0].endswith(f"status 2: {digest}"), f"{uri}: {mine[0]}, expected {digest}"

    def _trigger(self, sources: list[str]) -> str:
        wave = sources[0].split("/")[3]
        body = {"logical_date": None, "conf": {"sources": sources, "name": f"{wave} {{{{ asset.stem }}}}"}}
        for _ in range(10):
            with contextlib.suppress(Exception):
                return str(self.deployment.send("POST", "dags/chaos/dagRuns", body)["dag_run_id"])
            time.sleep(1)
        raise AssertionError("Airflow takes no run")

    def stop(self) -> None:
        self.deployment.processes.stop()


def _clip(home: Path) -> bytes:
    home.mkdir(parents=True, exist_ok=True)
    path = home / "clip.mp4"
    video = "testsrc=size=320x180:rate=25:duration=2"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", video, "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(path)], check=True)
    return path.read_bytes()
