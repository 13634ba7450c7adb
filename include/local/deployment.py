"""A deployment on loopback: the sandbox (Kaltura and S3), and Airflow with its home inside the checkout."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
import socket
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from postgres import Postgres
from processes import ProcessEnded, Processes

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AIRFLOW_PARTS", "ROOT", "Deployment", "free_port", "is_free"]

ROOT = Path(__file__).resolve().parents[2]

AIRFLOW_PARTS = {
    # By default these serve logs on every address of the machine. The UI can read the files instead.
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "api-server": ["api-server"],
}


@dataclass
class Deployment:
    """One deployment: its folder and its ports.

    :param home: Airflow's home. The sandbox keeps its data in ``<home>/sandbox``.
    :param settings: further environment variables of Airflow's programs, which override those set here.
    :param supervised: restart programs that end or are unhealthy (``supervise.py``). Each says so in its log.
    """

    home: Path
    airflow_port: int
    kaltura_port: int
    s3_port: int
    env_file: Path
    settings: dict[str, str] = field(default_factory=dict)
    supervised: bool = False
    processes: Processes = field(init=False)

    def __post_init__(self) -> None:
        self.processes = Processes(self.home / "run")

    @property
    def airflow_env_file(self) -> Path:
        """A file to source in a shell before using Airflow's command line with this deployment."""
        return self.home / "airflow.env"

    @property
    def page(self) -> str:
        """The URL of Airflow's UI."""
        return f"http://127.0.0.1:{self.airflow_port}"

    @cached_property
    def database(self) -> Postgres:
        """Airflow's database server."""
        return Postgres(self.home / "database", free_port(), self._keys()["database"])

    def start(self, say: Callable[[str], None]) -> None:
        """Start the sandbox and Airflow, and wait until both can be used.

        :raises ProcessEnded: one of the programs ends.
        :raises PostgresUnusable: this machine cannot run Airflow's database.
        """
        self._make_home()
        say("starting the sandbox (Kaltura, S3, sample media) and Airflow ...")
        self.env_file.unlink(missing_ok=True)
        self.database.create()
        self.start_part("sandbox")
        self.start_part("database")
        self._wait("Airflow's database", 60, self.database.answers)
        self._write_airflow_env()
        self._run_airflow("db-migrate", ["db", "migrate"])
        for name in AIRFLOW_PARTS:
            self.start_part(name)
        self._wait("the sandbox", 90, self.env_file.exists)
        self._wait("Airflow", 150, self._airflow_is_healthy)
        self._wait("Airflow's DAGs", 60, lambda: bool(self.get("dags").get("total_entries")))
        self.add_connections()

    def _make_home(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home.chmod(0o700)  # an existing one may be readable by others

    def start_part(self, name: str) -> None:
        """Start one program: ``sandbox``, ``database`` or one of ``AIRFLOW_PARTS``."""
        env = self.airflow_env() if name in AIRFLOW_PARTS else dict(os.environ)
        command = self._command(name)
        self.processes.start(name, [*self._supervise(name), *command] if self.supervised else command, env)

    def _command(self, name: str) -> list[str]:
        if name == "sandbox":
            return self._sandbox_command()
        if name == "database":
            return self.database.command()
        return [_tool("airflow"), *AIRFLOW_PARTS[name]]

    def _supervise(self, name: str) -> list[str]:
        """Return the command that watches over a program; the program's own command follows it."""
        checks = {
            "sandbox": f"--answers=http://127.0.0.1:{self.kaltura_port}/api_v3/service/system/action/ping",
            "database": f"--check={shlex.join(self.database.ready_command())}",
            "api-server": f"--answers={self.page}/api/v2/version",
        }
        check = checks.get(name, f"--part={name.replace('-', '_')}")
        options = ["--every=15", "--stop=15", "--restart", "--whole-group"]
        health = f"--health={self.page}/api/v2/monitor/health"
        return [
            sys.executable,
            str(Path(__file__).with_name("supervise.py")),
            check,
            health,
            *options,
            f"--name={name}",
            "--",
        ]

    def airflow_env(self) -> dict[str, str]:
        """Return the environment of Airflow's programs: loopback only, without login, with secrets of its own."""
        keys = self._keys()
        env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
        return env | {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database.url,
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            # The installed package registers the provider's plugin. This folder adds what only this deployment needs.
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "include" / "local" / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.page}/execution/",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.airflow_port),
            "AIRFLOW__API__BASE_URL": self.page,
            "AIRFLOW__API__SECRET_KEY": keys["api"],
            "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
            "AIRFLOW__API__WORKERS": "1",
            # Airflow sets these modes regardless of the umask.
            "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
            "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "KALTURA_FEEDS_FOLDER": str(ROOT / "include" / "feeds"),
            **self.settings,
        }

    def sandbox_env(self) -> dict[str, str]:
        """Return the addresses, credentials and connections that the sandbox wrote to its file."""
        lines = self.env_file.read_text().splitlines()
        words = [shlex.split(line.removeprefix("export "), comments=True) for line in lines]
        return dict(word[0].split("=", 1) for word in words if word)

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """GET from Airflow's REST API."""
        reply = requests.get(f"{self.page}/api/v2/{path}", params=params, headers=self._token(), timeout=30)
        reply.raise_for_status()
        return dict(reply.json())

    def send(self, method: str, path: str, body: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Send a JSON body to Airflow's REST API."""
        reply = requests.request(
            method, f"{self.page}/api/v2/{path}", json=body, params=params, headers=self._token(), timeout=30
        )
        if not reply.ok:
            raise RuntimeError(f"Airflow answered {reply.status_code} to {method} {path}: {reply.text[:500]}")
        return dict(reply.json()) if reply.content else {}

    def add_connections(self) -> None:
        """Add the two connections of the sandbox to Airflow, where the UI shows and tests them."""
        known = {item["connection_id"] for item in self.get("connections")["connections"]}
        for conn_id in ("kaltura_default", "aws_default"):
            said = json.loads(self.sandbox_env()[f"AIRFLOW_CONN_{conn_id.upper()}"])
            body = {**said, "connection_id": conn_id, "extra": json.dumps(said.get("extra") or {})}
            if conn_id in known:
                self.send("PATCH", f"connections/{conn_id}", body)
            else:
                self.send("POST", "connections", body)

    def _sandbox_command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "kaltura_sandbox",
            "serve",
            f"--port={self.kaltura_port}",
            f"--s3-port={self.s3_port}",
            f"--data-dir={self.home / 'sandbox'}",
            f"--env-file={self.env_file}",
        ]

    def _write_airflow_env(self) -> None:
        own = sorted(self.airflow_env().items() - os.environ.items())
        self.airflow_env_file.touch(mode=0o600)
        self.airflow_env_file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in own))

    def _run_airflow(self, name: str, command: list[str]) -> None:
        self.processes.start(name, [_tool("airflow"), *command], self.airflow_env())
        self.processes.finish(name, timeout=120)

    def _airflow_is_healthy(self) -> bool:
        try:
            health = requests.get(f"{self.page}/api/v2/monitor/health", timeout=5).json()
        except requests.RequestException:
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    def _wait(self, what: str, seconds: float, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            self.processes.check()
            if time.monotonic() > deadline:
                raise ProcessEnded(
                    f"{what} was not ready after {seconds:.0f} s; see the logs in {self.processes.directory}"
                )
            time.sleep(0.5)

    def _token(self) -> dict[str, str]:
        if not hasattr(self, "_jwt"):
            self._jwt = requests.get(f"{self.page}/auth/token", timeout=30).json()["access_token"]
        return {"Authorization": f"Bearer {self._jwt}"}

    def _keys(self) -> dict[str, str]:
        file = self.home / "keys.json"
        kept = json.loads(file.read_text()) if file.exists() else {}
        keys = {
            "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            **{name: secrets.token_hex(32) for name in ("api", "jwt", "database")},
            **kept,
        }
        if keys != kept:
            self._make_home()
            file.touch(mode=0o600)
            file.write_text(json.dumps(keys))
        return keys


def is_free(port: int) -> bool:
    """Return whether a server can listen on this port of 127.0.0.1."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
