"""One schedule of disasters drawn from a seed: workers, kills, faults of network and Kaltura; then the count."""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.ingest.housekeeping import find_leftovers, remove_leftovers
from kaltura_provider.ingest.identity import content_id, item_id, parse_token_name
from kaltura_provider.ingest.marks import content_mark, import_mark, item_mark
from kaltura_sandbox.spawned import SpawnedSandbox

WORKER = Path(__file__).with_name("worker.py")
CHUNK = 64 * 1024
# Long against what one step of a worker takes, as in life.
GRACE, BATCH_GRACE = 2.0, 10.0
BATCH = 20
# They take longest, so `make test` has fewer of them than `make chaos`.
BATCHES = 0.25 if os.environ.get("N") else 0.1
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("reply_lost", {}),
    ("reset_before", {}),
    ("reset_during", {"bytes": 300}),
    ("reset_during", {"bytes": 30_000, "action": "upload"}),
    ("html_error", {"status": 502}),
    ("unavailable", {"retry_after": 0}),
    ("error", {"code": "INTERNAL_SERVERL_ERROR"}),
    ("error_after", {"code": "INTERNAL_SERVERL_ERROR"}),
    # Single calls of a multirequest, before and after they worked.
    ("error", {"code": "INTERNAL_SERVERL_ERROR", "element": "*", "action": "*"}),
    ("error", {"code": "INTERNAL_SERVERL_ERROR", "element": 1, "action": "*"}),
    ("error_after", {"code": "INTERNAL_SERVERL_ERROR", "element": "*", "action": "*"}),
    ("action_blocked", {}),
    ("expire_ks", {}),
    ("latency", {"seconds": 0.4}),
    ("final_delay", {"seconds": 1.0}),
)
ACTIONS = ("*", "*", "upload", "add", "addContent", "update", "list", "addFromUploadedFile", "delete")
KINDS = (
    (".mp4", {}),
    (".mp4", {}),
    (".mp3", {}),
    (".wav", {}),
    (".png", {}),
    (".pdf", {}),
    (".csv", {}),
    (".mov", {"profile": -1}),
    (".mp4", {"import_url": "http://127.0.0.1:9/clip.mp4"}),
)


