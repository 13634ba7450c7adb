"""Addresses at rest: readable but for their secrets, opened by this deployment alone, and the same asset throughout."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import BaseOperator, crypto
from airflow.sdk.bases.operator import BaseOperator as AnyOperator
from cryptography.fernet import Fernet, MultiFernet
from hypothesis import given
from hypothesis import strategies as st

import kaltura_provider
from kaltura_provider.api.signing import SEAL, sealed_part
from kaltura_provider.hooks.masking import MaskedArguments
from kaltura_provider.hooks.sealing import opened_address, seal_address
from kaltura_provider.hooks.source_items import requested_item, requested_items
from kaltura_provider.hooks.sources import open_source, shown_address
from kaltura_provider.ingest.identity import item_id
from kaltura_provider.ingest.item import SourceItem
from kaltura_provider.upload.sources.errors import SourceRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = [
    "https://b.s3.amazonaws.com/a%20b.mp4?versionId=3&X-Amz-Credential=Q7zSecret&X-Amz-Signature=Q7zSecrets",
    "https://h/a.mp4?token=Q7zSecret",
    "https://h/a.mp4?v=1&hdnea=exp=1~acl=/*~hmac=Q7zSecret",
    "https://user:Q7zSecret@h:8443/a.mp4",
    "https://Q7zSecret@h/a.mp4?v=1",
    "https://h/a.mp4#access_token=Q7zSecret",
    "https://cdn/p/1/ks/Q7zSecret/a.mp4",
    "ftp://user:Q7zSecret@h/a.mp4",
    "https://user:Q7zSecret@[::1/a.mp4",
    "https://h/Ärger 😀.mp4?sig=Q7zSecret&sv=1",
]
PLAIN = [
    "s3://bucket/key?token=a", "s3://bucket/user:pw@x", "file:///a/me@home.mp4?token=a", "/a/b.mp4", "https://h/a.mp4",
    "https://h/a.mp4?v=2&expires=5", "no address at all", "",
]  # fmt: skip


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give Airflow these Fernet keys, newest first."""

    def use(*keys: bytes) -> None:
        found = crypto._RealFernet(MultiFernet([Fernet(key) for key in keys])) if keys else crypto._NullFernet()
        monkeypatch.setattr(crypto, "get_fernet", lambda: found)

    use(Fernet.generate_key())
    return use


@pytest.mark.parametrize("uri", SECRET)
def test_a_secret_is_sealed_and_opened_again(uri: str) -> None:
    sealed = seal_address(uri)
    assert "Q7zSecret" not in sealed
    assert sealed.startswith(uri.partition("://")[0])
    assert seal_address(sealed) == sealed
    assert opened_address(sealed) == uri
    assert SEAL not in shown_address(sealed)
    assert "Q7zSecret" not in shown_address(sealed)


@pytest.mark.parametrize("uri", PLAIN)
def test_what_holds_no_secret_stays_as_it_is(uri: str) -> None:
    assert seal_address(uri) == uri
    assert opened_address(uri) == uri


def test_what_is_public_stays_readable() -> None:
    sealed = seal_address("https://me:pw@h:8443/a%20b.mp4?v=2&token=x&lang=de#part")
    assert sealed.startswith(f"https://h:8443/a%20b.mp4?v=2&lang=de&{SEAL}=")
    assert shown_address(sealed) == "https://h:8443/a%20b.mp4?v=...&lang=..."


class Opened:
    """A source as far as its identity asks."""

    size, validator, name = 7, "v", "a.mp4"


@pytest.mark.parametrize("uri", [uri for uri in SECRET if uri.startswith("http") and "[" not in uri])
def test_sealed_or_not_it_is_the_same_asset(uri: str) -> None:
    (item,) = requested_items([uri])
    asset = requested_item(item, Opened())  # type: ignore[arg-type]
    plain = SourceItem(uri=uri, size=7, validator="v", name="a.mp4")
    assert (asset.item_id, asset.content_id) == (item_id(uri), plain.content_id)
    assert "Q7zSecret" not in f"{asset} {asset.uri}"


@given(st.text(max_size=50), st.text(max_size=50))
def test_any_address_can_be_sealed(path: str, query: str) -> None:
    uri = f"https://h/{path}?{query}&token=Q7zsecretvalue"
    try:
        sealed = seal_address(uri)
    except UnicodeError:  # urlsplit refuses what NFKC turns into other parts of a URL
        return
    assert "Q7zsecretvalue" not in sealed
    assert opened_address(sealed) == uri


def test_a_new_key_still_opens_what_the_old_one_sealed(key: Any) -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    key(old)
    sealed = seal_address(SECRET[0])
    key(new, old)
    assert opened_address(sealed) == SECRET[0]
    key(new)
    with pytest.raises(SourceRefused, match="made with a Fernet key that this deployment no longer has"):
        open_source(sealed)


def test_without_a_key_a_secret_is_refused_with_what_to_do(key: Any) -> None:
    key()
    with pytest.raises(SourceRefused, match="set fernet_key in section") as refused:
        seal_address(SECRET[0])
    assert "Q7zSecret" not in str(refused.value)
    assert seal_address(PLAIN[4]) == PLAIN[4]


def test_the_readable_part_cannot_be_exchanged() -> None:
    sealed = seal_address("https://h/a.mp4?token=Q7zSecret")
    for other in (sealed.replace("//h/", "//evil/"), sealed.replace("a.mp4", "b.mp4"), sealed[:-9] + "aaaaaaaaa"):
        with pytest.raises(SourceRefused, match="its encrypted part was changed"):
            opened_address(other)


def test_a_key_of_s3_that_looks_sealed_is_a_key() -> None:
    assert sealed_part(f"s3://bucket/a?{SEAL}=x") is None


def operators() -> list[type]:
    found = []
    for module in pkgutil.walk_packages(kaltura_provider.__path__, "kaltura_provider."):
        for value in vars(import_module(module.name)).values():
            own = isinstance(value, type) and value.__module__ == module.name
            if own and issubclass(value, (BaseOperator, AnyOperator)):
                found.append(value)
    return found


@pytest.mark.parametrize("operator", operators())
def test_every_operator_and_sensor_masks_its_arguments(operator: type) -> None:
    assert issubclass(operator, MaskedArguments)
    assert operator.__mro__.index(MaskedArguments) < operator.__mro__.index(BaseOperator)
