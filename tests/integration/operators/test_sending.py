"""Tasks that send bytes: which token takes them, what a retry goes on with, limits, progress, and what they show."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.hooks.batch import FAILURES_KEY
from kaltura_provider.hooks.sealing import opened_address
from kaltura_provider.hooks.task_state import PROGRESS_KEY, ShownProgress
from kaltura_provider.hooks.token_upload import send_file
from kaltura_provider.operators.prepare import KalturaPrepareOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.operators.upload_tokens import KalturaAddUploadTokenOperator
from kaltura_provider.upload.errors import ChecksumMismatch, TokenGone, UploadCancelled
from kaltura_provider.upload.progress import Progress
from kaltura_provider.upload.result import UploadResult
from kaltura_provider.upload.settings import Patience, upload_settings
from kaltura_provider.upload.sources.errors import SourceTooLarge
from kaltura_provider.upload.uploader import Uploader
from tests.until import until

MIB = 1 << 20
SECRET = "S3cretSignature"
TOKEN = "0_" + "0" * 32
SIGNED = f"?X-Amz-Credential=key&X-Amz-Signature={SECRET}&token={SECRET}"
ONE_BY_ONE = {"parallelism": 1, "chunk_size": MIB}


@pytest.fixture(autouse=True)
def _one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test lets the server fail, the task fails."""
    monkeypatch.setattr("kaltura_provider.upload.uploader.PATIENCE", Patience(retry=RetrySettings(attempts=1)))


