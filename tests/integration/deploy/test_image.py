"""The image installs what runs and nothing else, each library by its hash. `make image` does all its steps."""

from __future__ import annotations

import os
import re
import subprocess
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.compose import read_compose, variables
from tests.dockerfile import ROOT, Copy, Run, Stage, ignored, read_dockerfile

IMAGE = ROOT / "deploy" / "image"
STAGES = read_dockerfile()


def pinned(path: Path) -> dict[str, str]:
    """Return the version of each library of a file, by its normal name."""
    found = re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", path.read_text(), re.MULTILINE)
    return {normal(name): version for name, version in found}


def normal(requirement: str) -> str:
    """Return the normal name of what a requirement names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def commands(stage: Stage, program: str) -> list[Sequence[str]]:
    return [step.words for step in stage.steps if isinstance(step, Run) and step.words[0] == program]


def copied(stage: Stage) -> set[str]:
    return {
        step.target + source if step.target == "/" else source
        for step in stage.steps
        if isinstance(step, Copy)
        for source in step.sources
    }


@pytest.mark.parametrize("lock", ["airflow.lock", "sandbox.lock", "build.lock"])
def test_lock_files_have_a_hash_for_each_library_in_the_tested_version(lock: str) -> None:
    text = (IMAGE / lock).read_text()
    libraries, tested = pinned(IMAGE / lock), pinned(ROOT / "constraints.txt")
    assert libraries
    assert {name: tested.get(name) for name in libraries} == libraries
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in block for block in blocks if "==" in block), "no hash"


def test_the_image_has_every_library_of_the_package_and_no_tool_of_developers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = [item for items in project["project"]["optional-dependencies"].values() for item in items]
    libraries = set(pinned(IMAGE / "airflow.lock"))
    assert {normal(item) for item in [*project["project"]["dependencies"], *extras]} <= libraries
    sandbox = tomllib.loads((ROOT / "include" / "sandbox" / "pyproject.toml").read_text())
    assert {normal(item) for item in sandbox["project"]["dependencies"]} <= set(pinned(IMAGE / "sandbox.lock"))
    tools = {normal(item) for item in project["dependency-groups"]["dev"]}
    assert not tools & (libraries | set(pinned(IMAGE / "sandbox.lock")))


def test_pip_takes_nothing_from_an_index_without_its_hash() -> None:
    for stage in STAGES.values():
        for words in commands(stage, "pip"):
            fetches = words[1] == "install" and "--no-index" not in words
            assert not fetches or "--require-hashes" in words, words
            assert words[1] != "wheel" or {"--no-deps", "--no-build-isolation"} <= set(words), words


def test_all_that_is_copied_exists_and_is_not_ignored() -> None:
    for stage in STAGES.values():
        for step in stage.steps:
            if isinstance(step, Copy) and step.stage is None:
                for source in step.sources:
                    assert (ROOT / source).exists(), source
                    assert not ignored(source), source
            elif isinstance(step, Copy):
                assert step.stage in STAGES
    assert ignored("docker-compose.yml")
    assert ignored("tests/conftest.py")


def test_the_stages_are_what_the_containers_run_and_none_runs_as_root() -> None:
    services = read_compose({name: "given" for name, default in variables().items() if default is None})["services"]
    for name, service in services.items():
        if "build" in service:
            assert STAGES[service["build"]["target"]].user == "airflow", name
    assert ("useradd", "--create-home", "--uid", "50000", "airflow") in commands(STAGES["base"], "useradd")
    assert {"dags", "include/feeds", "include/local/supervise.py"} <= copied(STAGES["airflow"])
    assert {"/deploy/image/entrypoint", "/deploy/image/clean-logs"} <= copied(STAGES["airflow"])


def test_the_entrypoint_becomes_the_program() -> None:
    done = subprocess.run([IMAGE / "entrypoint", "echo", "a b"], capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stdout) == (0, "a b\n")


def test_old_logs_are_deleted(tmp_path: Path) -> None:
    old, new = tmp_path / "logs" / "dag" / "old.log", tmp_path / "logs" / "dag" / "new.log"
    old.parent.mkdir(parents=True)
    for path in (old, new):
        path.touch()
    os.utime(old, (time.time() - 9 * 86400,) * 2)
    env = os.environ | {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__LOG_RETENTION_DAYS": "7"}
    process = subprocess.Popen([IMAGE / "clean-logs"], env=env, start_new_session=True)
    try:
        deadline = time.monotonic() + 20
        while old.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not old.exists()
        assert new.exists()
        process.terminate()
        assert process.wait(10) == 0
    finally:
        os.killpg(process.pid, 9) if process.poll() is None else None
