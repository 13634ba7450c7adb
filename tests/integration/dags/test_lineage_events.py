"""What the OpenLineage provider of Airflow writes about an ingest. `make compat` installs it, `make test` does not."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("airflow.providers.openlineage")

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.dags.conftest import Deployment


def written(path: Path) -> list[dict[str, Any]]:
    """Wait until the events say that the ingest is complete, and return all."""
    deadline = time.monotonic() + 60
    while True:
        events = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        if any(one["eventType"] == "COMPLETE" and one["job"]["name"].endswith(".ingest") for one in events):
            return events
        assert time.monotonic() < deadline, [(one["eventType"], one["job"]["name"]) for one in events]
        time.sleep(0.2)


def test_the_event_of_an_ingest_names_sources_and_entries(
    deployment: Deployment, clips: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    transport = {"type": "file", "log_file_path": str(path), "append": True}
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__TRANSPORT", json.dumps(transport))
    uri = deployment.put("lineage/clip.mp4", clips["clip-1.mp4"])
    ran = deployment.run(deployment.form(), sources=[uri], wait_for="sent")
    assert ran.state == "success", ran.states
    [row] = ran.summary["assets"]
    [event] = [
        one for one in written(path) if one["eventType"] == "COMPLETE" and one["job"]["name"].endswith(".ingest")
    ]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    assert [(one["namespace"], one["name"]) for one in event["inputs"]] == [(f"s3://{bucket}", key)]
    [output] = event["outputs"]
    assert output["namespace"].startswith("kaltura://")
    assert output["name"] == row["entry_id"]
    assert deployment.sandbox.admin_secret not in path.read_text()
