"""Do what the Dockerfile does, without containers: ``make image``.

Each stage becomes a virtual environment, in which the same commands install the same files. Nothing shows whether the
base image, the users and the permissions of a container fit.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.dockerfile import Copy, Stage, read_dockerfile  # noqa: E402 - the path above leads to it

HOME = ROOT / "build" / "image"
# What a test or a developer needs, and a deployment does not.
TOOLS = ("hypothesis", "moto", "mypy", "playwright", "pytest", "ruff", "twine")


def main() -> int:
    """Build all stages and check what they installed."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    for stage in read_dockerfile().values():
        if stage.steps and stage.name != "base":
            build(stage)
    run(python("airflow"), ROOT / "tests" / "release" / "installed.py")
    run(HOME / "sandbox" / "venv" / "bin" / "kaltura-sandbox", "serve", "--help", quiet=True)
    for stage in ("airflow", "sandbox"):
        listed = [python(stage), "-m", "pip", "list", "--format=freeze"]
        found = subprocess.run(listed, capture_output=True, text=True, check=True, timeout=120)
        names = {line.partition("==")[0].lower() for line in found.stdout.splitlines()}
        assert not names.intersection(TOOLS), names.intersection(TOOLS)
        print(f"stage {stage}: {len(names)} packages", flush=True)
    return 0


def build(stage: Stage) -> None:
    """Do the steps of a stage."""
    print(f"== stage {stage.name}", flush=True)
    run(sys.executable, "-m", "venv", HOME / stage.name / "venv")
    for step in stage.steps:
        if isinstance(step, Copy):
            copy(stage, step)
        elif step.words[0] == "pip":
            run(python(stage.name), "-m", "pip", "--quiet", *(local(stage.name, word) for word in step.words[1:]))


def copy(stage: Stage, step: Copy) -> None:
    """Copy files as COPY does: the content of a folder into the target."""
    target = Path(local(stage.name, step.target if step.target.startswith("/") else f"/opt/airflow/{step.target}"))
    for name in step.sources:
        source = Path(local(step.stage, name)) if step.stage else ROOT / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            into = target / source.name if step.target.endswith("/") else target
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, into)


def local(stage: str, path: str) -> str:
    """Return where a path of a stage is on this machine; other words stay."""
    return str(HOME / stage / "root" / path.lstrip("/")) if path.startswith("/") else path


def python(stage: str) -> Path:
    """Return the interpreter of a stage."""
    return HOME / stage / "venv" / "bin" / "python"


def run(*command: str | Path, quiet: bool = False) -> None:
    """Run a command.

    :raises subprocess.CalledProcessError: it failed.
    """
    out = subprocess.DEVNULL if quiet else None
    subprocess.run([str(word) for word in command], check=True, cwd=HOME, timeout=1200, stdout=out)


if __name__ == "__main__":
    sys.exit(main())
