"""Sources opened with Airflow's connections: which headers go with them, who pays, and what errors may show."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.hooks.listing import list_s3
from kaltura_provider.hooks.sources import import_address, open_source, s3_client, shared_s3_client, shown_address
from kaltura_provider.upload.sources.errors import SourceForbidden, SourceRefused

CONTENT = b"\x00\x00\x00\x18ftypmp42" + bytes(500)
LISTING = (
    b"<ListBucketResult><IsTruncated>false</IsTruncated>"
    b"<Contents><Key>a.mp4</Key><Size>1</Size></Contents></ListBucketResult>"
)


class Site(ThreadingHTTPServer):
    """Serves one content under every path to whoever sends the headers in ``needs``, and remembers all headers."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self.needs: dict[str, str] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.seen.append({name.lower(): value for name, value in self.headers.items()})
                allowed = all(self.headers.get(name) == value for name, value in site.needs.items())
                body = CONTENT if ".mp4" in self.path else LISTING
                self.send_response(200 if allowed else 403)
                self.send_header("Content-Length", str(len(body) if allowed else 0))
                self.send_header("ETag", '"v1"')
                self.end_headers()
                if allowed and self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - the name is the library's

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("KALTURA_ALLOWED_HOSTS", "127.0.0.1")
    with Site() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def http_connection(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(**fields: Any) -> str:
        monkeypatch.setenv("AIRFLOW_CONN_MEDIA_HTTP", json.dumps({"conn_type": "http", **fields}))
        return "media_http"

    return make


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"extra": {"Authorization": "Bearer t0ken"}}, {"authorization": "Bearer t0ken"}),
        ({"extra": {"headers": {"X-Key": "k3y"}}}, {"x-key": "k3y"}),
        ({"extra": {"X-Key": "top", "headers": {"X-Key": "below"}}}, {"x-key": "below"}),
        ({"login": "me", "password": "pw"}, {"authorization": "Basic bWU6cHc="}),
        ({"login": "me", "extra": {"authorization": "Bearer t0ken"}}, {"authorization": "Bearer t0ken"}),
        ({"extra": {"X-Number": 7}}, {"x-number": "7"}),
    ],
)
def test_headers_of_an_http_connection_go_with_the_request(site, http_connection, fields, expected) -> None:
    open_source(f"{site.url}/a.mp4", http_conn_id=http_connection(**fields)).close()
    assert {name: site.seen[-1].get(name) for name in expected} == expected


def test_options_of_requests_are_no_headers(site, http_connection) -> None:
    options = {
        "stream": True,
        "cert": "/a.pem",
        "proxies": {"https": "p"},
        "timeout": 5,
        "verify": False,
        "verify_ssl": False,
        "allow_redirects": True,
        "max_redirects": 3,
        "trust_env": False,
        "check_response": False,
        "srv_lookup": False,
        "other": {"not": "a header"},
        "nothing": None,
    }
    open_source(f"{site.url}/a.mp4", http_conn_id=http_connection(extra={"X-Key": "k3y", **options})).close()
    assert site.seen[-1]["x-key"] == "k3y"
    assert not set(options) & set(site.seen[-1])


def test_headers_that_are_no_mapping_are_named(http_connection) -> None:
    conn_id = http_connection(extra={"headers": "Authorization: Bearer t0ken"})
    with pytest.raises(KalturaConfigurationError, match="headers in the extra of connection media_http") as caught:
        open_source("https://example.com/a.mp4", http_conn_id=conn_id)
    assert "t0ken" not in str(caught.value)


def test_only_telling_headers_are_masked(site, http_connection, monkeypatch: pytest.MonkeyPatch) -> None:
    masked: list[Any] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", masked.append)
    extra = {"Accept": "video/mp4", "Authorization": "Bearer t0ken"}
    open_source(f"{site.url}/a.mp4", http_conn_id=http_connection(extra=extra)).close()
    assert masked[-1] == ["Bearer t0ken"]  # what Airflow masks by itself comes before


@pytest.mark.parametrize("uri", ["https://me:geheim@media.example/a.mp4", "http://me@media.example/a.mp4?sig=geheim"])
def test_a_user_in_a_url_is_refused_with_the_way_to_say_it(uri: str) -> None:
    with pytest.raises(SourceRefused, match="http_conn_id") as caught:
        open_source(uri)
    assert "geheim" not in str(caught.value)
    assert "media.example/a.mp4" in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://user:geheim@h.example/x.mp4?sig=geheim",
        "http://[::1/x.mp4?token=geheim",
        "x.mp4?token=geheim",
        "s3://?X-Amz-Signature=geheim",
    ],
)
def test_an_address_that_cannot_be_read_is_shown_without_its_secrets(uri: str) -> None:
    with pytest.raises(SourceRefused, match="s3://bucket/key") as caught:
        open_source(uri)
    assert "geheim" not in str(caught.value)
    with pytest.raises(SourceRefused) as caught:
        import_address(uri)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://u:p@h.example/a.mp4?token=x&y=z#f", "https://h.example/a.mp4?token=...&y=..."),
        ("s3://bucket/what?.mp4", "s3://bucket/what?.mp4"),
        ("file:///a/me@home.mp4", "file:///a/me@home.mp4"),
        ("/a/what?.mp4", "/a/what?.mp4"),
        ("http://[broken/a.mp4?token=x", "http://[broken/a.mp4"),
    ],
)
def test_printable(uri: str, shown: str) -> None:
    assert shown_address(uri) == shown


