"""The control API for Python: one line per fault, and the sandbox's state to look at."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Control"]


class Control:
    """Talks to ``/_sandbox/`` of a running sandbox, in this process or another."""

    def __init__(self, url: str) -> None:
        self._netloc = urlsplit(url).netloc

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request.

        :raises RuntimeError: the sandbox refuses it.
        """
        connection = http.client.HTTPConnection(self._netloc, timeout=60)
        try:
            payload = json.dumps(body) if body is not None else None
            connection.request(method, f"/_sandbox/{path}", payload, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            answer = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status != 200:
            raise RuntimeError(f"{method} /_sandbox/{path}: {answer.get('error')}")
        return answer

    def fault(self, kind: str, **settings: Any) -> int:
        """Activate a fault (``control.fault("reply_lost", action="upload")``); returns its id."""
        return int(self.request("POST", "faults", {"kind": kind, **settings})["id"])

    def clear_faults(self, fault_id: int | None = None) -> None:
        """End one fault, or all."""
        self.request("DELETE", "faults" if fault_id is None else f"faults/{fault_id}")

    def state(self) -> dict[str, Any]:
        """Return counts of records, jobs and calls."""
        return dict(self.request("GET", "state"))

    def log(self, count: int = 1000) -> list[dict[str, Any]]:
        """Return the latest calls, oldest first."""
        return list(self.request("GET", f"log/{count}"))

    def entries(self) -> list[dict[str, Any]]:
        """All entries that are not deleted."""
        return list(self.request("GET", "entries"))

    def entry(self, entry_id: str) -> dict[str, Any]:
        """One entry, with ``content`` (sha256 and size of its source) and ``flavors``."""
        return dict(self.request("GET", f"entries/{entry_id}"))

    def tokens(self) -> list[dict[str, Any]]:
        """All upload tokens, deleted ones too."""
        return list(self.request("GET", "tokens"))

    def set_entry(self, entry_id: str, **properties: Any) -> dict[str, Any]:
        """Set properties of an entry as if someone had edited the database."""
        return dict(self.request("PATCH", f"entries/{entry_id}", properties))

    def set_token(self, token_id: str, **properties: Any) -> dict[str, Any]:
        """Set properties of an upload token as if someone had edited the database."""
        return dict(self.request("PATCH", f"tokens/{token_id}", properties))

    def drive(self, entry_id: str, event: str, **details: Any) -> dict[str, Any]:
        """Take the place of the job workers of a sandbox started with ``run_jobs=False``."""
        return dict(self.request("POST", "jobs", {"entryId": entry_id, "event": event, **details}))

    def advance_clock(self, seconds: float) -> None:
        """Move the sandbox's time."""
        self.request("POST", "clock", {"advance": seconds})

    def expire_sessions(self) -> int:
        """Expire every session the sandbox has seen; returns how many."""
        return int(self.request("POST", "sessions", {"expire": "all"})["expired"])

    def set_lag(self, seconds: float) -> None:
        """Let list and count lag behind get."""
        self.request("POST", "lag", {"seconds": seconds})

    def reset(self) -> None:
        """Delete all records, files, faults and counters."""
        self.request("POST", "reset")

    def wait_idle(self, timeout: float = 60) -> None:
        """Wait until all jobs are done.

        :raises TimeoutError: some jobs are not done.
        """
        deadline = time.monotonic() + timeout
        while (left := self.state()["jobs_open"]) > 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{left} jobs are still open after {timeout} s")
            time.sleep(0.05)
