"""The operators alone, in the plain order, from URLs and files, and what they leave on Airflow's page."""

from __future__ import annotations

import hashlib
import json
import runpy
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PLAIN = """
import os
from airflow.sdk import DAG
from kaltura_provider.operators.attach import KalturaAttachOperator
from kaltura_provider.operators.flavors import KalturaListFlavorsOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

with DAG("plain", schedule=None, params={"source": "", "entry": ""}) as dag:
    upload = KalturaUploadOperator(task_id="upload", source="{{ params.source }}")
    attach = KalturaAttachOperator(
        task_id="attach",
        token_id=upload.output,
        entry_id="{{ params.entry }}",
        metadata={"name": "Plain", "tags": ["x"]},
    )
    ready = KalturaEntryReadySensor(task_id="ready", entry_id="{{ ti.xcom_pull('attach')['entry_id'] }}")
    flavors = KalturaListFlavorsOperator(task_id="flavors", entry_id=ready.output)
    attach >> ready
"""


@pytest.fixture
def plain(deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a DAG of the plain order, from a bundle of its own."""
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "plain.py").write_text(PLAIN)
    bundle = {
        "name": "plain",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(folder)},
    }
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([bundle]))
    return runpy.run_path(str(folder / "plain.py"))["dag"]


@pytest.fixture
def web(clips, tmp_path_factory: pytest.TempPathFactory):
    """Serve the clips, a page and nothing else."""
    folder = tmp_path_factory.mktemp("web")
    for name, content in clips.items():
        (folder / name).write_bytes(content)
    (folder / "page.mp4").write_text("<!DOCTYPE html><html><body>Please log in</body></html>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_upload_then_attach_makes_an_entry_with_the_bytes(deployment, plain, clips) -> None:
    uri = deployment.put("plain.mp4", clips["clip-1.mp4"])
    ran = deployment.run(plain, source=uri)
    assert ran.state == "success", ran.states
    assert deployment.held() == {"Plain": hashlib.sha256(clips["clip-1.mp4"]).hexdigest()}
    flavors = ran.xcom("flavors")
    assert flavors[0]["is_original"]
    assert flavors[0]["size_in_bytes"] == len(clips["clip-1.mp4"])
    entry_id = ran.xcom("attach")["entry_id"]
    assert ran.xcom("attach", "kaltura_entry_link") == (
        f"{deployment.sandbox.url}/index.php/kmcng/content/entries/entry/{entry_id}/metadata"
    )


def test_a_given_entry_gets_the_content_and_one_with_content_is_refused(deployment, plain, clips) -> None:
    from kaltura_provider.hooks.kaltura import KalturaHook

    entry = KalturaHook().call(
        "media", "add", entry={"objectType": "KalturaMediaEntry", "mediaType": 1, "name": "Mine"}
    )
    uri = deployment.put("plain.mp4", clips["clip-2.mp4"])
    first = deployment.run(plain, source=uri, entry=entry["id"])
    assert first.state == "success", first.states
    assert deployment.held() == {"Mine": hashlib.sha256(clips["clip-2.mp4"]).hexdigest()}
    again = deployment.run(plain, source=uri, entry=entry["id"])
    assert again.states["attach[-1]"] == "failed"
    assert again.tries["attach[-1]"] == 1
    assert deployment.held() == {"Mine": hashlib.sha256(clips["clip-2.mp4"]).hexdigest()}


def test_urls_are_ingested_where_the_deployment_allows_the_host(deployment, web, clips, monkeypatch) -> None:
    monkeypatch.setenv("KALTURA_ALLOWED_HOSTS", "127.0.0.1")
    ran = deployment.run(deployment.form(), sources=[f"{web}/clip-1.mp4"], name="From {{ asset.stem }}", tags=["a"])
    assert ran.state == "success", ran.states
    assert deployment.held() == {"From clip-1": hashlib.sha256(clips["clip-1.mp4"]).hexdigest()}
    entry_id = ran.summary["assets"][0]["entry_id"]
    for link in ("playback", "thumbnail", "source"):
        assert f"/{entry_id}/" in f"{ran.xcom('batch.ingest', f'kaltura_{link}_link', 0)}/", link
    assert ran.xcom("batch.ingest", "kaltura_entry_link", 0).endswith(f"/{entry_id}/metadata")


def test_a_web_page_in_place_of_media_makes_nothing(deployment, web, monkeypatch) -> None:
    monkeypatch.setenv("KALTURA_ALLOWED_HOSTS", "127.0.0.1")
    ran = deployment.run(deployment.form(), sources=[f"{web}/page.mp4"])
    assert "web page" in ran.reason
    assert deployment.held() == {}
    assert deployment.sandbox.control.tokens() == []


def test_a_summary_tells_no_signature(deployment, web, clips, monkeypatch) -> None:
    monkeypatch.setenv("KALTURA_ALLOWED_HOSTS", "127.0.0.1")
    sources = [f"{web}/{name}?X-Amz-Signature=f00dcafe" for name in ("clip-1.mp4", "page.mp4")]
    ran = deployment.run(deployment.form(), sources=sources)
    summary = ran.summary
    shown = [item["uri"] for item in summary["assets"] + summary["failed"]]
    assert [uri.partition("?")[0] for uri in shown] == [source.partition("?")[0] for source in sources]
    assert "web page" in ran.reason
    assert "f00dcafe" not in json.dumps(summary)
    assert list(deployment.held().values()) == [hashlib.sha256(clips["clip-1.mp4"]).hexdigest()]


def test_settings_of_uploads_reach_the_task_that_sends() -> None:
    from airflow.sdk import DAG

    from kaltura_provider.feeds.tasks.discover import KalturaDiscoverOperator
    from kaltura_provider.feeds.tasks.pipeline import ingest

    with DAG("limited", schedule=None) as dag:
        ingest(KalturaDiscoverOperator(task_id="discover", source={"uri": "s3://media/x/"}), upload={"max_size": 5})
    assert dag.get_task("batch.ingest").upload == {"max_size": 5}


def test_the_connection_form_has_our_fields() -> None:
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    (form,) = [hook for hook in HookMetaService.hook_meta_data() if hook.connection_type == "kaltura"]
    assert set(form.extra_fields) == {
        "auth",
        "app_token_id",
        "app_token_hash_type",
        "user_id",
        "session_type",
        "privileges",
        "session_lifetime",
        "cdn_host",
        "kmc_host",
    }
    assert form.standard_fields.login.title == "Partner id"
    assert form.standard_fields.port.hidden