class Store(dict[str, Any]):
    """Airflow's task state store, kept over tries."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[str, Any]] = []

    def set(self, key: str, value: Any) -> None:
        self.written.append((key, value))
        self[key] = value

    @property
    def tokens(self) -> dict[str, str]:
        return dict(self.get("kaltura_tokens") or {})


class Try:
    """One try of a task."""

    dag_id, run_id = "dag", "run"

    def __init__(self, number: int = 1, max_tries: int = 3) -> None:
        self.try_number, self.max_tries, self.map_index = number, max_tries, -1
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def run(kaltura: Any, store: Store) -> Callable[..., Any]:
    """Run one try of a task; what one try leaves in the store, the next finds."""

    def once(operator: type, *, instance: Try | None = None, **arguments: Any) -> Any:
        made = operator(task_id="task", **arguments)
        return made.execute({"ti": instance or Try(), "task_state_store": store})

    return once


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """Write a file; every write makes another content, under another inode."""

    def write(size: int = 4 * MIB, fill: bytes = b"a") -> Path:
        path = tmp_path / "clip.mp4"
        fresh = tmp_path / "fresh"
        fresh.write_bytes(fill * size)
        fresh.replace(path)
        return path

    return write


def fails(kaltura: Any, after: int) -> None:
    """Let every upload request after the first ones fail."""
    kaltura.sandbox.control.fault("html_error", service="uploadToken", action="upload", times=None, after=after)


def content_of(kaltura: Any, token_id: str) -> str:
    """Return the sha256 of what a token holds."""
    entry_id = kaltura.entry()
    resource = {"objectType": "KalturaUploadedFileTokenResource", "token": token_id}
    kaltura.hook.call("media", "addContent", entryId=entry_id, resource=resource)
    return str(kaltura.sandbox.control.entry(entry_id)["content"]["sha256"])


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def token_of(kaltura: Any, size: int = 1, *, full: bool = False) -> str:
    """Make a token, full if wanted."""
    token = kaltura.hook.call("uploadToken", "add", uploadToken={"fileName": "x.mp4"})["id"]
    if full:
        from kaltura_provider.api.multipart import FilePart

        part = FilePart("x.mp4", size, lambda: [b"x" * size])
        kaltura.hook.get_conn().send_file("uploadToken", "upload", {"uploadTokenId": token, "finalChunk": True}, part)
    return str(token)


class TestWhichToken:
    def test_a_retry_goes_on_with_the_token_of_the_same_bytes(self, kaltura, run, store, clip) -> None:
        path = clip()
        fails(kaltura, after=3)
        with pytest.raises(KalturaError):
            run(KalturaUploadOperator, source=path.as_uri(), upload=ONE_BY_ONE)
        kaltura.sandbox.control.clear_faults()
        (begun,) = store.tokens.values()
        sent = run(KalturaUploadOperator, source=path.as_uri(), upload=ONE_BY_ONE)
        assert sent["token_id"] == begun
        assert sent["crc32c"] is None  # the first try's bytes were not read again
        assert content_of(kaltura, begun) == sha256(path)

    def test_bytes_of_a_replaced_source_never_join_those_of_the_old_one(self, kaltura, run, store, clip) -> None:
        uri = clip(fill=b"a").as_uri()
        fails(kaltura, after=3)
        with pytest.raises(KalturaError):
            run(KalturaUploadOperator, source=uri, upload=ONE_BY_ONE)
        kaltura.sandbox.control.clear_faults()
        (begun,) = store.tokens.values()
        path = clip(fill=b"b")
        sent = run(KalturaUploadOperator, source=uri, upload=ONE_BY_ONE)
        assert sent["token_id"] != begun
        assert sent["crc32c"]
        assert content_of(kaltura, sent["token_id"]) == sha256(path)

    def test_a_given_token_that_was_begun_with_other_bytes_is_refused(self, kaltura, run, clip) -> None:
        token_id = token_of(kaltura)
        uri = clip(fill=b"a").as_uri()
        fails(kaltura, after=3)
        with pytest.raises(KalturaError):
            run(KalturaUploadOperator, source=uri, token_id=token_id, upload=ONE_BY_ONE)
        kaltura.sandbox.control.clear_faults()
        clip(fill=b"b")
        with pytest.raises(AirflowFailException, match=f"token_id '{token_id}' already holds other bytes"):
            run(KalturaUploadOperator, source=uri, token_id=token_id, upload=ONE_BY_ONE)

    def test_a_path_is_known_as_its_address_is(self, run, store, clip) -> None:
        path = clip()
        first = run(KalturaUploadOperator, source=str(path))
        assert run(KalturaUploadOperator, source=path.as_uri())["token_id"] == first["token_id"]

    @pytest.mark.parametrize("full", [False, True])
    def test_a_token_that_cannot_take_these_bytes_is_given_up_for_a_new_one(
        self, kaltura, run, store, clip, full: bool
    ) -> None:
        path = clip()
        run(KalturaUploadOperator, source=path.as_uri())
        (content,) = store.tokens
        spent = token_of(kaltura, 5, full=full)
        if not full:
            kaltura.hook.call("uploadToken", "delete", uploadTokenId=spent)
        store["kaltura_tokens"] = {content: spent}
        sent = run(KalturaUploadOperator, source=path.as_uri())
        assert sent["token_id"] != spent
        assert store.tokens == {content: sent["token_id"]}
        assert content_of(kaltura, sent["token_id"]) == sha256(path)

    def test_a_token_of_the_author_is_never_exchanged(self, kaltura, run, clip) -> None:
        gone = token_of(kaltura)
        kaltura.hook.call("uploadToken", "delete", uploadTokenId=gone)
        before = len(kaltura.sandbox.control.tokens())
        with pytest.raises(AirflowFailException, match=gone):
            run(KalturaUploadOperator, source=clip().as_uri(), token_id=gone)
        assert len(kaltura.sandbox.control.tokens()) == before

    def test_damaged_bytes_are_not_finished_by_the_next_try(self, kaltura, run, store, clip, monkeypatch) -> None:
        path, real = clip(), Uploader.send

        def damaged(self: Uploader, source: Any, token_id: str, **how: Any) -> UploadResult:
            raise ChecksumMismatch(token_id, "AAAAAA==", "BBBBBB==")

        monkeypatch.setattr(Uploader, "send", damaged)
        with pytest.raises(ChecksumMismatch) as damage:
            run(KalturaUploadOperator, source=path.as_uri())
        monkeypatch.setattr(Uploader, "send", real)
        sent = run(KalturaUploadOperator, source=path.as_uri())
        assert sent["token_id"] != damage.value.token_id
        assert sent["crc32c"]

    def test_a_refused_type_of_file_gets_no_second_token(self, kaltura, run, clip, monkeypatch) -> None:
        from kaltura_provider.upload.errors import GoneReason

        def refused(self: Uploader, source: Any, token_id: str, **how: Any) -> UploadResult:
            raise TokenGone(token_id, GoneReason.REFUSED)

        monkeypatch.setattr(Uploader, "send", refused)
        with pytest.raises(AirflowFailException, match="does not allow this type of file"):
            run(KalturaUploadOperator, source=clip().as_uri())
        assert len(kaltura.sandbox.control.tokens()) == 1


class Site(ThreadingHTTPServer):
    """Serves one content to whoever has the right header."""

    def __init__(self, content: bytes) -> None:
        self.etag: str | None = '"v1"'
        self.asked: list[str | None] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = self.headers.get("Authorization")
                site.asked.append(given)
                allowed = given == "Bearer op3nsesame"
                self.send_response(200 if allowed else 401)
                self.send_header("Content-Length", str(len(content) if allowed else 0))
                if site.etag:
                    self.send_header("ETag", site.etag)
                self.end_headers()
                if allowed:
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("KALTURA_ALLOWED_HOSTS", "127.0.0.1")
    connection = {"conn_type": "http", "extra": {"Authorization": "Bearer op3nsesame"}}
    monkeypatch.setenv("AIRFLOW_CONN_MEDIA_HTTP", json.dumps(connection))
    with Site(b"\x00\x00\x00\x18ftypmp42" + b"v" * MIB) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


class TestUrls:
    def test_an_http_connection_opens_the_door(self, kaltura, run, site: Site) -> None:
        with pytest.raises(AirflowFailException, match="HTTP 401"):
            run(KalturaUploadOperator, source=f"{site.url}/a.mp4")
        assert kaltura.sandbox.control.tokens() == []
        sent = run(KalturaUploadOperator, source=f"{site.url}/a.mp4", http_conn_id="media_http")
        expected = hashlib.sha256(b"\x00\x00\x00\x18ftypmp42" + b"v" * MIB).hexdigest()
        assert content_of(kaltura, sent["token_id"]) == expected
        assert set(site.asked) == {None, "Bearer op3nsesame"}

    def test_prepare_and_upload_open_it_too(self, kaltura, run, site: Site) -> None:
        uri = f"{site.url}/a.mp4{SIGNED}"
        ref = run(KalturaPrepareOperator, source=uri, http_conn_id="media_http")
        assert SECRET not in json.dumps(ref)
        assert opened_address(ref["uri"]) == uri  # what the upload opens
        assert run(KalturaUploadOperator, source=ref, http_conn_id="media_http")["state"] == "done"

    def test_a_signature_is_in_no_key_and_a_new_one_makes_no_new_token(self, run, store: Store, site: Site) -> None:
        first = run(KalturaUploadOperator, source=f"{site.url}/a.mp4{SIGNED}", http_conn_id="media_http")
        assert SECRET not in json.dumps([dict(store), first])
        again = SIGNED.replace(f"Signature={SECRET}", "Signature=another")
        second = run(KalturaUploadOperator, source=f"{site.url}/a.mp4{again}", http_conn_id="media_http")
        assert second["token_id"] == first["token_id"]

    def test_without_a_validator_no_try_goes_on_with_what_another_began(self, run, store: Store, site: Site) -> None:
        site.etag = None
        sent = [
            run(KalturaUploadOperator, source=f"{site.url}/a.mp4", http_conn_id="media_http")["token_id"]
            for _ in range(2)
        ]
        assert sent[0] != sent[1]
        assert store.tokens == {}

    def test_secrets_of_an_address_are_shown_nowhere(self, run, site: Site, caplog) -> None:
        caplog.set_level(logging.DEBUG)
        good, bad = f"{site.url}/a.mp4{SIGNED}", f"http://127.0.0.1:9/b.mp4{SIGNED}"
        instance = Try(number=4)
        refs = run(KalturaPrepareOperator, source=[good, bad], http_conn_id="media_http", instance=instance)
        assert [ref["state"] for ref in refs] == ["send", "failed"]
        run(KalturaUploadOperator, source=refs, http_conn_id="media_http", instance=Try(number=4))
        assert SECRET not in json.dumps(refs)
        assert [opened_address(ref["uri"]) for ref in refs] == [good, bad]
        errors = [ref["error"] for ref in refs if "error" in ref]
        reasons = [failure["reason"] for failure in instance.pushed[FAILURES_KEY]]
        assert "127.0.0.1:9/b.mp4" in reasons[0]
        with pytest.raises(AirflowException) as retried:
            run(KalturaPrepareOperator, source=bad)
        assert SECRET not in json.dumps([errors, reasons, str(retried.value), refs[1]["name"]])
        assert "a.mp4" in caplog.text
        # What the sandbox and urllib3 log at debug level is not this package's.
        own = [record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")]
        assert SECRET not in "\n".join(own)


class TestSettings:
    @pytest.mark.parametrize(
        ("operator", "argument"), [(KalturaUploadOperator, "source"), (KalturaPrepareOperator, "source")]
    )
    def test_a_source_above_the_limit_makes_nothing(self, kaltura, run, clip, operator, argument: str) -> None:
        arguments = {argument: clip(size=1000).as_uri(), "upload": {"max_size": 999}}
        with pytest.raises(AirflowFailException, match=r"it has 1000 bytes, but the limit .*max_size.* is 999"):
            run(operator, **arguments)
        assert kaltura.sandbox.control.tokens() == []
        assert kaltura.sandbox.control.entries() == []
        arguments["upload"] = {"max_size": 1000}
        assert run(operator, **arguments)["token_id"]

    def test_the_upload_of_an_asset_keeps_to_the_limit_too(self, run, clip) -> None:
        ref = run(KalturaPrepareOperator, source=clip(size=1000).as_uri())
        with pytest.raises(AirflowFailException, match="max_size"):
            run(KalturaUploadOperator, source=ref, upload={"max_size": 999})

    def test_what_no_server_takes_is_refused_before_a_token_is_made(self, kaltura, monkeypatch) -> None:
        class Huge:
            name, uri, size = "huge.mp4", "s3://bucket/huge.mp4", 1 << 45

            def close(self) -> None:
                pass

        monkeypatch.setattr("kaltura_provider.hooks.sources.open_source", lambda *_, **__: Huge())
        with pytest.raises(SourceTooLarge, match="9,000 chunks"):
            send_file(kaltura.hook, "s3://bucket/huge.mp4", aws_conn_id="aws_default", http_conn_id=None)
        assert kaltura.sandbox.control.tokens() == []

    @pytest.mark.parametrize("operator", [KalturaUploadOperator, KalturaPrepareOperator])
    @pytest.mark.parametrize(
        ("upload", "words"),
        [
            ({"max_sise": 5}, ["upload", "'max_sise' is not a setting", "max_size", "bandwidth", "parallelism"]),
            ({"retry": 3}, ["upload", "'retry' is not a setting", "max_size"]),
            ({"single_shot": 0, "window": 9}, ["upload", "'single_shot, window' is not a setting", "chunk_size"]),
            ({"max_size": "much"}, ["upload: max_size 'much'", "a number"]),
            ({"max_size": [1]}, ["upload: max_size", "a number"]),
            ({"parallelism": 9}, ["parallelism 9 is out of bounds", "1 to 8"]),
            ("fast", ["upload 'fast' is not a mapping"]),
        ],
    )
    def test_a_wrong_setting_is_named(self, kaltura, clip, operator, upload, words: list[str]) -> None:
        uri = clip(size=10).as_uri()
        text = kaltura.refused(operator, upload=upload, source=uri)
        for word in words:
            assert word in text

    def test_text_of_templates_is_read(self) -> None:
        said = {"max_size": "1_000", "bandwidth": "2.5e6", "reread": "True", "chunk_size": "None", "parallelism": ""}
        read = upload_settings(said)
        assert (read.max_size, read.bandwidth, read.reread) == (1000, 2_500_000, True)
        assert read.chunk_size is read.parallelism is None
        assert upload_settings(None) == upload_settings({})

    def test_the_bandwidth_is_kept(self, run, clip) -> None:
        uri, began = clip(size=2 * MIB).as_uri(), time.monotonic()
        run(KalturaUploadOperator, source=uri, upload={"bandwidth": 2 * MIB})
        assert time.monotonic() - began > 0.8

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"source": None}, "source 'None' is not a source"),
            ({"source": {}}, "source '{}' is not a source"),
            ({"source": [{"state": "send"}, "s3://a/b"]}, "mixes item references and addresses"),
            ({"source": ["s3://a/b"], "token_id": TOKEN}, "goes with a single address only"),
            ({"source": {"state": "send", "uri": "s3://a/b"}, "token_id": TOKEN}, "goes with a single address only"),
            ({"source": "s3://a/b", "token_id": "x"}, "token_id 'x'"),
        ],
    )
    def test_an_impossible_source_is_named(self, kaltura, arguments: dict[str, Any], words: str) -> None:
        assert words in kaltura.refused(KalturaUploadOperator, **arguments)

    def test_a_list_of_addresses_makes_a_token_each(self, kaltura, run, tmp_path: Path) -> None:
        for name, size in (("a.mp4", 1000), ("b.mp4", 2000)):
            (tmp_path / name).write_bytes(b"a" * size)
        first, second = (tmp_path / "a.mp4").as_uri(), (tmp_path / "b.mp4").as_uri()
        sent = run(KalturaUploadOperator, source=[first, {"uri": second}])
        assert [(item["uri"], item["size"]) for item in sent] == [(first, 1000), (second, 2000)]
        tokens = [kaltura.hook.call("uploadToken", "get", uploadTokenId=item["token_id"]) for item in sent]
        sizes = {token["fileName"]: int(token["uploadedFileSize"]) for token in tokens}
        assert sizes == {"a.mp4": 1000, "b.mp4": 2000}

    def test_the_token_of_another_operator_is_filled(self, kaltura, run, clip) -> None:
        token = kaltura.run(KalturaAddUploadTokenOperator, file_name="a.mp4")
        assert (
            run(KalturaUploadOperator, source=clip(size=10).as_uri(), token_id=token)["token_id"] == token["token_id"]
        )


class TestOnKill:
    def test_it_breaks_the_transfer_off_and_the_next_try_goes_on(self, kaltura, run, store: Store, clip) -> None:
        path = clip(size=6 * MIB)
        slow = {**ONE_BY_ONE, "bandwidth": MIB}
        operator = KalturaUploadOperator(task_id="task", source=path.as_uri(), upload=slow)
        raised: list[BaseException] = []

        def work() -> None:
            try:
                operator.execute({"ti": Try(), "task_state_store": store})
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        tokens = kaltura.sandbox.control.tokens
        until(lambda: any((token.get("uploadedFileSize") or 0) > 0 for token in tokens()), "the first bytes")
        killed = time.monotonic()
        operator.on_kill()
        thread.join(20)
        assert not thread.is_alive()
        assert time.monotonic() - killed < 4
        assert isinstance(raised[0], UploadCancelled)
        assert raised[0].token_id in store.tokens.values()
        sent = run(KalturaUploadOperator, source=path.as_uri(), upload=ONE_BY_ONE)
        assert sent["token_id"] == raised[0].token_id
        assert content_of(kaltura, sent["token_id"]) == sha256(path)

    def test_before_anything_is_sent_it_keeps_the_task_from_sending(self, kaltura, clip) -> None:
        operator = KalturaUploadOperator(task_id="task", source=clip(size=10).as_uri())
        operator.on_kill()
        with pytest.raises(UploadCancelled):
            operator.execute({"ti": Try()})


def progress(sent: int) -> Progress:
    return Progress("0_t", "a.mp4", 1000, sent, sent, 1.0, 100.0, 4, MIB)


class TestProgress:
    def test_it_is_written_at_most_every_five_seconds_and_at_the_end(self, store: Store, monkeypatch) -> None:
        now = 100.0
        monkeypatch.setattr("kaltura_provider.hooks.task_state.time.monotonic", lambda: now)
        shown = ShownProgress({"task_state_store": store})  # type: ignore[typeddict-item]
        shown.write()
        for second in range(12):
            now = 100.0 + second
            shown.take(progress(second * 10))
        shown.write()
        assert [one["bytes"] for _, value in store.written for one in value] == [0, 50, 100, 110]
        assert store[PROGRESS_KEY] == [
            {"name": "a.mp4", "bytes": 110, "size": 1000, "percent": 11.0, "rate": 100, "seconds_left": 9}
        ]

    def test_uploads_side_by_side_are_all_shown_until_they_end(self, store: Store) -> None:
        shown = ShownProgress({"task_state_store": store})  # type: ignore[typeddict-item]
        other = replace(progress(10), token_id="0_u", name="b.mp4")
        seen = []
        for reported in ([progress(100), other], [progress(1000), other], [other]):
            for one in reported:
                shown.take(one)
            shown.write()
            seen.append([(one["name"], one["bytes"]) for one in store[PROGRESS_KEY]])
        assert seen == [[("a.mp4", 100), ("b.mp4", 10)], [("a.mp4", 1000), ("b.mp4", 10)], [("b.mp4", 10)]]

    def test_an_upload_shows_it(self, run, store: Store, clip) -> None:
        run(KalturaUploadOperator, source=clip().as_uri(), durable=False)
        assert [(one["percent"], one["size"]) for one in store[PROGRESS_KEY]] == [(100.0, 4 * MIB)]
        assert set(store) == {PROGRESS_KEY}

    def test_a_store_that_fails_stops_no_upload(self, run, store: Store, clip, monkeypatch) -> None:
        def broken(key: str, value: Any) -> None:
            raise RuntimeError("no store")

        monkeypatch.setattr(store, "set", broken)
        assert run(KalturaUploadOperator, source=clip().as_uri(), durable=False)["size"] == 4 * MIB


def test_a_given_token_that_does_not_exist_fails_at_once(kaltura, run, clip) -> None:
    unknown = "0_" + "0" * 32
    with pytest.raises(AirflowFailException, match=f"token_id '{unknown}' cannot be filled: it does not exist"):
        run(KalturaUploadOperator, source=clip(size=10).as_uri(), token_id=unknown)
