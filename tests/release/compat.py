"""Install and check the package with the oldest and the newest libraries it supports: ``make compat``.

The oldest are the lower bounds of ``pyproject.toml``, which are tried with the oldest Python that the package supports.
The newest are what the package index has, and are tried with each Python that the package supports, if this machine has
it. In each environment the installed package is checked (``installed.py``), a feed runs against the sandbox, and the
OpenLineage provider of Airflow writes the event of an ingest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "compat"
UV = str(Path(sys.executable).with_name("uv"))
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SETS = {"oldest": "lowest-direct", "newest": "highest"}
COMBINATIONS = [(PYTHONS[0], "oldest"), *((python, "newest") for python in PYTHONS)]
TESTS = (
    "tests/integration/dags/test_feed.py",
    "tests/integration/dags/test_lineage_events.py",
    "tests/unit/feeds/test_load.py",
)
TOOLS = ("apache-airflow-providers-openlineage", "hypothesis", "psutil", "pytest", "pytest-asyncio", "pytest-timeout")


def main() -> int:
    """Try every combination, and return 1 if one failed."""
    results = {f"{libraries}, Python {python}": attempt(python, libraries) for python, libraries in COMBINATIONS}
    print()
    for name, result in results.items():
        print(f"{name}: {result}")
    return int(any(result.startswith("FAILED") for result in results.values()))


def attempt(python: str, libraries: str) -> str:
    """Install and test one combination, and return what came of it in words."""
    interpreter = subprocess.run(
        [UV, "python", "find", "--no-python-downloads", python], capture_output=True, text=True, cwd="/"
    )
    if interpreter.returncode:
        return f"not run: this machine has no Python {python}"
    home = HOME / f"{libraries}-{python}"
    shutil.rmtree(home, ignore_errors=True)
    print(f"== {libraries}, Python {python}", flush=True)
    try:
        install(home, interpreter.stdout.strip(), libraries)
        run(home / "bin" / "python", ROOT / "tests" / "release" / "installed.py")
        run(UV, "pip", "install", "--quiet", "--python", home, ROOT / "include" / "sandbox", *TOOLS)
        for test in TESTS:  # each in a process of its own: Airflow reads the settings of OpenLineage once
            run(home / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", test)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return f"FAILED: {' '.join(str(word) for word in error.cmd)}"
    return f"works with {version(home, 'apache-airflow')} and {version(home, 'apache-airflow-providers-amazon')}"


def install(home: Path, interpreter: str, libraries: str) -> None:
    """Install the package and its libraries into a new environment."""
    dist = HOME / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    run(UV, "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", dist)
    run(UV, "venv", "--quiet", "--python", interpreter, home)
    [wheel] = dist.glob("*.whl")
    # The bounds of the wheel count only if they are requirements of their own: uv resolves "direct" ones to the lowest.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    limits = HOME / "requirements.txt"
    limits.write_text("\n".join([*project["dependencies"], str(wheel)]) + "\n")
    run(
        UV,
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        home,
        f"--resolution={SETS[libraries]}",
        "--requirement",
        limits,
    )


def version(home: Path, package: str) -> str:
    """Return name and version of an installed package."""
    script = f"from importlib.metadata import version; print(version({package!r}))"
    found = subprocess.run([home / "bin" / "python", "-c", script], capture_output=True, text=True, check=True)
    return f"{package} {found.stdout.strip()}"


def run(*command: str | Path) -> None:
    """Run a command in the checkout, without the settings of this environment.

    :raises subprocess.CalledProcessError: it failed.
    :raises subprocess.TimeoutExpired: it took longer than 20 minutes.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "VIRTUAL_ENV"))}
    subprocess.run([str(word) for word in command], cwd=ROOT, env=env, check=True, timeout=1200)


if __name__ == "__main__":
    sys.exit(main())
