"""The example of docs/sandbox.md runs as other people run it: a folder of their own, nothing but the plugin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "sandbox.md"


def example(name: str) -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.search(rf"^```python\n# {re.escape(name)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/sandbox.md has no example named {name}"
    return found[1]


def test_the_documented_example_runs_in_a_clean_environment(airflow_db: Path, tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    for name in ("dags/scores.py", "test_scores.py"):
        (tmp_path / name).write_text(example(name))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "KALTURA_"))}
    # Only the entry point that the wheel brings is loaded.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "kaltura_sandbox", "--rootdir", str(tmp_path), str(tmp_path)]
    env |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "AIRFLOW_HOME": str(airflow_db)}
    env |= {"AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"), "PYTHONPATH": str(tmp_path / "dags")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"^1 passed", done.stdout, re.MULTILINE)
