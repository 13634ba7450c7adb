import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.ks import mint_ks
from kaltura_provider.api.redaction import redact
from kaltura_provider.api.sessions_in_text import is_session_text

V2 = mint_ks("a" * 32, partner_id=102, user_id="u", session_type=SessionType.ADMIN, expiry=2_000_000_000)
V1 = base64.b64encode(b"219c72508fa4cb101500656806d32b326a6830e7|1234;1234;1893456000;2;1.5;u;;;").decode()


@pytest.mark.parametrize("ks", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("text", ["{}", 'Invalid KS "{}"', "https://cdn/p/1/ks/{}/x", "a=1&ks={}&b=2", "[{}]", "{}\n"])
def test_sessions_are_hidden_wherever_they_stand(ks, text):
    clean = redact(text.format(ks))
    assert ks not in clean
    assert ks[10:40] not in clean
    assert "***" in clean


@given(st.integers(12, len(V2)))
def test_a_cut_session_is_hidden_too(length):
    if length >= 24:
        assert redact(f"ks is {V2[:length]}") == "ks is ***"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://u:p@host/x", "https://***@host/x"),
        ("https://h/x?X-Amz-Signature=abc&X-Amz-Date=1", "https://h/x?X-Amz-Signature=***&X-Amz-Date=1"),
        ("https://h/x?a=1&Signature=abc", "https://h/x?a=1&Signature=***"),
        ("secret=abc", "secret=***"),
        ("https://h/p/1/ks/short/format/url", "https://h/p/1/ks/***/format/url"),
        ("tokenHash=0a1b", "tokenHash=***"),
    ],
)
def test_named_secrets_are_hidden(text, clean):
    assert redact(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Entry id 0_ab12cd34 not found",
        "upload token 1_0123456789abcdef0123456789abcdef is gone",
        "disks=4 mykeys=2 https://host/links/ab/cd",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "kai1-0123456789abcdef0123456789abcdef-0123456789abcdef0123456789abcdef.mp4",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


def test_given_secrets_are_hidden_longest_first():
    assert redact("ab abc", ["ab", "abc", ""]) == "*** ***"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_redacted(text):
    assert isinstance(redact(text), str)
    assert is_session_text(text) in (True, False)
