"""Long-running programs. Each has its own process group, so stopping it also stops its children."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ProcessEnded", "Processes"]


class ProcessEnded(RuntimeError):
    """A program ended unexpectedly; the message has the end of its log."""


class Processes:
    """A set of named programs, recorded in a file for the command that stops them.

    :param directory: the folder for the log files ``<name>.log`` and the list of process groups, ``processes.json``.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._record = directory / "processes.json"
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start a program that is not running. Its output goes to ``<name>.log``.

        Only the owner can read the log and the files that the program creates.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (earlier := self._children.pop(name, None)) is not None:
            earlier.wait()
        with open(self.directory / f"{name}.log", "ab", opener=_private) as log:
            child = subprocess.Popen(
                list(command),
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
            )
        self._children[name] = child
        record = {**self.recorded(), name: child.pid}
        with open(self._record, "w", opener=_private) as stream:
            json.dump(record, stream)

    def finish(self, name: str, timeout: float) -> None:
        """Wait until a program ends.

        :raises ProcessEnded: the program failed.
        """
        code = self._children[name].wait(timeout)
        del self._children[name]
        if code:
            raise ProcessEnded(f"{name} failed with code {code}; the end of its log:\n{self.tail(name)}")

    def check(self) -> None:
        """Check that every program is still running.

        :raises ProcessEnded: a program has ended.
        """
        for name, child in self._children.items():
            if child.poll() is not None:
                raise ProcessEnded(f"{name} ended with code {child.returncode}; the end of its log:\n{self.tail(name)}")

    def tail(self, name: str, lines: int = 25) -> str:
        """Return the end of a program's log."""
        text = (self.directory / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def recorded(self) -> dict[str, int]:
        """Return name and process group of every running program, whether this process or an earlier one started it."""
        if not self._record.exists():
            return {}
        return {name: group for name, group in json.loads(self._record.read_text()).items() if _alive(group)}

    def stop(self, timeout: float = 20.0) -> None:
        """Terminate every program and its children; kill them after ``timeout`` seconds."""
        groups = self.recorded()
        for group in groups.values():
            _signal(group, signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while (left := self._still(groups)) and time.monotonic() < deadline:
            time.sleep(0.1)
        for group in left:
            _signal(group, signal.SIGKILL)
        while self._still(groups):
            time.sleep(0.05)
        for child in self._children.values():
            child.wait()
        self._children.clear()
        self._record.unlink(missing_ok=True)

    def _still(self, groups: Mapping[str, int]) -> list[int]:
        for child in self._children.values():
            child.poll()
        return [group for group in groups.values() if _alive(group)]

    @contextlib.contextmanager
    def stopped_at_exit(self) -> Iterator[None]:
        """Stop everything when the block ends, whether it succeeds, fails or is stopped by a signal."""

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGTERM, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
            self.stop()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return not _only_zombies(group)


def _only_zombies(group: int) -> bool:
    """Return whether all processes of a group have ended, and only wait to be reaped."""
    stats = list(Path("/proc").glob("[0-9]*/stat"))
    if not stats:  # this system has no /proc
        return False
    for stat in stats:
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] != "Z":
                return False
    return True
