"""Workers that can be killed: a process that forks one child per job, so that a fresh process costs milliseconds.

Reads one JSON job a line, writes ``{"started": pid, "slot": ...}`` and ``{"ended": pid, "code": ...}``. A child ingests
its files as a task would and leaves its references in a file; its exit code is 0 when all are in.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.observer import CallRecord, Observer
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.api.steps import Timeout
from kaltura_provider.ingest.item import ItemRef, SourceItem
from kaltura_provider.ingest.send import ingest
from kaltura_provider.ingest.settings import IngestSettings, Transfer
from kaltura_provider.services.entry.metadata import EntryMetadata
from kaltura_provider.upload.settings import Patience, UploadSettings
from kaltura_provider.upload.sources.base import Source
from kaltura_provider.upload.sources.file import open_file
from kaltura_provider.upload.uploader import Uploader

RETRY = RetrySettings(attempts=4, base=0.02, cap=0.2, budget=10.0)


class Mortal(Observer):
    """Dies by SIGKILL right after the given number of HTTP exchanges."""

    def __init__(self, kill_at: int | None) -> None:
        self._left = kill_at

    def on_call(self, call: CallRecord) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def write(path: Path, value: Any) -> None:
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(value))
    part.rename(path)


def work(job: dict[str, Any]) -> int:
    """Ingest the job's files; keeps token ids in the job's state file, as a task keeps them in its state store."""
    state_path = Path(job["state"])
    known: dict[str, str] = json.loads(state_path.read_text()) if state_path.exists() else {}
    writing = threading.Lock()

    def remember(ref: ItemRef) -> None:
        if ref.token_id:
            with writing:
                known[ref.item_id] = ref.token_id
                write(state_path, known)

    credentials = Credentials(partner_id=job["partner_id"], auth=AuthMethod.SECRET, secret=job["secret"])
    observer = Mortal(job["kill_at"])
    pairs = []
    for item in job["files"]:
        source: Source = open_file(item["path"])
        metadata = EntryMetadata(media_type=item.get("media_type"), conversion_profile_id=item.get("profile"))
        asset = SourceItem(
            uri=item["uri"],
            size=source.size,
            validator=item["validator"],
            name=source.name,
            metadata=metadata,
            import_url=item.get("import_url"),
        )
        pairs.append((asset, lambda source=source: source))
    settings = IngestSettings(
        grace=job["grace"],
        poll=0.1,
        backoff=0.3,
        claim_timeout=10 * job["grace"],
        transfer=Transfer.IMPORT,
        run=f"slot {job['slot']}",
    )
    upload = UploadSettings(parallelism=job["parallelism"], chunk_size=job["chunk"])
    patience = Patience(
        retry=RETRY, chunk_timeout=5.0, final_timeout=8.0, final_poll=1.5, single_poll=1.5, busy_after=job["grace"] / 2,
        busy_wait=15.0, poll=0.1,
    )  # fmt: skip
    timeout = Timeout(connect=5.0, read=8.0)
    with KalturaClient(job["service_url"], credentials, observer=observer, retry=RETRY, timeout=timeout) as client:
        uploader = Uploader(client, settings=upload, patience=patience)
        results = ingest(
            client, uploader, pairs, settings=settings, observer=observer, known=dict(known), on_ref=remember
        )
    write(Path(job["result"]), [result.ref.to_dict() for result in results])
    return 0 if all(result.ref.state in job["good"] for result in results) else 3


def child(job: dict[str, Any]) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    os.dup2(log, 1)
    try:
        return work(job)
    except BaseException:
        # Whatever stops a worker is what the log is for.
        traceback.print_exc()
        sys.stderr.flush()
        return 4


def say(**values: Any) -> None:
    os.write(1, (json.dumps(values) + "\n").encode())


def reap(*_: object) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        say(ended=pid, code=os.waitstatus_to_exitcode(status))


def main() -> None:
    signal.signal(signal.SIGCHLD, reap)
    for line in sys.stdin:
        job = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            os._exit(child(job))
        say(started=pid, slot=job["slot"])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


if __name__ == "__main__":
    main()
