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
        ({"login": ""}, ["login (partner id)", "give the partner id"]),
        ({"login": "me@example.com"}, ["partner id", "is not a number (14 characters, not shown"]),
        ({"password": ""}, ["secret", "is empty", "admin secret"]),
        ({"host": "ftp://example.com"}, ["service URL", "'ftp://example.com'", "neither http nor https"]),
        ({"extra": {"auth": "magic"}}, ["auth", "is unknown", "session_start"]),
        ({"extra": {"auth": "app_token"}}, ["app token id", "is empty"]),
        ({"extra": {"session_type": "ROOT"}}, ["session_type", "is unknown", "ADMIN or USER"]),
        ({"extra": {"session_lifetime": "1d"}}, ["session_lifetime", "is not a valid lifetime", "60 or more"]),
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


@pytest.mark.parametrize("extra", [["a"], [1], "text", 5, None, True])
def test_an_extra_that_is_no_mapping_is_named(extra: object) -> None:
    if extra is None:
        assert read_connection(connection(extra=None, host="http://127.0.0.1")).partner_id == 102
        return
    with pytest.raises(KalturaConfigurationError, match="extra of connection k is not a JSON object"):
        read_connection(connection(extra=extra))


def test_an_extra_that_is_no_json_is_named_and_not_shown() -> None:
    broken = Connection(conn_id="k", conn_type="kaltura", login="102", password="geheim", extra="{'token': 's3cret'")
    with pytest.raises(KalturaConfigurationError, match="extra of connection k is not a JSON object") as caught:
        read_connection(broken)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        (
            '{"conn_type": "kaltura", "login": 102, "password": "geheim99"}',
            "ODD: login is not text: write it in quotes",
        ),
        ('{"conn_type": "kaltura", "login": "102", "password": 12345678}', "ODD: password is not text"),
        ('{"conn_type": "kaltura", "login": "102", "port": "x", "password": "geheim99"}', "cannot be read by Airflow"),
        ('{"conn_type": "kaltura", "login": "102" "password": "geheim99"}', "AIRFLOW_CONN_ODD is not valid JSON"),
        (None, "'odd' is not the id of a connection"),
    ],
)
def test_a_variable_that_airflow_passes_over_is_named(
    variable: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kaltura_provider.hooks.kaltura import KalturaHook

    if variable is not None:
        monkeypatch.setenv("AIRFLOW_CONN_ODD", variable)
    with pytest.raises(KalturaConfigurationError, match=words) as caught:
        _ = KalturaHook("odd").account
    assert "geheim99" not in str(caught.value)
    assert "12345678" not in str(caught.value)


def test_the_hash_type_of_an_app_token_is_read() -> None:
    extra = {"auth": "app_token", "app_token_id": "1_t", "app_token_hash_type": "sha256"}
    assert read_connection(connection(extra=extra)).credentials.app_token_hash_type == "SHA256"


SECRET = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "fields",
    [
        {"login": SECRET, "password": "102"},
        {"login": f" {SECRET} "},
        {"host": SECRET},
        {"extra": {"auth": SECRET}},
        {"extra": {"session_type": SECRET}},
        {"extra": {"session_lifetime": SECRET}},
    ],
)
def test_a_secret_in_the_wrong_field_is_not_printed(fields: dict[str, object]) -> None:
    with pytest.raises(KalturaConfigurationError) as caught:
        read_connection(connection(**fields))
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert SECRET not in str(caught.value.value)
