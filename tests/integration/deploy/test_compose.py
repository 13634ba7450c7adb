"""docker-compose.yml: a real parser reads it, and each service is closed as far as it can be."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyOptions

from kaltura_provider.upload.settings import Patience
from kaltura_sandbox.config import ADMIN_SECRET, PARTNER_ID
from tests.compose import FILE, MissingVariable, read_compose, variables

ROOT = FILE.parent
WRITE_ENV = ROOT / "deploy" / "write_env.py"
ONCE = {"migrate", "pool", "sandbox-connections"}
UNITS = {"s": 1, "m": 60, "h": 3600}


def write_env(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, WRITE_ENV, path], capture_output=True, text=True, timeout=30)


def read_env(path: Path) -> dict[str, str]:
    lines = (line for line in path.read_text().splitlines() if not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("env") / ".env"
    assert write_env(path).returncode == 0
    return read_env(path)


@pytest.fixture(scope="module")
def services(env: dict[str, str]) -> dict[str, Any]:
    return dict(read_compose(env)["services"])


def seconds(duration: str) -> int:
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smh])", duration))


def parse(content: dict[str, Any]) -> list[str]:
    parsed = PyOptions(apply_merge=True).from_yaml(yaml.safe_dump(content))
    parsed.validate()
    return list(parsed.service_names())


def test_a_compose_parser_accepts_it(env: dict[str, str], services: dict[str, Any]) -> None:
    assert sorted(parse(read_compose(env))) == sorted(services)


@pytest.mark.parametrize(
    ("key", "value"), [("restart", "sometimes"), ("imag", "x"), ("cap_drop", "ALL"), ("stop_grace_period", "1 parsec")]
)
def test_that_parser_finds_mistakes(env: dict[str, str], key: str, value: Any) -> None:
    content = read_compose(env)
    content["services"]["scheduler"][key] = value
    with pytest.raises((ValueError, TypeError)):
        parse(content)


def docker_compose() -> list[str] | None:
    """Return the command of Docker Compose 2, if this machine has it. Reading a file needs no Docker."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            done = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, timeout=30)
            if done.returncode == 0 and not done.stdout.startswith("1."):
                return command
    return None


@pytest.mark.skipif(docker_compose() is None, reason="this machine has no Docker Compose 2")
def test_docker_compose_reads_in_it_what_these_tests_read(tmp_path: Path, services: dict[str, Any]) -> None:
    path = tmp_path / ".env"
    write_env(path)
    profiles = ["--profile", "sandbox", "--profile", "flower"]
    command = [*(docker_compose() or ()), "--file", str(FILE), "--env-file", str(path), *profiles, "config"]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)["services"]
    expected = read_compose(read_env(path))["services"]
    assert set(read) == set(services)
    for name, service in expected.items():
        # Docker Compose shows a $ as $$, so that its output can be read again.
        for part in ("command", "entrypoint"):
            assert [word.replace("$$", "$") for word in read[name].get(part) or []] == service.get(part, []), name
        given = {key: str(value) for key, value in service.get("environment", {}).items()}
        assert {key: value for key, value in read[name].get("environment", {}).items() if key in given} == given, name
        assert (read[name]["user"], read[name]["read_only"]) == (service["user"], True)


def test_all_names_lead_somewhere(env: dict[str, str], services: dict[str, Any]) -> None:
    volumes = read_compose(env)["volumes"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for source in (volume.split(":")[0] for volume in service.get("volumes", [])):
            assert (ROOT / source).is_dir() if source.startswith(".") else source in volumes, name


def test_the_environment_file_holds_a_random_value_for_all_that_is_required(
    tmp_path: Path, env: dict[str, str]
) -> None:
    path = tmp_path / ".env"
    assert write_env(path).returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = read_env(path)
    required = {name for name, default in variables().items() if default is None}
    assert required == set(again)
    assert {name for name in again if again[name] == env[name]} == {"AIRFLOW_USERS"}
    refused = write_env(path)
    assert refused.returncode == 1
    assert "exists, and its passwords may be in use" in refused.stderr
    assert read_env(path) == again


def test_nothing_starts_without_secrets(env: dict[str, str]) -> None:
    for name in env:
        with pytest.raises(MissingVariable, match=f"{name}: run make env"):
            read_compose({key: value for key, value in env.items() if key != name})


def test_no_default_is_a_secret() -> None:
    assert not [
        name for name, default in variables().items() if default and re.search("PASSWORD|SECRET|KEY|USERS|TOKEN", name)
    ]


def test_every_service_is_closed(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["user"] not in ("", "root", "0"), name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        assert service["restart"] == ("no" if name in ONCE else "unless-stopped"), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert ("healthcheck" in service) is (name not in ONCE), name


def test_all_parts_of_airflow_share_their_keys_and_settings(services: dict[str, Any]) -> None:
    parts = [service["environment"] for service in services.values() if "airflow" in service["image"]]
    assert len(parts) == 10
    own = {"AIRFLOW__CELERY__FLOWER_BASIC_AUTH"}
    assert len({tuple(sorted((key, part[key]) for key in part.keys() - own)) for part in parts}) == 1
    assert {"AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY"} <= set(parts[0])


def test_no_secret_is_in_a_command(env: dict[str, str], services: dict[str, Any]) -> None:
    secrets = {value for name, value in env.items() if name != "AIRFLOW_USERS"}
    for name, service in services.items():
        shown = " ".join([*service.get("entrypoint", []), *service.get("command", []), *_test(service)])
        assert not [secret for secret in secrets if secret in shown], name


def _test(service: dict[str, Any]) -> list[str]:
    return list(service.get("healthcheck", {}).get("test", []))


def test_what_a_container_checks_is_what_its_supervisor_checks(services: dict[str, Any]) -> None:
    supervised = {
        name: service for name, service in services.items() if service.get("entrypoint", [""])[0] == "supervise"
    }
    assert len(supervised) == 7
    for name, service in supervised.items():
        program, check, *options = service["entrypoint"]
        assert program == "supervise"
        assert options[-2:] == ["--", "airflow"]
        assert service["healthcheck"]["test"] == ["CMD", "supervise", "--once", check], name


def test_workers_may_end_what_they_do(services: dict[str, Any]) -> None:
    for name in ("worker", "worker-transfer"):
        service = services[name]
        [stop] = [int(word.partition("=")[2]) for word in service["entrypoint"] if word.startswith("--stop=")]
        assert stop > Patience().chunk_timeout + Patience().final_timeout
        assert seconds(service["stop_grace_period"]) > stop


def test_transfers_have_workers_of_their_own_with_a_slot_for_each_of_the_pool(
    env: dict[str, str], services: dict[str, Any]
) -> None:
    def option(name: str, flag: str) -> str:
        command = services[name]["command"]
        return str(command[command.index(flag) + 1])

    environment = services["worker"]["environment"]
    assert option("worker-transfer", "--queues") == environment["KALTURA_QUEUE"]
    assert option("worker", "--queues") == "default"
    pool, slots = services["pool"]["command"][2:4]
    assert pool == environment["KALTURA_POOL"]
    assert int(slots) <= int(option("worker-transfer", "--concurrency"))


def test_the_connections_of_the_sandbox_are_those_of_its_account() -> None:
    connections = yaml.safe_load((ROOT / "deploy" / "sandbox" / "connections.json").read_text())
    assert connections["kaltura_default"]["login"] == str(PARTNER_ID)
    assert connections["kaltura_default"]["password"] == ADMIN_SECRET
