#!/usr/bin/env python3
"""Run a program, check its health, and end or restart it when it is unhealthy. `supervise --help` lists the options.

Docker Compose restarts a container whose program ends, but not one whose program has stopped working. With this as its
entrypoint, such a program ends too. `make up` has it restart the program itself.

It needs nothing but Python, so that a container can run it before anything else works.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Supervisor", "main"]

CHECK_SECONDS = 30.0  # how long one check may take
LONGEST_PAUSE = 60.0  # before a program is started again
FIRST_CHECKS = 2.0  # seconds between checks until the first that succeeds


def answers(url: str) -> bool:
    """Return whether a GET is answered with a 2xx status."""
    try:
        with urllib.request.urlopen(url, timeout=CHECK_SECONDS):  # noqa: S310 - the caller writes the URL
            return True
    except (OSError, ValueError):
        return False


def part_is_healthy(url: str, part: str) -> bool | None:
    """Return what Airflow's health endpoint says about one of its parts, or None if it cannot tell.

    While the endpoint or the database is down, a restart of the part would not help.
    """
    try:
        with urllib.request.urlopen(url, timeout=CHECK_SECONDS) as reply:  # noqa: S310 - the caller writes the URL
            health = json.load(reply)
        if health["metadatabase"]["status"] != "healthy":
            return None
        return bool(health[part]["status"] == "healthy")
    except (OSError, ValueError, LookupError, TypeError):
        return None


def succeeds(command: str) -> bool:
    """Return whether a command ends with code 0 in time. Environment variables in it are expanded."""
    words = [os.path.expandvars(word) for word in shlex.split(command)]
    try:
        return subprocess.run(words, stdout=subprocess.DEVNULL, timeout=CHECK_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@dataclass
class Supervisor:
    """Runs one program until it ends, or, with ``restart``, until this process gets SIGTERM.

    :param check: returns whether the program is healthy, or None if it is unknown.
    :param every: seconds between two checks.
    :param failures: how many checks in a row have to fail.
    :param start: seconds after a start in which failed checks do not count.
    :param stop: seconds that the program gets to end after SIGTERM, before SIGKILL.
    :param restart: start the program again when it ends, once it was healthy for the first time.
    :param whole_group: send SIGTERM to the program and all its children instead of the program alone.
    """

    name: str
    command: Sequence[str]
    check: Callable[[], bool | None]
    every: float = 30.0
    failures: int = 4
    start: float = 180.0
    stop: float = 30.0
    restart: bool = False
    whole_group: bool = False
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _was_healthy: bool = field(default=False, init=False)
    _told_to_stop: float | None = field(default=None, init=False)

    def run(self) -> int:
        """Run the program and return its exit code, or 1 if it was ended because it was unhealthy."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        pause = 1.0
        while True:
            began = time.monotonic()
            code = self._run_once()
            if self._told_to_stop is not None or not (self.restart and self._was_healthy):
                return code
            pause = 1.0 if time.monotonic() - began > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
            self._say(f"restarting it in {pause:.0f} s")
            until = time.monotonic() + pause
            while self._told_to_stop is None and time.monotonic() < until:
                time.sleep(0.1)
            if self._told_to_stop is not None:
                return 0

    def _run_once(self) -> int:
        # A group of its own, so that whatever the program leaves behind can be ended with it.
        self._child = child = subprocess.Popen(list(self.command), start_new_session=True)
        try:
            if self._told_to_stop is not None:  # the signal came before there was a program to pass it on to
                self._signal(signal.SIGTERM)
            return self._watch(child)
        finally:
            _kill_group(child.pid)
            child.wait(10)
            self._child = None

    def _watch(self, child: subprocess.Popen[bytes]) -> int:
        """Return when the program has ended, or was unhealthy for too long."""
        began, failed, healthy = time.monotonic(), 0, False
        while True:
            try:
                # With restart, a program is only restarted once it was healthy, so that has to be seen soon.
                code = child.wait(min(FIRST_CHECKS, self.every) if self.restart and not healthy else self.every)
            except subprocess.TimeoutExpired:
                pass
            else:
                if self._told_to_stop is None:
                    self._say(f"{self.name} ended with code {code}")
                return code if code >= 0 else 128 - code  # as a shell says that a signal ended it
            if self._told_to_stop is not None:
                if time.monotonic() > self._told_to_stop + self.stop:
                    self._say(f"{self.name} did not end within {self.stop:.0f} s after SIGTERM; killing it")
                    return 1
                continue
            said = self.check()
            if said:
                self._was_healthy = healthy = True
            counts = said is False and (healthy or time.monotonic() > began + self.start)
            failed = failed + 1 if counts else 0
            if failed >= self.failures:
                return self._end_unhealthy(child)

    def _end_unhealthy(self, child: subprocess.Popen[bytes]) -> int:
        self._say(f"{self.name} is unhealthy: {self.failures} checks in a row failed; ending it")
        self._signal(signal.SIGTERM)
        try:
            child.wait(self.stop)
        except subprocess.TimeoutExpired:
            self._say(f"{self.name} did not end within {self.stop:.0f} s after SIGTERM; killing it")
        return 1

    def _stop(self, *_: object) -> None:
        if self._told_to_stop is None:
            self._told_to_stop = time.monotonic()
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if self.whole_group else os.kill)(self._child.pid, number)

    def _say(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        print(f"{stamp} supervise: {text}", file=sys.stderr, flush=True)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="supervise", description=(__doc__ or "").partition("\n\n")[0])
    check = parser.add_mutually_exclusive_group(required=True)
    check.add_argument("--answers", metavar="URL", help="healthy while a GET is answered with a 2xx status")
    check.add_argument("--part", help="healthy while Airflow's health endpoint says so of this part (see --health)")
    check.add_argument("--check", metavar="COMMAND", help="healthy while this command ends with code 0")
    parser.add_argument(
        "--health",
        metavar="URL",
        default=os.environ.get("AIRFLOW_HEALTH_URL", ""),
        help="Airflow's health endpoint, http://HOST:PORT/api/v2/monitor/health (default: $AIRFLOW_HEALTH_URL)",
    )
    parser.add_argument("--name", help="what the log calls the program (default: its part, or its file)")
    for name, what in (("every", "time between checks"), ("start", "time to start in"), ("stop", "time to end in")):
        default = getattr(Supervisor, name)
        parser.add_argument(
            f"--{name}", type=float, default=default, metavar="SECONDS", help=f"{what} (default: {default:g})"
        )
    failures = Supervisor.failures
    parser.add_argument(
        "--failures", type=int, default=failures, help=f"checks in a row that have to fail (default: {failures})"
    )
    parser.add_argument("--restart", action="store_true", help="restart the program when it ends or is unhealthy")
    parser.add_argument("--whole-group", action="store_true", help="also send SIGTERM to the program's children")
    parser.add_argument("--once", action="store_true", help="only check: exit with 0 if healthy, otherwise with 1")
    parser.add_argument("command", nargs="*", help="the program and its arguments, after --")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.part and not options.health:
        parser.error("--part needs --health, or AIRFLOW_HEALTH_URL in the environment")
    check = _check(options)
    if options.once:
        return 0 if check() else 1
    if not options.command:
        parser.error("the program is missing; give it after --")
    return Supervisor(
        options.name or options.part or os.path.basename(options.command[0]),
        options.command,
        check,
        every=options.every,
        failures=options.failures,
        start=options.start,
        stop=options.stop,
        restart=options.restart,
        whole_group=options.whole_group,
    ).run()


def _check(options: argparse.Namespace) -> Callable[[], bool | None]:
    if options.answers:
        return lambda: answers(options.answers)
    if options.part:
        return lambda: part_is_healthy(options.health, options.part)
    return lambda: succeeds(options.check)


if __name__ == "__main__":
    sys.exit(main())
