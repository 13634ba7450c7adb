"""Session strings against vectors that a real server made and read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kaltura_sandbox.sessions import ks

VECTORS = json.loads((Path(__file__).parents[2] / "contract" / "recordings" / "07_ks_vectors.json").read_text())


def name_of(vector: dict[str, Any]) -> str:
    return f"v{vector.get('version', '')} {vector['name']}"


def parse(text: str, secrets: str) -> ks.Session | None:
    return ks.parse(text, lambda partner: secrets.split(","))


@pytest.mark.parametrize("vector", [v for v in VECTORS["vectors"] if v["version"] == 2], ids=name_of)
def test_version_2_is_written_byte_for_byte(vector: dict[str, Any]) -> None:
    made = ks.make_v2(
        vector["secret"],
        vector["partner_id"],
        vector["user"],
        vector["type"],
        vector["expiry_unix"],
        vector["privileges"],
        rand=bytes.fromhex(vector["random16_hex"]),
    )
    assert made == vector["ks"]


@pytest.mark.parametrize("vector", [v for v in VECTORS["vectors"] if v["version"] == 1], ids=name_of)
def test_version_1_is_written_byte_for_byte(vector: dict[str, Any]) -> None:
    made = ks.make_v1(
        vector["secret"],
        vector["partner_id"],
        vector["user"],
        vector["type"],
        vector["expiry_unix"],
        vector["privileges"],
        rand=str(vector["rand"]),
    )
    assert made == vector["ks"]


@pytest.mark.parametrize("vector", VECTORS["vectors"] + VECTORS["parse_cases"], ids=name_of)
def test_strings_are_read_as_the_real_server_reads_them(vector: dict[str, Any]) -> None:
    decoded, session = vector["decoded"], parse(vector["ks"], vector["secret"])
    assert (session is not None) == decoded["parse_result"]
    if session is not None:
        assert session.partner_id == int(decoded["partner_id"])
        assert session.expiry == int(decoded["valid_until"])
        assert str(session.type) == decoded["type"]
        assert (session.user_id or "") == (decoded["user"] or "")
        assert session.privileges == decoded["privileges"]


def test_privileges_are_looked_up_by_name_and_value() -> None:
    session = ks.Session(102, "u", ks.USER, 0, "edit:0_a/0_b,list:*,sessionid:x", text="secret")
    assert session.may("edit", "0_b")
    assert not session.may("edit", "0_c")
    assert session.may("list", "anything")
    assert session.privilege("sessionid") == ["x"]
    assert session.privilege("setrole") is None
    assert "secret" not in repr(session)
