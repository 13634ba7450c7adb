"""Every test run has an Airflow home of its own; nothing outside the checkout and the temporary folder is touched."""

from __future__ import annotations

import atexit
import base64
import fcntl
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent

# Fifty times as many examples as usual: pytest --hypothesis-profile=long
settings.register_profile("long", max_examples=5000, deadline=None)

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
def airflow_db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Airflow's home with a migrated database, for tests that run DAGs."""
    import botocore.session

    made = Path(_HOME, "airflow.db")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _migrate()
    else:
        # The processes of one test run share this folder. The first of them makes the database, the others copy it.
        shared = tmp_path_factory.getbasetemp().parent / "airflow.db"
        with shared.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not shared.exists():
                _migrate()
                shutil.copyfile(made, shared)
        shutil.copyfile(shared, made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", _impatient)
        # Every task makes an S3 client, and each would read the descriptions of AWS's services again.
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield Path(_HOME)


def _migrate() -> None:
    command = [str(Path(sys.executable).with_name("airflow")), "db", "migrate"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def _impatient(seconds: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Sleep; but let dag.test() look again at once where no task can run yet, be it for the moment before a retry."""
    from_dag_test = sys._getframe(1).f_globals.get("__name__") == "airflow.sdk.definitions.dag"
    sleep(seconds / 20 if from_dag_test else seconds)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a process has left behind count as abandoned after seconds, not after two minutes."""
    from kaltura_provider.ingest.settings import IngestSettings

    monkeypatch.setitem(IngestSettings.__init__.__kwdefaults__, "grace", 3.0)
