"""What a release consists of: the same bytes whenever it is built, and all that belongs in it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def build(folder: Path) -> dict[str, str]:
    env = os.environ | {"SOURCE_DATE_EPOCH": "1704067200"}
    command = [BIN / "uv", "build", "--quiet", "--python", sys.executable, "--out-dir", folder]
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=120)
    made = [path for path in folder.iterdir() if path.suffix in (".whl", ".gz")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    assert len(build(folder)) == 2
    return folder


def test_two_builds_are_equal(dist: Path, tmp_path: Path) -> None:
    first = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.glob("airflow*")}
    assert build(tmp_path) == first


def test_the_package_index_would_accept_it(dist: Path) -> None:
    command = [BIN / "twine", "check", "--strict", *sorted(dist.glob("airflow*"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_has_every_module_and_nothing_else(dist: Path) -> None:
    [wheel] = dist.glob("*.whl")
    source = ROOT / "plugins"
    modules = {str(path.relative_to(source)) for path in (source / "kaltura_provider").rglob("*.py")}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert modules <= names
    assert {Path(name).suffix for name in names - modules} <= {
        ".typed",
        ".html",
        ".css",
        ".js",
        ".yaml",
        ".json",
        ".LICENSE",
    }
    assert not [name for name in names if "__pycache__" in name]


def test_the_source_distribution_says_how_to_report_and_contribute(dist: Path) -> None:
    [sdist] = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith(("include/", ".venv", "tests/"))]
