"""Content from every side, whole entries in one task, and replacement."""

from __future__ import annotations

import hashlib
import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.operators.add_from import (
    KalturaAddDataOperator,
    KalturaAddFromUploadedFileOperator,
    KalturaAddFromUrlOperator,
)
from kaltura_provider.operators.content import (
    KalturaAddContentOperator,
    KalturaApproveReplacementOperator,
    KalturaCancelReplacementOperator,
    KalturaUpdateContentOperator,
)
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.operators.upload_tokens import KalturaAddUploadTokenOperator
from kaltura_sandbox import Sandbox

ID = "0_abcdefgh"
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def guarded(clip, monkeypatch):
    """Serve the clip to whoever sends the key."""
    content = clip.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers.get("X-Key") == "opensesame"
            first, last = 0, len(content) - 1
            if allowed and (wanted := self.headers.get("Range")):
                low, high = wanted.removeprefix("bytes=").split("-")
                first, last = int(low), min(int(high or last), last)
            body = content[first : last + 1] if allowed else b"no"
            self.send_response((206 if self.headers.get("Range") else 200) if allowed else 403)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"1"')
            if self.headers.get("Range"):
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - the base class's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("KALTURA_ALLOWED_HOSTS", "127.0.0.1")
    connection = {"conn_type": "http", "host": "127.0.0.1", "extra": {"headers": {"X-Key": "opensesame"}}}
    monkeypatch.setenv("AIRFLOW_CONN_MEDIA_HTTP", json.dumps(connection))
    yield f"http://127.0.0.1:{server.server_address[1]}/film.mp4"
    server.shutdown()
    server.server_close()


def held(kaltura) -> dict[str, str]:
    control = kaltura.sandbox.control
    control.wait_idle()
    return {
        entry["name"]: (control.entry(entry["id"])["content"] or {}).get("sha256", "") for entry in control.entries()
    }


def held_sha256(kaltura, entry_id: str) -> str:
    kaltura.sandbox.control.wait_idle()
    return str(kaltura.sandbox.control.entry(entry_id)["content"]["sha256"])


def test_a_dag_of_them(deployed, clip, guarded, storage, tmp_path) -> None:
    pdf = tmp_path / "paper.pdf"
    pdf.write_bytes(PDF)
    ran = deployed.dag("content", clip=str(clip), url=guarded, key="opensesame", pdf=str(pdf), storage=storage[0])
    film, paper = hashlib.sha256(clip.read_bytes()).hexdigest(), hashlib.sha256(PDF).hexdigest()
    found = held(deployed)
    assert found.pop("Numbers") == hashlib.sha256(b'{"a": 1}').hexdigest()
    assert found == {
        "Uploaded": film,
        "Fetched": film,
        "Archived": film,
        "Copied": film,
        "film.mp4": film,
        "paper.pdf": paper,
    }
    assert ran["imported"]["entry_id"] == ran["again"]["entry_id"]
    assert ran["replaced"]["replacement_status_number"] == 1
    assert "replacement_status" not in ran["nothing"]
    document = deployed.hook.call("baseEntry", "get", entryId=ran["document"]["entry_id"])
    assert (document["type"], document["documentType"]) == (10, 13)
    data = deployed.hook.call("data", "get", entryId=ran["data"]["entry_id"])
    assert (data["type"], data["dataContent"], data["status"]) == (6, '{"a": 1}', 2)
    assert "opensesame" not in json.dumps([ran["imported"], ran["fetched"]])


def test_an_object_is_fetched_by_kaltura_from_s3(kaltura, s3, clip) -> None:
    s3.put_file("media", "in/film.mp4", clip)
    ref = kaltura.run(KalturaAddFromUrlOperator, source=["s3://media/in/film.mp4"], metadata={"name": "From S3"})[0]
    assert ref["state"] == "importing"
    assert held(kaltura) == {"From S3": hashlib.sha256(clip.read_bytes()).hexdigest()}
    assert "uploadtoken.upload" not in [call.lower() for call in kaltura.calls]


