"""What somebody hands in as a secret is used, and then found nowhere: in no table, log, receipt or API answer."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from kaltura_provider.api.signing import is_secret_name
from kaltura_provider.hooks.sources import s3_client
from tests.integration.dags.conftest import BUCKET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.dags.conftest import Deployment

SECRETS = ("Q7zPassword", "Q7zToken", "Q7zAkamai", "Q7zApiKey", "Q7zFragment")


def presigned(uri: str, seconds: int = 600) -> str:
    wanted = {"Bucket": BUCKET, "Key": uri.removeprefix(f"s3://{BUCKET}/")}
    url: str = s3_client("aws_default").generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)
    return url


def secrets_of(url: str) -> set[str]:
    fields = parse_qs(urlsplit(url).query)
    found = {values[0] for name, values in fields.items() if is_secret_name(name)}
    assert found
    return found | {urlsplit(url).query}


def stored(run_id: str) -> Iterator[tuple[str, str]]:
    """Yield every row of Airflow's database as text; of a run's own conf, which it was triggered with, nothing."""
    from airflow.utils.session import create_session
    from sqlalchemy import MetaData, select

    with create_session() as session:
        tables = MetaData()
        tables.reflect(session.get_bind())
        for table in tables.sorted_tables:
            for row in session.execute(select(table)).mappings():
                values = {name: value for name, value in row.items() if (table.name, name) != ("dag_run", "conf")}
                yield table.name, f"{values} {json.dumps(values, default=str)}"


def answers(dag_id: str, run_id: str) -> Iterator[tuple[str, str]]:
    """Yield what Airflow's API answers about a run."""
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    client = TestClient(create_app(apps="core"))
    token = client.post("/auth/token", json={"username": "admin", "password": "admin"})
    client.headers["Authorization"] = f"Bearer {token.json().get('access_token', '')}"
    run = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
    instances = client.get(f"{run}/taskInstances").json()["task_instances"]
    assert instances
    for instance in instances:
        assert "rendered_fields" in instance
        where = {"map_index": instance["map_index"]}
        entries = client.get(f"{run}/taskInstances/{instance['task_id']}/xcomEntries", params=where).json()
        yield instance["task_id"], json.dumps(instance)
        for entry in entries["xcom_entries"]:
            path = f"{run}/taskInstances/{instance['task_id']}/xcomEntries/{entry['key']}"
            yield f"{instance['task_id']} {entry['key']}", client.get(path, params=where).text


@pytest.fixture
def open_house(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALTURA_ALLOWED_HOSTS", "127.0.0.1")
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "0" * 64)
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")


@pytest.mark.usefixtures("open_house")
def test_no_secret_of_a_run_is_left_anywhere(
    deployment: Deployment, clips: dict[str, bytes], capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture, tmp_path: Path,
) -> None:  # fmt: skip
    signed = presigned(deployment.put("rest/clip.mp4", clips["clip-1.mp4"]))
    host = urlsplit(signed).netloc
    sources = [
        signed,
        f"http://user:{SECRETS[0]}@{host}/media/a.mp4",
        f"http://{host}/media/b.mp4?v=1&token={SECRETS[1]}&hdnea=exp=1~hmac={SECRETS[2]}",
        f"http://{host}/media/c.mp4?v=1&api_key={SECRETS[3]}#access_token={SECRETS[4]}",
    ]
    receipts = tmp_path / "receipts"
    dag = deployment.form()
    dag.get_task("summary").receipts = str(receipts)
    ran = deployment.run(dag, sources=sources)
    assert ran.state == "failed", ran.states
    assert [row["uri"].partition("?")[0] for row in ran.summary["assets"]] == [signed.partition("?")[0]]
    assert len(ran.summary["failed"]) == 3
    assert hashlib.sha256(clips["clip-1.mp4"]).hexdigest() in deployment.held().values()
    shown = capfd.readouterr()
    texts = [("log", shown.out), ("errors", shown.err), ("records", caplog.text)]
    texts += [(str(path), path.read_text()) for path in receipts.rglob("*.json*")]
    texts += stored(ran.run_id)
    texts += answers(ran.dag_id, ran.run_id)
    assert {"xcom", "rendered_task_instance_fields", "task_instance"} <= {place for place, _ in texts}
    assert len([place for place, _ in texts if place.endswith((".json", ".jsonl"))]) >= 2
    secrets = secrets_of(signed) | set(SECRETS) | {deployment.sandbox.admin_secret, deployment.s3.secret_key}
    for place, text in texts:
        for secret in secrets:
            assert secret not in text, (place, secret)
            assert secret not in unquote(text), (place, secret)


@pytest.mark.usefixtures("open_house")
def test_a_form_hands_on_sealed_addresses_and_the_same_asset(deployment: Deployment, clips: dict[str, bytes]) -> None:
    uri = deployment.put("rest/form.mp4", clips["clip-2.mp4"])
    first, second = presigned(uri), presigned(uri, seconds=900)
    entries = []
    for url in (first, second):
        ran = deployment.run(deployment.form(), sources=[url])
        assert ran.state == "success", ran.states
        (row,) = ran.summary["assets"]
        entries.append(row["entry_id"])
        handed: Any = ran.xcom("discover")
        assert "Signature=" not in json.dumps(handed)
        assert handed[0][0]["uri"].startswith(url.partition("?")[0])
    assert entries[0] == entries[1]


@pytest.mark.usefixtures("open_house")
def test_without_a_key_a_secret_is_refused_and_said(
    deployment: Deployment, clips: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk import crypto

    signed = presigned(deployment.put("rest/clip.mp4", clips["clip-1.mp4"]))
    monkeypatch.setattr(crypto, "get_fernet", crypto._NullFernet)
    ran = deployment.run(deployment.form(), sources=[signed])
    assert ran.states["discover[-1]"] == "failed"
    assert deployment.held() == {}
    assert all(value not in text for value in secrets_of(signed) for _, text in stored(ran.run_id))
