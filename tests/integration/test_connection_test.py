"""The request that Airflow's page sends when somebody presses Test beside a connection without a port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kaltura_sandbox import Sandbox

# Airflow's own API uses what it has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:ProvidersManager.hooks is deprecated")

# As the page of Airflow 3.3.2 sends it for a connection that was made in its form with nothing but these fields.
SENT = {
    "conn_type": "kaltura",
    "connection_id": "made_by_hand",
    "description": "",
    "extra": "{}",
    "host": "",
    "login": "102",
    "password": "***",
    "port": 0,
    "schema": "",
}


@pytest.fixture(scope="module")
def page(airflow_db: Path) -> Iterator[TestClient]:
    """Airflow's API as its page uses it, with the plugins that are installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "s" * 64)
        from airflow.api_fastapi.app import create_app

        with TestClient(create_app(apps="core"), base_url="http://localhost:8080") as client:
            token = client.get("/auth/token").json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client


@pytest.mark.parametrize("right", [True, False], ids=["right secret", "wrong secret"])
def test_a_connection_made_in_the_form_can_be_tested(page: TestClient, kaltura_sandbox: Sandbox, right: bool) -> None:
    secret = kaltura_sandbox.admin_secret if right else "wrong-secret"
    made = {"connection_id": "made_by_hand", "conn_type": "kaltura", "host": kaltura_sandbox.url, "login": "102"}
    page.delete("/api/v2/connections/made_by_hand")
    stored = page.post("/api/v2/connections", json={**made, "password": secret})
    assert (stored.status_code, stored.json()["port"]) == (201, None)
    reply = page.post("/api/v2/connections/test", json={**SENT, "host": kaltura_sandbox.url})
    assert reply.status_code == 200, reply.text
    said = reply.json()
    assert said["status"] is right, said
    assert said["message"].startswith("Connected to" if right else "The secret does not belong to partner 102")


def test_other_requests_pass_as_they_are(page: TestClient, kaltura_sandbox: Sandbox) -> None:
    other: dict[str, Any] = {"connection_id": "other", "conn_type": "kaltura", "host": "http://127.0.0.1", "login": "1"}
    page.delete("/api/v2/connections/other")
    page.post("/api/v2/connections", json={**other, "password": "stored-secret"})
    # The stored secret goes to no other server.
    moved = page.post("/api/v2/connections/test", json={**SENT, "connection_id": "other", "host": kaltura_sandbox.url})
    assert moved.status_code == 400
    for body in (b"", b"{", b"[" * 100_000, b'"port"', json.dumps({**SENT, "conn_type": 1}).encode()):
        assert page.post("/api/v2/connections/test", content=body).status_code == 422
