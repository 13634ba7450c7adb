import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.ks import mint_ks, parse_ks, parse_privileges, peek_partner_id

_RECORDED = json.loads((Path(__file__).parent / "ks_vectors.json").read_text())
_V2 = [vector for vector in _RECORDED["vectors"] if vector["version"] == 2]
_ALL = _RECORDED["vectors"] + _RECORDED["parse_cases"]


def _id(vector):
    return f"v{vector.get('version', '')} {vector['name']}"


@pytest.mark.parametrize("vector", _V2, ids=_id)
def test_a_minted_session_equals_the_servers_own(vector):
    made = mint_ks(
        vector["secret"],
        partner_id=vector["partner_id"],
        user_id=vector["user"],
        session_type=SessionType(vector["type"]),
        expiry=vector["expiry_unix"],
        privileges=vector["privileges"],
        random16=bytes.fromhex(vector["random16_hex"]),
    )
    assert made == vector["ks"]


@pytest.mark.parametrize("vector", _ALL, ids=_id)
def test_a_session_is_read_as_the_server_reads_it(vector):
    expected, secrets = vector["decoded"], vector["secret"].split(",")
    if not expected["parse_result"]:
        with pytest.raises(ValueError, match="session"):
            parse_ks(vector["ks"], *secrets)
        return
    info = parse_ks(vector["ks"], *secrets)
    assert {
        "partner_id": str(info.partner_id),
        "valid_until": str(info.expiry),
        "type": str(int(info.session_type)),
        "user": info.user_id,
        "privileges": info.privileges,
        "rand": info.random,
        "master_partner_id": info.master_partner_id,
        "additional_data": info.additional_data,
    } == {name: value for name, value in expected.items() if name not in _NOT_OURS}
    assert peek_partner_id(vector["ks"]) == info.partner_id


_NOT_OURS = ("parse_result", "errors", "parsed_privileges", "hash", "real_str")


def test_every_recorded_vector_is_there():
    assert (len(_V2), len(_ALL)) == (11, 34)


@given(
    partner_id=st.integers(-(2**31), 2**31),
    user_id=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    session_type=st.sampled_from(SessionType),
    expiry=st.integers(0, 2**40),
    secret=st.text("0123456789abcdef", min_size=32, max_size=32),
)
def test_whatever_is_minted_can_be_read(partner_id, user_id, session_type, expiry, secret):
    ks = mint_ks(
        secret, partner_id=partner_id, user_id=user_id, session_type=session_type, expiry=expiry, privileges="edit:*"
    )
    info = parse_ks(ks, secret)
    # The format pads with NULs, so it cannot carry one at the very end; names are percent-encoded, so it has none.
    assert (info.partner_id, info.user_id, info.session_type, info.expiry, info.privileges) == (
        partner_id, user_id, session_type, expiry, "edit:*",
    )  # fmt: skip
    with pytest.raises(ValueError, match="secret"):
        parse_ks(ks, "f" * 33)


def test_two_sessions_are_never_equal():
    one, other = (mint_ks("a", partner_id=1, user_id="u", session_type=SessionType.ADMIN, expiry=1) for _ in range(2))
    assert one != other


def test_a_privilege_cannot_replace_the_sessions_own_fields():
    with pytest.raises(KalturaConfigurationError, match=r"privileges '_t:2' .*type"):
        mint_ks("a", partner_id=1, user_id="u", session_type=SessionType.USER, expiry=1, privileges="list:*,_t:2")


def test_the_repr_shows_no_random():
    ks = mint_ks("a", partner_id=1, user_id="u", session_type=SessionType.USER, expiry=1)
    info = parse_ks(ks, "a")
    assert info.random
    assert info.random not in repr(info)


def test_privileges_are_split_as_documented():
    assert parse_privileges(" edit:a/b , list:*,sview,,edit:c") == {"edit": ["a", "b", "c"], "list": ["*"], "sview": []}


@pytest.mark.parametrize("text", ["", "garbage", "***", "djJ8YWJjfA==", "fDs="])
def test_peeking_into_garbage_finds_nothing(text):
    assert peek_partner_id(text) is None
