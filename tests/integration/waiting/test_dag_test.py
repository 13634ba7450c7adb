"""``dag.test()`` runs the sensors: mapped, from an XCom, deferrable, and with a wait that fails."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

DAG_FILE = """
import json, os
from airflow.sdk import DAG, task
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

good, bad, reference, lost = os.environ.get("WAITING_ENTRIES", "0_a,0_b,0_c,0_d").split(",")
common = {"kaltura_conn_id": "kaltura_waiting", "poke_interval": 0.2}
deferred = {**common, "deferrable": True}

with DAG("waiting", schedule=None) as dag:

    @task
    def upload():
        return [{"entry_id": reference, "state": "sent"}]

    @task(trigger_rule="all_done")
    def look(single, batch, broken):
        with open(os.environ["WAITING_RESULT"], "w") as file:
            json.dump({"single": single, "batch": batch, "broken": broken}, file)

    one = KalturaEntryReadySensor(task_id="one", entry_id=good, **deferred)
    batch = KalturaEntryReadySensor(task_id="batch", entry_id=upload(), **deferred)
    broken = KalturaEntryReadySensor(task_id="broken", entry_id=[{"entry_id": bad, "state": "sent"}], **deferred)
    KalturaEntryReadySensor.partial(task_id="mapped", **deferred).expand(entry_id=[good, reference])
    KalturaEntryReadySensor(task_id="ended", entry_id=good, end_from_trigger=True, **deferred)
    KalturaEntryReadySensor(
        task_id="patient", entry_id=lost, deferrable=False, mode="reschedule", grace=1.5, **common
    )
    look(one.output, batch.output, broken.output)
"""


@pytest.mark.filterwarnings("ignore")  # what dag.test() itself warns of is not ours
def test_sensors_in_a_dag(
    airflow_db: Path, sandbox: Any, entries: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad, reference, lost = (entries.make(status) for status in (2, -1, 2, -2))
    file, result = tmp_path / "dags" / "waiting.py", tmp_path / "result.json"
    file.parent.mkdir()
    file.write_text(DAG_FILE)
    bundle = {
        "name": "waiting",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(file.parent)},
    }
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([bundle]))
    monkeypatch.setenv("WAITING_ENTRIES", f"{good},{bad},{reference},{lost}")
    monkeypatch.setenv("WAITING_RESULT", str(result))
    spec = importlib.util.spec_from_file_location("waiting_dag", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    run = module.dag.test()

    states = {(ti.task_id, ti.map_index): str(ti.state) for ti in run.get_task_instances()}
    assert states.pop(("broken", -1)) == "failed"
    # It has looked at least twice, in two processes, or it could not have outlasted its grace.
    assert states.pop(("patient", -1)) == "failed"
    assert set(states.values()) == {"success"}, states
    assert {("mapped", 0), ("mapped", 1)} <= set(states)
    seen = json.loads(result.read_text())
    assert seen["single"] == good
    assert seen["batch"] == [{"entry_id": reference, "state": "sent", "status": "ready", "status_number": 2}]
    # The failed task has left its result, so that a summary can say which entry failed and why.
    assert seen["broken"][0]["state"] == "failed"
    assert "ERROR_CONVERTING" in seen["broken"][0]["error"]["message"]
