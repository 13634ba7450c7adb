from __future__ import annotations

import json

import pytest
from airflow.sdk import Connection

from kaltura_provider.api.credentials import AuthMethod
from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.hooks.connection import read_connection
from kaltura_provider.provider_info import PROVIDER_INFO


def connection(**fields: object) -> Connection:
    extra = fields.pop("extra", {})
    values = {"conn_id": "k", "conn_type": "kaltura", "login": "102", "password": "geheim", **fields}
    return Connection(**values, extra=json.dumps(extra))  # type: ignore[arg-type]


def test_a_partner_id_and_a_secret_are_enough() -> None:
    account = read_connection(connection())
    assert account.service_url == "https://www.kaltura.com/api_v3"
    assert account.partner_id == 102
    assert account.credentials.auth is AuthMethod.SECRET
    assert account.credentials.session_type is SessionType.ADMIN
    assert account.credentials.lifetime == 86400
    assert account.cdn_host == "https://cdnapisec.kaltura.com"
    assert account.entry_url("0_x") == "https://kmc.kaltura.com/index.php/kmcng/content/entries/entry/0_x/metadata"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"host": "https://k.example.com/api_v3/"}, "https://k.example.com/api_v3"),
        ({"host": "k.example.com"}, "https://k.example.com/api_v3"),
        ({"host": "127.0.0.1", "schema": "http", "port": 8765}, "http://127.0.0.1:8765/api_v3"),
        ({"host": "http://127.0.0.1:8765"}, "http://127.0.0.1:8765/api_v3"),
    ],
)
def test_the_host_may_be_written_in_every_usual_way(fields: dict[str, object], expected: str) -> None:
    assert read_connection(connection(**fields)).service_url == expected


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"login": ""}, ["login (partner id)", "give the account's number"]),
        ({"login": "me@example.com"}, ["partner id", "'me@example.com'"]),
        ({"password": ""}, ["secret", "is empty", "admin secret"]),
        ({"host": "ftp://example.com"}, ["service URL", "'ftp://example.com'", "neither http nor https"]),
        ({"extra": {"auth": "magic"}}, ["auth", "'magic'", "session_start"]),
        ({"extra": {"auth": "app_token"}}, ["app token id", "is empty"]),
        ({"extra": {"session_type": "ROOT"}}, ["session_type", "'ROOT'", "ADMIN or USER"]),
        ({"extra": {"session_lifetime": "1d"}}, ["session_lifetime", "'1d'", "60 or more"]),
        ({"extra": {"usr_id": "x"}}, ["extra", "'usr_id'", "user_id"]),
        ({"extra": {"cdn_host": "has blank"}}, ["cdn_host", "blank"]),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_the_fix(fields: dict[str, object], words: list[str]) -> None:
    with pytest.raises(KalturaConfigurationError) as caught:
        read_connection(connection(**fields))
    for word in words:
        assert word in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_the_form_offers_every_field_that_is_read() -> None:
    (form,) = PROVIDER_INFO["connection-types"]
    fields = form["conn-fields"]
    extra = {name: field["schema"].get("default") for name, field in fields.items()}
    account = read_connection(connection(extra={name: value for name, value in extra.items() if value is not None}))
    assert account == read_connection(connection())
