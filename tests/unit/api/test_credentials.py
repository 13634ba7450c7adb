import pytest

from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import KalturaConfigurationError

_URL = "https://www.kaltura.com/api_v3"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"partner_id": "102"}, "partner id '102'"),
        ({"partner_id": 0}, "partner id 0"),
        ({"partner_id": True}, "partner id True"),
        ({"auth": "magic"}, "auth 'magic' is unknown: use one of secret, session_start, app_token, ks"),
        ({"secret": ""}, "secret is empty: give the admin secret"),
        ({"secret": "", "auth": "ks"}, r"session \(KS\)"),
        ({"secret": "", "auth": "app_token", "app_token_id": "1"}, "app token's value"),
        ({"auth": "app_token"}, "app token id is empty"),
        (
            {"app_token_hash_type": "SHA3"},
            "app token hash type 'SHA3' is unknown: use one of SHA256, SHA1, SHA512, MD5",
        ),
        ({"session_type": 7}, "session type 7"),
        ({"lifetime": 0}, "session lifetime 0"),
    ],
)
def test_what_is_missing_or_wrong_is_named(values, words):
    with pytest.raises(KalturaConfigurationError, match=words):
        Credentials(**{"partner_id": 102, "auth": "secret", "secret": "abc", **values})


def test_the_repr_shows_no_secret():
    made = Credentials(102, "secret", "hunter2")
    assert "hunter2" not in repr(made) + str(made)


def test_defaults():
    made = Credentials(102, "secret", "abc")
    assert (made.auth, made.session_type, made.user_id, made.lifetime) == (
        AuthMethod.SECRET, SessionType.ADMIN, "airflow", 86_400,
    )  # fmt: skip
    assert made.minted_here


def test_a_user_session_is_asked_of_the_server():
    # A user secret cannot make one: sessions are encrypted with the admin secret, whoever they are for.
    assert not Credentials(102, "secret", "abc", session_type=SessionType.USER).minted_here


def test_the_session_key_is_fixed_for_a_connection_and_differs_between_them():
    one = Credentials(102, "secret", "abc").effective_privileges(_URL)
    assert one == Credentials(102, "session_start", "other secret").effective_privileges(_URL)
    assert one.startswith("disableentitlement,sessionkey:")
    others = {
        Credentials(103, "secret", "abc").effective_privileges(_URL),
        Credentials(102, "secret", "abc", user_id="x").effective_privileges(_URL),
        Credentials(102, "secret", "abc").effective_privileges("https://other/api_v3"),
    }
    assert len(others | {one}) == 4


def test_own_privileges_replace_the_default():
    assert Credentials(102, "secret", "abc", privileges="").effective_privileges(_URL) == ""
    assert Credentials(102, "secret", "abc", privileges="list:*").effective_privileges(_URL) == "list:*"