def test_a_name_without_extension_is_told_by_its_content(kaltura, s3, clip) -> None:
    s3.put_file("media", "film", clip)
    ref = kaltura.run(KalturaAddFromUrlOperator, source="s3://media/film")
    assert kaltura.hook.call("baseEntry", "get", entryId=ref["entry_id"])["mediaType"] == 1


@pytest.fixture
def storage(kaltura, clip):
    """Make a folder a remote storage; gives its profile's id."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(clip.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    profile = {"objectType": "KalturaStorageProfile", "name": "Archive", "deliveryHttpBaseUrl": base}
    yield kaltura.hook.call("storageProfile", "add", storageProfile=profile)["id"], base
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("address", ["/clip.mp4", "{base}/clip.mp4"])
def test_content_stays_on_a_remote_storage(kaltura, storage, clip, address) -> None:
    number, base = storage
    entry_id = kaltura.entry("Archived")
    added = kaltura.run(
        KalturaAddContentOperator, entry_id=entry_id, url=address.format(base=base), storage_profile_id=str(number)
    )
    assert added["status"] == "preconvert"
    kaltura.sandbox.control.wait_idle()
    assert kaltura.hook.call("media", "get", entryId=entry_id)["status"] == 2
    (held,) = kaltura.hook.call("baseEntry", "getRemotePaths", entryId=entry_id)["objects"]
    assert (held["storageProfileId"], held["uri"]) == (number, "/clip.mp4")
    replaced = kaltura.run(KalturaUpdateContentOperator, entry_id=entry_id, url="/clip.mp4", storage_profile_id=number)
    assert replaced["replacement_status_number"] == 1
    assert held_sha256(kaltura, entry_id) == hashlib.sha256(clip.read_bytes()).hexdigest()


def test_an_unknown_remote_storage_leaves_the_entry_as_it_was(kaltura) -> None:
    entry_id = kaltura.entry()
    with pytest.raises(AirflowFailException, match='STORAGE_PROFILE_ID_NOT_FOUND: Storage profile id "7" not found'):
        kaltura.run(KalturaAddContentOperator, entry_id=entry_id, url="/2026/a.mp4", storage_profile_id=7)
    assert kaltura.hook.call("media", "get", entryId=entry_id)["status"] == 7


def test_a_file_missing_on_its_storage_is_no_source(kaltura, storage) -> None:
    entry_id = kaltura.entry()
    kaltura.run(KalturaAddContentOperator, entry_id=entry_id, url="/none.mp4", storage_profile_id=storage[0])
    kaltura.sandbox.control.wait_idle()
    assert kaltura.hook.call("media", "get", entryId=entry_id)["status"] == -1


def test_bad_arguments_are_refused_before_any_call(kaltura) -> None:
    refused, add = kaltura.refused, KalturaAddContentOperator
    assert "content is missing" in refused(add, entry_id=ID)
    assert "url and text exclude each other" in refused(add, entry_id=ID, url="https://a.example/x.mp4", text="x")
    assert "is not a URL Kaltura can fetch" in refused(add, entry_id=ID, url="s3://bucket/key")
    assert "has // in its path" in refused(add, entry_id=ID, url="https://a.example/x//y.mp4")
    assert "url_headers goes with url only" in refused(add, entry_id=ID, text="x", url_headers={"A": "b"})
    assert "url_headers 'Basic' is not a header line" in refused(
        add, entry_id=ID, url="https://a.example/x.mp4", url_headers=["Basic"]
    )
    assert "url_headers cannot go with storage_profile_id" in refused(
        add, entry_id=ID, url="/x.mp4", storage_profile_id=7, url_headers={"A": "b"}
    )
    assert "is not a path on a remote storage" in refused(add, entry_id=ID, url="/x\n.mp4", storage_profile_id=7)
    assert "storage_profile_id 'x'" in refused(add, entry_id=ID, url="https://a.example/x.mp4", storage_profile_id="x")
    assert "flavor_params_id '-3'" in refused(add, entry_id=ID, from_entry_id="0_abcdefgi", flavor_params_id=-3)
    assert "token_id 'x'" in refused(add, entry_id=ID, token_id="x")
    assert "conversion_profile_id '-5'" in refused(
        KalturaUpdateContentOperator, entry_id=ID, text="x", conversion_profile_id=-5
    )
    assert "token_id 'x'" in refused(KalturaAddFromUploadedFileOperator, token_id="x")
    assert "text is empty" in refused(KalturaAddDataOperator, text="")
    assert "if_exists" in refused(KalturaAddFromUrlOperator, source="s3://a/b", if_exists="maybe")
    assert "presigned_seconds '5'" in refused(KalturaAddFromUrlOperator, source="s3://a/b", presigned_seconds=5)


def test_content_is_not_added_twice_and_a_used_token_not_used_again(kaltura, clip) -> None:
    token = kaltura.run(KalturaUploadOperator, source=str(clip))
    made = kaltura.run(KalturaAddFromUploadedFileOperator, token_id=token, metadata={"name": "One"})
    with pytest.raises(AirflowFailException, match="is CLOSED: its file is already the content"):
        kaltura.run(KalturaAddFromUploadedFileOperator, token_id=token)
    with pytest.raises(AirflowFailException, match="already has content"):
        kaltura.run(KalturaAddContentOperator, entry_id=made["entry_id"], url="https://a.example/x.mp4")
    pending = kaltura.run(KalturaAddUploadTokenOperator, file_name="later.mp4")
    with pytest.raises(AirflowFailException, match="is PENDING: wait for its upload"):
        kaltura.run(KalturaAddFromUploadedFileOperator, token_id=pending)
    assert list(held(kaltura)) == ["One"]


def test_a_replacement_is_cancelled_and_one_at_a_time(kaltura, clip) -> None:
    token = kaltura.run(KalturaUploadOperator, source=str(clip))
    entry_id = kaltura.run(KalturaAddFromUploadedFileOperator, token_id=token)["entry_id"]
    kaltura.sandbox.control.wait_idle()
    pending = kaltura.run(KalturaAddUploadTokenOperator, file_name="new.mp4")
    started = kaltura.run(KalturaUpdateContentOperator, entry_id=entry_id, token_id=pending)
    assert started["replacing_entry_id"]
    again = kaltura.run(KalturaUpdateContentOperator, entry_id=entry_id, token_id=pending)
    assert again["replacing_entry_id"] == started["replacing_entry_id"]
    another = kaltura.run(KalturaAddUploadTokenOperator, file_name="other.mp4")
    with pytest.raises(AirflowFailException, match="is already being replaced"):
        kaltura.run(KalturaUpdateContentOperator, entry_id=entry_id, token_id=another)
    cancelled = kaltura.run(KalturaCancelReplacementOperator, entry_id=entry_id)
    assert "replacing_entry_id" not in cancelled
    with pytest.raises(AirflowFailException, match="there is nothing to approve"):
        kaltura.run(KalturaApproveReplacementOperator, entry_id=entry_id)


def test_a_dag_with_an_approval(airflow_db, clip, tmp_path, connected) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes() + b"\x00\x00\x00\x08free")
    with Sandbox(replacement_approval=True, import_retry_delay=1) as sandbox:
        kaltura = connected(sandbox)
        token = kaltura.run(KalturaUploadOperator, source=str(clip))
        entry_id = kaltura.run(KalturaAddFromUploadedFileOperator, token_id=token)["entry_id"]
        sandbox.control.wait_idle()
        ran = kaltura.dag("approval", entry=entry_id, film=str(other))
        assert ran["replaced"]["replacement_status_number"] == 3
        sandbox.control.wait_idle()
        content = sandbox.control.entry(entry_id)["content"]
        assert content["sha256"] == hashlib.sha256(other.read_bytes()).hexdigest()
