"""Connections by their ids: there, of the right type, and in forms only those that the deployment allows."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.hooks.border import retry_helps
from kaltura_provider.hooks.kaltura import KalturaHook
from kaltura_provider.hooks.named_connections import check_typed, named_connection
from kaltura_provider.hooks.sources import import_address, open_source, s3_client
from kaltura_provider.upload.sources.errors import SourceRefused


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, dict[str, Any]] = {
        "aws": {"conn_type": "aws", "login": "AKIA", "password": "geheim"},
        "bucket": {"conn_type": "aws"},
        "db": {"conn_type": "postgres", "host": "db", "login": "me", "password": "geheim"},
        "site": {"conn_type": "http", "host": "media.example", "schema": "https", "password": "geheim", "login": "me"},
        "anywhere": {"conn_type": "http", "extra": {"Authorization": "Bearer geheim"}},
        "kaltura": {"conn_type": "kaltura", "login": "102", "password": "geheim"},
    }
    for name, fields in said.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))
    monkeypatch.delenv("KALTURA_ALLOWED_CONNECTIONS", raising=False)


@pytest.mark.parametrize(
    ("conn_id", "field"), [("kaltura", "kaltura_conn_id"), ("aws", "aws_conn_id"), ("site", "http_conn_id")]
)
def test_a_connection_of_the_right_type_is_taken(conn_id: str, field: str) -> None:
    assert named_connection(conn_id, field).conn_id == conn_id
    check_typed(conn_id, field)


@pytest.mark.parametrize("field", ["kaltura_conn_id", "aws_conn_id", "http_conn_id"])
def test_a_connection_of_another_type_is_refused_by_its_type(field: str) -> None:
    for check in (named_connection, check_typed):
        with pytest.raises(
            KalturaConfigurationError, match=f"{field} 'db' is a connection of type 'postgres'"
        ) as error:
            check("db", field)
        assert "geheim" not in str(error.value)


@pytest.mark.parametrize("conn_id", ["", "None", "not_there", "../../secret/aws", "a b"])
def test_an_id_that_names_nothing_is_an_error(conn_id: str) -> None:
    for check in (named_connection, check_typed):
        with pytest.raises(KalturaConfigurationError, match="is not the id of a connection"):
            check(conn_id, "aws_conn_id")


@pytest.mark.parametrize(("conn_id", "helps"), [("not_there", True), ("", False)])
def test_a_retry_helps_if_airflow_could_only_not_look_a_connection_up(conn_id: str, helps: bool) -> None:
    """Airflow raises the same error while its API server or database is down."""
    with pytest.raises(KalturaConfigurationError) as caught:
        named_connection(conn_id, "kaltura_conn_id")
    assert retry_helps(caught.value) is helps


def test_an_unknown_aws_connection_never_means_the_workers_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "WORKER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    for call in (s3_client, lambda name: open_source("s3://b/k", aws_conn_id=name)):
        with pytest.raises(KalturaConfigurationError, match="aws_conn_id 'typo' is not the id of a connection"):
            call("typo")
    with pytest.raises(KalturaConfigurationError, match="is not the id of a connection"):
        import_address("s3://b/k", aws_conn_id="typo")
    for own in (None, "bucket"):
        assert s3_client(own)._request_signer._credentials.access_key == "WORKER"


def test_the_kaltura_hook_takes_no_other_type() -> None:
    with pytest.raises(KalturaConfigurationError, match="type 'aws'"):
        KalturaHook("aws").get_conn()
    with pytest.raises(KalturaConfigurationError, match="type 'aws'"):
        asyncio.run(KalturaHook("aws").aget_conn())


@pytest.mark.parametrize(
    ("host", "fields", "uri", "sent"),
    [
        ("media.example", {}, "https://media.example/a.mp4", True),
        ("media.example", {}, "http://MEDIA.example:8080/a.mp4", True),
        ("media.example", {"schema": "https"}, "http://media.example/a.mp4", False),
        ("https://media.example", {}, "https://media.example:443/a.mp4", True),
        ("https://media.example/base", {"port": 8443}, "https://media.example:8443/a.mp4", True),
        ("media.example", {"port": 8443}, "https://media.example/a.mp4", False),
        ("media.example", {}, "https://evil.example/a.mp4", False),
        ("media.example", {}, "https://media.example.evil.example/a.mp4", False),
        ("media.example", {}, "https://media.example%2eevil.example/a.mp4", False),
        ("media.example", {"schema": "https"}, "https://media.example:8443/a.mp4", False),
        ("media.example:8443", {}, "https://media.example/a.mp4", False),
        ("[2001:db8::1]:8443", {}, "https://[2001:DB8::1]:8443/a.mp4", True),
    ],
)
def test_credentials_of_an_http_connection_go_to_its_own_host_only(
    monkeypatch: pytest.MonkeyPatch, host: str, fields: dict[str, Any], uri: str, sent: bool
) -> None:
    from kaltura_provider.hooks.http_headers import connection_headers

    said = {"conn_type": "http", "host": host, "login": "me", "password": "geheim", **fields}
    monkeypatch.setenv("AIRFLOW_CONN_SITE", json.dumps(said))
    if sent:
        assert "Authorization" in connection_headers("site", uri)
        return
    for call in (lambda: open_source(uri, http_conn_id="site"), lambda: import_address(uri, http_conn_id="site")):
        with pytest.raises(SourceRefused, match="its credentials are only sent there") as caught:
            call()
        assert "geheim" not in str(caught.value)


def test_a_form_may_name_a_connection_without_host_only_where_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KalturaConfigurationError, match="http_conn_id 'anywhere' has no host"):
        check_typed("anywhere", "http_conn_id")
    monkeypatch.setenv("KALTURA_ALLOWED_CONNECTIONS", "anywhere, aws")
    check_typed("anywhere", "http_conn_id")
    check_typed("aws", "aws_conn_id")
    with pytest.raises(
        KalturaConfigurationError, match=r"'bucket' is not one of the connections .* use one of anywhere"
    ):
        check_typed("bucket", "aws_conn_id")
    with pytest.raises(KalturaConfigurationError, match="type 'aws'"):
        check_typed("aws", "http_conn_id")
