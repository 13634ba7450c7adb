"""A program that ends or stops working is ended or restarted, and the log says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.until import until

SUPERVISE = Path(__file__).resolve().parents[3] / "include" / "local" / "supervise.py"
QUICK = ["--every=0.1", "--failures=2", "--stop=5", "--start=0"]
# Notes each start in a file, and runs until it is ended.
PROGRAM = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"


@contextmanager
def supervised(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, SUPERVISE, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate(timeout=20)


def pids(starts: Path) -> list[int]:
    return [int(line) for line in starts.read_text().split()] if starts.exists() else []


def runs(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def end(child: subprocess.Popen[str]) -> str:
    child.terminate()
    return child.communicate(timeout=20)[1]


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    return tmp_path / "starts"


@pytest.fixture
def program(starts: Path) -> list[str]:
    return ["--", sys.executable, "-c", PROGRAM, str(starts)]


def until_healthy(checks: Path) -> None:
    """Wait for the second successful check: then the first has ended, and the program counts as healthy."""
    until(lambda: checks.exists() and checks.read_text().count("\n") >= 2, "healthy")


def test_a_program_that_is_killed_is_restarted(tmp_path: Path, starts: Path, program: list[str]) -> None:
    checks = tmp_path / "checks"
    with supervised(f"--check=sh -c 'echo >> {checks}'", "--restart", *QUICK, *program) as child:
        [first] = until(lambda: pids(starts), "started")
        until_healthy(checks)
        os.kill(first, signal.SIGKILL)
        second = until(lambda: pids(starts)[1:], "started again")[0]
        log = end(child)
        assert not runs(second)
    assert child.returncode == 128 + signal.SIGTERM
    assert "ended with code -9" in log
    assert "restarting it in 2 s" in log


def test_an_unhealthy_program_is_restarted(tmp_path: Path, starts: Path, program: list[str]) -> None:
    sick, checks = tmp_path / "sick", tmp_path / "checks"
    check = f"--check=sh -c 'test ! -e {sick} && echo >> {checks}'"
    with supervised(check, "--restart", *QUICK, *program) as child:
        [first] = until(lambda: pids(starts), "started")
        until_healthy(checks)
        sick.touch()
        until(lambda: not runs(first), "ended")
        sick.unlink()
        until(lambda: pids(starts)[1:], "started again")
        log = end(child)
    assert "is unhealthy: 2 checks in a row failed; ending it" in log


def test_without_restart_the_container_ends_with_an_unhealthy_program(starts: Path, program: list[str]) -> None:
    with supervised("--check=false", *QUICK, *program) as child:
        assert child.wait(20) == 1
        assert not runs(pids(starts)[0])


def test_a_program_that_never_was_healthy_is_not_restarted(tmp_path: Path) -> None:
    with supervised("--check=true", "--restart", "--", sys.executable, "-c", "raise SystemExit(3)") as child:
        assert child.wait(20) == 3


def test_sigterm_is_passed_on_and_waited_for(tmp_path: Path) -> None:
    done = tmp_path / "done"
    drain = (
        "import signal, sys, time\n"
        "def stop(*_):\n    time.sleep(1)\n    open(sys.argv[1], 'w').write('drained')\n    raise SystemExit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\nopen(sys.argv[1] + '.up', 'w')\ntime.sleep(60)\n"
    )
    with supervised("--check=true", *QUICK, "--", sys.executable, "-c", drain, done) as child:
        until(Path(f"{done}.up").exists, "started")
        end(child)
        assert child.returncode == 0
    assert done.read_text() == "drained"


def test_what_ignores_sigterm_is_killed_with_its_children(tmp_path: Path, starts: Path) -> None:
    stubborn = (
        "import os, signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.fork()\n"
        "open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')\ntime.sleep(60)\n"
    )
    options = ["--every=0.1", "--stop=0.5", "--", sys.executable, "-c", stubborn, str(starts)]
    with supervised("--check=true", *options) as child:
        until(lambda: len(pids(starts)) == 2, "two processes started")
        log = end(child)
        until(lambda: not any(runs(pid) for pid in pids(starts)), "both ended")
    assert "did not end within 0 s after SIGTERM; killing it" in log


@contextmanager
def endpoint(answer: Callable[[], tuple[int, Any]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = answer()
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/v2/monitor/health"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("code", "database", "scheduler", "verdict"),
    [
        (200, "healthy", "healthy", True),
        (200, "healthy", "unhealthy", False),
        (200, "healthy", None, False),
        (200, "unhealthy", "unhealthy", None),  # a restart of the scheduler would not bring the database back
        (500, "healthy", "unhealthy", None),
    ],
)
def test_a_part_of_airflow_is_as_healthy_as_airflow_says(
    monkeypatch: pytest.MonkeyPatch, code: int, database: str, scheduler: str | None, verdict: bool | None
) -> None:
    monkeypatch.syspath_prepend(str(SUPERVISE.parent))
    from supervise import main, part_is_healthy

    body = {"metadatabase": {"status": database}, "scheduler": {"status": scheduler}}
    with endpoint(lambda: (code, body)) as url:
        assert part_is_healthy(url, "scheduler") is verdict
        assert main(["--once", "--part=scheduler", f"--health={url}"]) == (0 if verdict else 1)
        assert main(["--once", f"--answers={url}"]) == (0 if code == 200 else 1)
    assert part_is_healthy(url, "scheduler") is None
    assert main(["--once", f"--answers={url}"]) == 1
