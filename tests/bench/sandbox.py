"""How fast the sandbox takes bytes and answers lists: ``python tests/bench/sandbox.py``.

Prints the rate, the processor time and the memory of the server for 1 GiB in 10 MiB chunks over loopback, and the
latency of list calls over 50,000 entries.
"""

from __future__ import annotations

import http.client
import os
import statistics
import threading
import time
from pathlib import Path

from kaltura_sandbox import Sandbox
from kaltura_sandbox.entries import store
from kaltura_sandbox.spawned import SpawnedSandbox

TOTAL, CHUNK, BLOCK = 1 << 30, 10 << 20, os.urandom(1 << 20)
ENTRIES, ROUNDS = 50_000, 9
BOUNDARY = "0123456789abcdef0123456789abcdef"
EVERY = "filter[statusIn]=-2,-1,0,1,2,4,7&filter[moderationStatusIn]=1,2,3,5,6"
QUERIES = {
    "defaults": "",
    "newest first": "filter[orderBy]=-createdAt",
    "every status, 500 a page": f"{EVERY}&pager[pageSize]=500&filter[orderBy]=%2BcreatedAt",
    "page 19 of 500": f"{EVERY}&pager[pageSize]=500&pager[pageIndex]=19&filter[orderBy]=-createdAt",
    "reference id": f"{EVERY}&filter[referenceIdEqual]=ref-777",
    "admin tag": f"{EVERY}&filter[adminTagsLike]=mark-777",
    "a tag of every entry": f"{EVERY}&filter[tagsLike]=lecture",
}


def chunk(connection: http.client.HTTPConnection, ks: str, token: str, at: int, size: int, *, final: bool) -> None:
    fields = {
        "uploadTokenId": token,
        "resume": int(at > 0),
        "finalChunk": int(final),
        "resumeAt": at,
        "ks": ks,
        "format": 1,
    }
    head = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="fileData"; filename="a.mp4"\r\n\r\n'
    tail = f"\r\n--{BOUNDARY}--\r\n"
    connection.putrequest("POST", "/api_v3/service/uploadToken/action/upload")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(len(head) + size + len(tail)))
    connection.endheaders(head.encode())
    while size > 0:
        connection.send(memoryview(BLOCK)[:size])
        size -= len(BLOCK)
    connection.send(tail.encode())
    reply = connection.getresponse().read()
    assert b'"status"' in reply, reply


def new_token(port: int, ks: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/api_v3/service/uploadToken/action/add?format=1&ks={ks}")
    token = connection.getresponse().read().decode().split('"id":"')[1].split('"')[0]
    connection.close()
    return token


def upload(sandbox: SpawnedSandbox, parallel: int) -> float:
    ks = sandbox.ks()
    token = new_token(sandbox.port, ks)
    offsets, lock = iter(range(CHUNK, TOTAL - CHUNK, CHUNK)), threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
        while True:
            with lock:
                at = next(offsets, None)
            if at is None:
                break
            chunk(connection, ks, token, at, CHUNK, final=False)
        connection.close()

    started = time.monotonic()
    edges = http.client.HTTPConnection("127.0.0.1", sandbox.port)
    chunk(edges, ks, token, 0, CHUNK, final=False)
    threads = [threading.Thread(target=work) for _ in range(parallel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = (TOTAL - CHUNK - 1) // CHUNK * CHUNK + CHUNK
    chunk(edges, ks, token, last, TOTAL - last, final=True)
    edges.close()
    return TOTAL / 1e6 / (time.monotonic() - started)


def usage(pid: int) -> tuple[float, int]:
    """Processor seconds and peak memory in MiB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) // 1024


def rates() -> None:
    for parallel in (1, 4):
        with SpawnedSandbox(manual_jobs=True) as sandbox:
            rate = upload(sandbox, parallel)
            seconds, peak = usage(sandbox.pid or 0)
            print(f"1 GiB, {parallel} connection(s): {rate:.0f} MB/s, server {seconds:.1f} s CPU, {peak} MiB peak")


def lists() -> None:
    with Sandbox(run_jobs=False) as sandbox:
        with sandbox.account.database.transaction():
            for number in range(ENTRIES):
                entry = store.new_entry(sandbox.account, 102, "admin", 1)
                entry |= {"name": f"Lecture {number}", "mediaType": 1, "status": 2 if number % 10 else 1}
                entry |= {"referenceId": f"ref-{number}", "adminTags": f"mark-{number}", "tags": "lecture"}
                store.save(sandbox.account, entry | {"createdAt": 1700000000 + number})
        measure(sandbox)


def measure(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.config.port)
    for name, query in QUERIES.items():
        times = []
        for _ in range(ROUNDS):
            started = time.monotonic()
            connection.request("GET", f"/api_v3/service/media/action/list?format=1&ks={sandbox.ks()}&{query}")
            connection.getresponse().read()
            times.append((time.monotonic() - started) * 1000)
        print(f"{ENTRIES} entries, {name}: median {statistics.median(times):.1f} ms, worst {max(times):.1f} ms")
    connection.close()


if __name__ == "__main__":
    rates()
    lists()