class Zygote:
    """The process the workers are forked from."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._buffer = b""

    def start(self, job: dict[str, Any]) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write((json.dumps(job) + "\n").encode())
        self._child.stdin.flush()

    def events(self, timeout: float) -> list[dict[str, Any]]:
        """Return what was said; wait for it up to ``timeout`` seconds."""
        assert self._child.stdout is not None
        ready, _, _ = select.select([self._child.stdout], [], [], max(timeout, 0))
        if not ready:
            return []
        data = os.read(self._child.stdout.fileno(), 65536)
        if not data:
            raise RuntimeError("the workers' parent has died")
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


@dataclass
class Slot:
    """One task: its process is started again until it has succeeded."""

    number: int
    attempts: int = 0
    pid: int | None = None
    kill_after: float | None = None
    freeze_after: float | None = None
    wake_after: float | None = None
    started: float = 0.0
    done: bool = False
    codes: list[int] = field(default_factory=list)


class Schedule:
    """One seeded schedule. ``run`` raises :class:`AssertionError` when a promise is broken."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder = seed, folder
        self.random = random.Random(seed)
        # Some schedules are a whole batch of a feed.
        count = BATCH if self.random.random() < BATCHES else self.random.randint(1, 3)
        self.files = [self._file(n, 20 if count < BATCH else 3) for n in range(count)]
        self.grace = BATCH_GRACE if count == BATCH else GRACE
        self.patience = 300.0 if count == BATCH else 120.0
        self.slots = [Slot(n) for n in range(self.random.choice((1, 1, 2, 2, 3, 4)))]
        self.kills = 0
        self.faults = 0
        self.freezes = 0
        self.sandbox_kills = 0
        # Workers that hold two versions of the same sources.
        self.versions = len(self.slots) > 1 and self.random.random() < 0.3
        self.parallelism = self.random.choice((1, 2, 4))
        self.calm_after = 5
        self._deadline = 0.0

    def _file(self, number: int, chunks: int) -> dict[str, Any]:
        extension, extra = self.random.choice(KINDS)
        path = self.folder / f"file{number}{extension}"
        size = self.random.choice((self.random.randint(1, 2000), self.random.randint(CHUNK, chunks * CHUNK)))
        content = b"col1,col2\n" * (size // 10 + 1) if extension == ".csv" else self.random.randbytes(size)
        path.write_bytes(content)
        return {"path": str(path), "uri": f"s3://chaos/{self.seed}/{path.name}", "validator": "1", **extra}

    def _other(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the same source with other content."""
        path = Path(item["path"])
        other = path.with_name(f"other-{path.name}")
        if not other.exists():
            other.write_bytes(path.read_bytes() + b"col1,col2\n")
        return {**item, "path": str(other), "validator": "2"}

    def run(self) -> dict[str, Any]:
        """Carry the schedule out, count, and return what happened."""
        began = time.monotonic()
        options: dict[str, Any] = {"final_wait": 1, "manual_jobs": True}
        if self.random.random() < 0.4 and not self.versions:
            options["index_lag"] = 0.5
        with SpawnedSandbox(**options) as sandbox, Zygote() as zygote:
            self._storm(sandbox, zygote)
            sandbox.control.clear_faults()
            self._fetch(sandbox)
            self._calm_run(sandbox, zygote, "clean")
            if self.versions:
                self._calm_run(sandbox, zygote, "clean other", 1)
            self._count(sandbox)
            self._nothing_changes(sandbox, zygote)
            received = self._bytes_bound(sandbox)
            self._tidy(sandbox)
        return {
            "seed": self.seed,
            "workers": len(self.slots),
            "files": len(self.files),
            "attempts": sum(slot.attempts for slot in self.slots),
            "kills": self.kills,
            "freezes": self.freezes,
            "versions": self.versions,
            "faults": self.faults,
            "sandbox_kills": self.sandbox_kills,
            "bytes_checked": received,
            "seconds": round(time.monotonic() - began, 1),
        }

    def _job(self, sandbox: SpawnedSandbox, slot: Slot, kill_at: int | None) -> dict[str, Any]:
        return {
            "slot": slot.number,
            "service_url": sandbox.service_url,
            "partner_id": sandbox.partner_id,
            "secret": sandbox.admin_secret,
            "files": [self._other(item) for item in self.files] if self.versions and slot.number % 2 else self.files,
            "state": str(self.folder / f"state{slot.number}"),
            "result": str(self.folder / f"result{slot.number}"),
            "log": str(self.folder / "workers.log"),
            "kill_at": kill_at,
            "parallelism": self.parallelism,
            "grace": self.grace,
            "chunk": CHUNK,
            "good": ["done", "importing", "skipped"] if self.versions else ["done", "importing"],
        }

    def _start(self, sandbox: SpawnedSandbox, zygote: Zygote, slot: Slot) -> None:
        slot.attempts += 1
        calm = slot.attempts > self.calm_after
        kill_at = None if calm or self.random.random() < 0.5 else self.random.randint(1, 27 + 3 * len(self.files))
        slot.kill_after = None if calm or self.random.random() < 0.5 else self.random.expovariate(2.0)
        slot.wake_after = None
        slot.freeze_after = None if calm or self.random.random() < 0.7 else self.random.uniform(0.0, 0.6)
        if slot.attempts > 1 and self.random.random() < 0.4:
            (self.folder / f"state{slot.number}").unlink(missing_ok=True)  # the task was cleared with its state
        (self.folder / f"result{slot.number}").unlink(missing_ok=True)
        slot.started, slot.pid = time.monotonic(), -1
        zygote.start(self._job(sandbox, slot, kill_at))

    def _storm(self, sandbox: SpawnedSandbox, zygote: Zygote) -> None:
        # A slow link, so that kills and faults meet something under way.
        sandbox.control.fault("latency", seconds=0.03, times=None, probability=0.7, seed=self.seed)
        for _ in range(self.random.randint(0, 4)):
            self._fault(sandbox)
        events = sorted(self.random.uniform(0.0, 1.5) for _ in range(self.random.randint(1, 6)))
        began = time.monotonic()
        self._deadline = began + self.patience
        for slot in self.slots:
            self._start(sandbox, zygote, slot)
        while not all(slot.done for slot in self.slots):
            now = time.monotonic()
            assert now < self._deadline, (
                f"no end in {self.patience:.0f} s: {[(slot.attempts, slot.codes) for slot in self.slots]}"
            )
            while events and now - began >= events[0]:
                events.pop(0)
                self._disaster(sandbox)
            self._kill_due(now)
            if min(slot.attempts for slot in self.slots) > self.calm_after and now - began > 3:
                sandbox.control.clear_faults()
            for event in zygote.events(0.02):
                self._heard(event, sandbox, zygote)

    def _kill_due(self, now: float) -> None:
        for slot in self.slots:
            self._freeze_due(slot, now)
            if slot.pid and slot.pid > 0 and slot.kill_after is not None and now - slot.started >= slot.kill_after:
                slot.kill_after = None
                with suppress(ProcessLookupError):
                    os.kill(slot.pid, signal.SIGKILL)

    def _freeze_due(self, slot: Slot, now: float) -> None:
        """Stop a worker, and let it go on: with what it knew before, at a time when others may have taken over."""
        if not slot.pid or slot.pid < 0:
            return
        if slot.freeze_after is not None and now - slot.started >= slot.freeze_after:
            slot.freeze_after = None
            self.freezes += 1
            # Nothing fences a frozen worker whose entry cannot wait for its bytes.
            fenced = not any(
                item.get("import_url") or item.get("profile") or ".csv" in item["path"] for item in self.files
            )
            slot.wake_after = now + self.random.uniform(0.2, 2 * self.grace if fenced else self.grace / 2)
            with suppress(ProcessLookupError):
                os.kill(slot.pid, signal.SIGSTOP)
        elif slot.wake_after is not None and now >= slot.wake_after:
            slot.wake_after = None
            with suppress(ProcessLookupError):
                os.kill(slot.pid, signal.SIGCONT)

    def _heard(self, event: dict[str, Any], sandbox: SpawnedSandbox, zygote: Zygote) -> None:
        if "started" in event:
            self.slots[event["slot"]].pid = event["started"]
            return
        slot = next(slot for slot in self.slots if slot.pid == event["ended"])
        slot.pid = None
        code = int(event["code"])
        slot.codes.append(code)
        if code < 0:
            self.kills += 1
        self._judge(slot, code)
        if code == 0:
            slot.done = True
            return
        if code == 3:
            # Another version may wait for an import to end.
            with suppress(OSError):
                self._fetch(sandbox)
        assert slot.attempts < 25, f"never done: {slot.codes}"
        self._start(sandbox, zygote, slot)

    def _judge(self, slot: Slot, code: int) -> None:
        """What such disasters do to an asset must be called curable by a retry."""
        if code != 3:
            return
        for ref in json.loads((self.folder / f"result{slot.number}").read_text()):
            error = ref.get("error") or {"retry_helps": True}
            assert error["retry_helps"], ref
            assert ref["state"] != "skipped" or self.versions, ref

    def _disaster(self, sandbox: SpawnedSandbox) -> None:
        if self.random.random() < 0.2:
            self.sandbox_kills += 1
            sandbox.kill()
            time.sleep(self.random.uniform(0.0, 0.5))
            sandbox.restart()
            return
        self._fault(sandbox)

    def _fault(self, sandbox: SpawnedSandbox) -> None:
        kind, settings = self.random.choice(FAULTS)
        chosen = {"action": self.random.choice(ACTIONS)} | settings
        self.faults += 1
        sandbox.control.fault(
            kind, **chosen, times=self.random.randint(1, 3), after=self.random.randint(0, 12)
        )  # fmt: skip

    def _calm_run(self, sandbox: SpawnedSandbox, zygote: Zygote, name: str, number: int = 0) -> None:
        slot = Slot(number)
        good = ["done", "skipped"] if self.versions else ["done"]
        job = self._job(sandbox, slot, None) | {"state": str(self.folder / name), "good": good}
        zygote.start(job)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for event in zygote.events(0.2):
                if "ended" in event:
                    log = (self.folder / "workers.log").read_text()[-2000:]
                    result = Path(job["result"])
                    assert event["code"] == 0, result.read_text() if result.exists() else log
                    return
        raise AssertionError("a run with nothing in its way did not end in 60 s")

    def _fetch(self, sandbox: SpawnedSandbox) -> None:
        """Let Kaltura fetch what it was told to, in the version that the entry's mark names."""
        versions = [version for item in self.files for version in (item, self._other(item)) if "import_url" in item]
        marks = {import_mark(_content_of(item)): Path(item["path"]).stat().st_size for item in versions}
        for entry in sandbox.control.entries():
            for tag in str(entry.get("adminTags")).split(","):
                if tag in marks and entry["status"] == 0:
                    sandbox.control.drive(entry["id"], "imported", size=marks[tag])

    def _count(self, sandbox: SpawnedSandbox) -> None:
        """Exactly one entry per file, whichever its status, with exactly the file's bytes; no stray claims."""
        entries = sandbox.control.entries()
        for item in self.files:
            asset = item_id(item["uri"])
            marked = [entry for entry in entries if item_mark(asset) in str(entry.get("adminTags")).split(",")]
            shown = [(entry["id"], entry["status"], entry.get("adminTags")) for entry in marked]
            assert len(marked) == 1, f"{item['uri']}: {shown}"
            assert marked[0]["status"] not in (0, 7), shown
            versions = [item, self._other(item)] if self.versions else [item]
            content = sandbox.control.entry(marked[0]["id"])["content"]
            held = [version for version in versions if content_mark(_content_of(version)) in marked[0]["adminTags"]]
            assert len(held) == 1, shown
            if "import_url" not in item:
                digest = hashlib.sha256(Path(held[0]["path"]).read_bytes()).hexdigest()
                assert content["sha256"] == digest, f"{item['uri']}: {content} {shown}"
        named = [entry for entry in entries if "kai1" in str(entry.get("adminTags")).split(",")]
        assert len(named) == len(self.files), [(entry["id"], entry.get("adminTags")) for entry in named]
        for token in sandbox.control.tokens():
            if token["status"] != 5:
                assert parse_token_name(str(token.get("fileName"))), token
                assert token["status"] != 2 or token.get("attachedObjectId"), f"full and of no use: {token}"

    def _tidy(self, sandbox: SpawnedSandbox) -> None:
        """Housekeeping offers what dead workers left, claims without bytes at most, and removes nothing else."""
        before = {entry["id"]: entry["status"] for entry in sandbox.control.entries()}
        credentials = Credentials(
            partner_id=sandbox.partner_id, auth=AuthMethod.SECRET, secret=sandbox.admin_secret
        )  # fmt: skip
        with KalturaClient(sandbox.service_url, credentials) as client:
            found = find_leftovers(client, older_than=0)
            assert {item.kind for item in found} <= {"token"}, found
            removed = remove_leftovers(client, found, older_than=0)
        assert all(item.removed for item in removed), removed
        assert {entry["id"]: entry["status"] for entry in sandbox.control.entries()} == before
        left = [token for token in sandbox.control.tokens() if token["status"] in (0, 1, 2)]
        assert left == [], left

    def _nothing_changes(self, sandbox: SpawnedSandbox, zygote: Zygote) -> None:
        before = _changes(sandbox)
        self._calm_run(sandbox, zygote, "again")
        after = _changes(sandbox)
        assert after == before, f"a second clean run changed something: {before} {after}"

    def _bytes_bound(self, sandbox: SpawnedSandbox) -> bool:
        """Bytes sent again stay below 2 x parallelism x chunk for each interruption.

        Judged where it can be: one worker, no restart of the sandbox (which forgets its counters), no token lost.
        """
        tokens = [token for token in sandbox.control.tokens() if parse_token_name(str(token.get("fileName")))]
        if len(self.slots) > 1 or self.sandbox_kills or len(tokens) != len(self.files):
            return False
        state = sandbox.control.state()
        sizes = sum(Path(item["path"]).stat().st_size for item in self.files)
        interruptions = self.slots[0].attempts + 3 * self.faults
        bound = sizes + interruptions * 2 * self.parallelism * CHUNK + state["requests"] * 4096
        assert state["bytes_received"] <= bound, (state["bytes_received"], bound)
        return True


def _content_of(item: dict[str, Any]) -> str:
    return content_id(item_id(item["uri"]), Path(item["path"]).stat().st_size, item["validator"])


def _changes(sandbox: SpawnedSandbox) -> dict[str, int]:
    calls = sandbox.control.state()["calls"]
    return {name: count for name, count in calls.items() if not name.split(".")[1].startswith(("list", "get"))}
