"""Every test run has an Airflow home of its own; nothing outside the checkout and the temporary folder is touched."""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent

# Before anything imports Airflow, which reads its settings once.
_HOME = tempfile.mkdtemp(prefix="airflow-home-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith(("AIRFLOW__", "AIRFLOW_CONN_"))]:
    del os.environ[_name]
os.environ |= {
    "AIRFLOW_HOME": _HOME,
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}


@pytest.fixture(scope="session")
def airflow_db() -> Iterator[Path]:
    """Airflow's home with a migrated database, for tests that run DAGs."""
    subprocess.run(
        [str(Path(sys.executable).with_name("airflow")), "db", "migrate"], check=True, capture_output=True, timeout=120
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", _impatient)
        yield Path(_HOME)


def _impatient(seconds: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Sleep; but let dag.test() look again at once where no task can run yet, be it for the moment before a retry."""
    from_dag_test = sys._getframe(1).f_globals.get("__name__") == "airflow.sdk.definitions.dag"
    sleep(seconds / 20 if from_dag_test else seconds)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a process has left behind count as abandoned after seconds, not after two minutes."""
    from kaltura_provider.ingest.settings import IngestSettings

    monkeypatch.setitem(IngestSettings.__init__.__kwdefaults__, "grace", 3.0)