def aws(monkeypatch: pytest.MonkeyPatch, site: Site, **extra: Any) -> None:
    said = {"endpoint_url": site.url, "region_name": "eu-central-1", **extra}
    connection = {"conn_type": "aws", "login": "AKIA", "password": "secret", "extra": said}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))


def test_the_aws_connection_says_that_the_requester_pays(site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.needs = {"x-amz-request-payer": "requester"}
    aws(monkeypatch, site)
    with pytest.raises(SourceForbidden, match="requester"):
        open_source("s3://bucket/a.mp4")
    aws(monkeypatch, site, service_config={"s3": {"request_payer": "requester"}})
    assert open_source("s3://bucket/a.mp4").size == len(CONTENT)
    assert [(item.key, item.size) for item in list_s3("bucket", "")] == [("a.mp4", 1)]
    site.needs = {}
    s3_client("aws_default").list_buckets()  # a call that knows no payer is left as it is


def test_the_user_agent_names_this_package(site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow would read the source files of the whole stack to find a name."""
    aws(monkeypatch, site)
    s3_client("aws_default").list_buckets()
    assert " Caller/kaltura_provider " in site.seen[-1]["user-agent"]


def test_kaltura_is_told_to_send_the_consent_that_a_presigned_url_covers(site, monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch, site, service_config={"s3": {"request_payer": "requester"}})
    url, headers = import_address("s3://bucket/a.mp4")
    assert "x-amz-request-payer" in url
    assert headers == ("x-amz-request-payer: requester",)
    aws(monkeypatch, site)
    assert import_address("s3://bucket/a.mp4")[1] == ()


def test_local_files_need_a_folder_that_is_allowed(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(CONTENT)
    monkeypatch.delenv("KALTURA_ALLOWED_PATHS", raising=False)
    for address in (str(path), path.as_uri()):
        with pytest.raises(SourceRefused, match="KALTURA_ALLOWED_PATHS"):
            open_source(address)
    for named in (str(tmp_path), f"/nowhere:{tmp_path}", f"/nowhere, {tmp_path}"):
        monkeypatch.setenv("KALTURA_ALLOWED_PATHS", named)
        for address in (str(path), path.as_uri()):
            source = open_source(address)
            assert (source.size, source.name) == (len(CONTENT), "a.mp4")
            source.close()


@pytest.mark.parametrize("root", ["file:///etc/x", "/etc/x", "file://host/x", "receipts", "/tmp/../etc"])
def test_receipts_go_nowhere_else_either(root: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kaltura_provider.hooks.destination import destination

    monkeypatch.setenv("KALTURA_ALLOWED_PATHS", str(tmp_path))
    with pytest.raises(KalturaConfigurationError, match=f"receipts '{root}' cannot be used"):
        destination(root, argument="receipts")
    sink = destination(str(tmp_path / "receipts"), argument="receipts")
    assert sink.write("a/b.json", b"{}") == str(tmp_path / "receipts/a/b.json")


def test_white_space_around_a_header_is_left_out(site, http_connection) -> None:
    extra = {"Authorization": "Bearer t0ken\n", "X-Latin": " café\r\n"}
    open_source(f"{site.url}/a.mp4", http_conn_id=http_connection(extra=extra)).close()
    assert site.seen[-1]["authorization"] == "Bearer t0ken"
    assert site.seen[-1]["x-latin"] == "café"


@pytest.mark.parametrize("value", ["s3cret\nX-Evil: 1", "s3cret-Ω", "s3cret\x00", "s3cret \x1b[0m"])
def test_a_header_that_cannot_be_sent_is_named_and_its_value_hidden(http_connection, value: str) -> None:
    conn_id = http_connection(extra={"X-Key": value})
    with pytest.raises(KalturaConfigurationError, match="value of header X-Key in connection") as caught:
        open_source("https://example.com/a.mp4", http_conn_id=conn_id)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(KalturaConfigurationError, match="is not a valid header name"):
        open_source("https://example.com/a.mp4", http_conn_id=http_connection(extra={"X Key:": "a"}))


def test_an_extra_that_is_no_mapping_is_named(http_connection) -> None:
    with pytest.raises(KalturaConfigurationError, match="is not a JSON object"):
        open_source("https://example.com/a.mp4", http_conn_id=http_connection(extra=["Authorization"]))


def test_a_process_makes_one_s3_client_for_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(secret: str) -> None:
        said = {"conn_type": "aws", "login": "key", "password": secret, "extra": {"region_name": "eu-west-1"}}
        monkeypatch.setenv("AIRFLOW_CONN_SHARED", json.dumps(said))

    connect("one")
    first = shared_s3_client("shared")
    assert shared_s3_client("shared") is first
    connect("two")
    second = shared_s3_client("shared")
    assert second is not first
    assert second._request_signer._credentials.secret_key == "two"
    # A client with handlers of its own is nobody else's.
    assert s3_client("shared") is not second
