"""What `make up` starts is for its owner on this machine only."""

from __future__ import annotations

import importlib.util
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "include" / "local"))

from deployment import ROOT, Deployment, free_port

LOCAL = ROOT / "include" / "local"
LOG_OF_A_TASK = "dag_id=a/run_id=b/task_id=c/attempt=1.log"
# Builds the page's application as the api-server does, and asks for a path that needs neither login nor database.
ASK_THE_PAGE = """
from airflow.api_fastapi.app import create_app
from airflow.sdk.log import init_log_file
from starlette.testclient import TestClient

client = TestClient(create_app())
for host in ("127.0.0.1:8080", "localhost", "[::1]:8080", "evil.example", "127.0.0.1.evil.example:8080", "", "*"):
    for path in ("/api/v2/version", "/auth/token", "/execution/health"):
        print("reply", host or "-", path, client.get(path, headers={"host": host}).status_code)
init_log_file("LOG")
"""


@pytest.fixture(scope="module")
def command() -> ModuleType:
    spec = importlib.util.spec_from_file_location("local_command", LOCAL / "__main__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    home = tmp_path_factory.mktemp("checkout") / ".airflow"
    home.mkdir(mode=0o755)  # as an earlier version left it
    made = Deployment(home, free_port(), free_port(), free_port(), home / "env")
    umask = os.umask(0o022)
    try:
        made._make_home()
        made.processes.start("sandbox", [*made._sandbox_command(), "--no-samples"], os.environ)
        made._wait("the sandbox", 60, made.env_file.exists)
        yield made
    finally:
        os.umask(umask)
        made.processes.stop()


def open_to_others(folder: Path) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in [folder, *folder.rglob("*")]
        if not path.is_symlink()
        and path.suffix != ".vif"  # SeaweedFS opens these, in a folder that is closed
        and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


def test_the_page_answers_this_machine_only_and_keeps_its_logs_private(deployment: Deployment) -> None:
    env = deployment.airflow_env() | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{deployment.home}/a.db"}
    script = ASK_THE_PAGE.replace("LOG", LOG_OF_A_TASK)
    deployment.processes.start("page", [sys.executable, "-c", script], env)
    deployment.processes.finish("page", 120)
    replies = {
        (host, path): int(code)
        for _, host, path, code in (
            line.split() for line in deployment.processes.tail("page", 1000).splitlines() if line.startswith("reply ")
        )
    }
    own = {"127.0.0.1:8080", "localhost", "[::1]:8080"}
    refused = {host for (host, _), code in replies.items() if code == 400}
    answered = {host for (host, _), code in replies.items() if code != 400}
    assert len(replies) == 21
    assert answered == own
    assert refused == {host for host, _ in replies} - own
    assert {replies[host, "/api/v2/version"] for host in own} == {200}
    assert (deployment.home / "logs" / LOG_OF_A_TASK).is_file()


def test_nobody_else_can_read_anything_of_the_deployment(deployment: Deployment) -> None:
    assert (deployment.home / "sandbox" / "sandbox.sqlite3").is_file()
    assert (deployment.home / "run" / "sandbox.log").is_file()
    assert (deployment.home / "keys.json").is_file()
    assert open_to_others(deployment.home) == []


def test_a_usual_port_that_is_taken_is_replaced(command: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder, pytest.MonkeyPatch.context() as patch:
        taken = holder.getsockname()[1]
        patch.setitem(command.PORTS, "kaltura", taken)
        chosen = command.choose_port("kaltura", None)
        assert chosen != taken
        assert capsys.readouterr().out == (
            f"port {taken} is in use by another program, so the Kaltura sandbox uses port {chosen}\n"
        )


def test_a_port_that_was_asked_for_is_never_replaced(command: ModuleType) -> None:
    assert command.choose_port("s3", free := free_port()) == free
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        with pytest.raises(command.PortTaken, match=rf"--s3-port {taken} is in use.*make up UP='--s3-port \d+'"):
            command.choose_port("s3", taken)


def test_the_command_says_which_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        option = f"--airflow-port={holder.getsockname()[1]}"
        done = subprocess.run([sys.executable, LOCAL, "up", option], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "is in use by another program" in done.stderr
    assert "Traceback" not in done.stderr
