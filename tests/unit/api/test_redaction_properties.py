"""Whatever the text: redacting it ends in time, never fails, changes nothing the second time, and leaves no secret."""

from __future__ import annotations

import json
import string
import time
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaltura_provider.api.redaction import printable, redact, secrets_in
from kaltura_provider.api.signing import SECRET_NAMES, SIGNERS, is_secret_name

NAMES = sorted(
    SECRET_NAMES
    | {name for signer in SIGNERS for name in signer.secret}
    | {
        "X-Amz-Signature",
        "Policy",
        "api_key",
        "apiKey",
        "X-Api-Key",
        "adminSecret",
        "Set-Cookie",
        "client_secret",
        "KS",
    }
)
# Random, so that it stands in no text by chance; with what values are made of.
VALUES = st.text(string.ascii_letters + string.digits + "-._~+/=", min_size=6, max_size=40).map(
    lambda text: "Q7z" + text
)
ANYTHING = st.text(string.ascii_letters + string.digits + " -._~+/=,;:!$()[]{}'\"\\éñ😀", min_size=4, max_size=40).map(
    lambda text: f"Q7z{text}z7Q"
)
ENDS = {"query": "https://h/p?v=1&{}&w=2", "alone": "{}", "in words": "GET {} failed", "html": "a=1&amp;{}&amp;b=2"}


def in_header(name: str, value: str) -> str:
    return f"Accept: text/html\r\n{name}: {value}\r\nHost: h"


def in_authorization(name: str, value: str) -> str:
    return f"{name}: Bearer {value}"


SPELLINGS = {
    "header": in_header,
    "scheme": in_authorization,
    "header in a list": lambda name, value: repr([f"{name}: {value}", "b"]),
    "JSON": lambda name, value: json.dumps({"a": 1, name: value, "b": [2]}),
    "JSON, indented": lambda name, value: json.dumps({"a": 1, name: value}, indent=2),
    "JSON, compact": lambda name, value: json.dumps({name: value, "b": 1}, separators=(",", ":")),
    "JSON in JSON": lambda name, value: json.dumps({"body": json.dumps({name: value, "b": 1})}),
    "repr": lambda name, value: repr({"a": 1, name: value, "b": 2}),
    "repr of bytes": lambda name, value: repr({name.encode(): value.encode()}),
    "pairs": lambda name, value: repr([("a", "1"), (name, value), ("b", "2")]),
    "keyword": lambda name, value: f"Thing(a=1, {name}={value!r}, b=2)",
    "form": lambda name, value: urlencode({"a": 1, name: value}),
    "encoded URL": lambda name, value: f"https://h/?u={quote(f'https://h/p?{name}={value}&b=1', safe='')}&w=2",
    "encoded twice": lambda name, value: (
        f"https://h/?u={quote(quote(f'https://h/?a=1&{name}={value}', safe=''), safe='')}"
    ),
    "letters of the name encoded": lambda name, value: f"https://h/p?{''.join(f'%{ord(c):02x}' for c in name)}={value}",
}


@pytest.mark.parametrize("spelling", ENDS)
@given(st.sampled_from(NAMES), VALUES)
@example("ks", "Q7z0/ks/0")
def test_no_value_of_a_secret_name_is_left_in_a_query(spelling: str, name: str, value: str) -> None:
    text = ENDS[spelling].format(f"{name}={value}")
    assert "Q7z" not in redact(text)
    assert any(value in secret for secret in secrets_in(text))


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(st.sampled_from(NAMES), VALUES)
def test_no_value_of_a_secret_name_is_left_in_any_spelling(spelling: str, name: str, value: str) -> None:
    text = SPELLINGS[spelling](name, value)
    assert value in text or "enc" in spelling or spelling == "form"
    clean = redact(text)
    assert "Q7z" not in clean
    assert value not in clean
    assert redact(clean) == clean


@pytest.mark.parametrize("spelling", ["JSON", "JSON, indented", "JSON in JSON", "repr", "pairs", "keyword", "form"])
@given(st.sampled_from(NAMES), ANYTHING)
def test_quoted_values_may_hold_anything(spelling: str, name: str, value: str) -> None:
    clean = redact(SPELLINGS[spelling](name, value))
    assert "Q7z" not in clean
    assert "z7Q" not in clean


@given(st.text())
@example("https://u:p/a@h/x?token=%2574oken%3Da")
@example("token=%22%0atoken=a")
@example('"token":')
@example("%")
@example("token=\\" * 50)
@example("//" * 50 + "@")
def test_redacting_is_idempotent_and_never_fails(text: str) -> None:
    clean = redact(text)
    assert redact(clean) == clean
    assert isinstance(secrets_in(text), list)
    assert printable(text).isprintable()


PIECES = st.lists(
    st.sampled_from(
        ["token", "Authorization", "=", ":", ": ", "&", "?", "//", "@", "%3D", "%26", "%25", "%22", '"', "'", "\\",
         "\\\"", "Bearer ", "djJ8", "A" * 24, "eyJabcde", ".", "***", "[", "]", "{", ", ", "\n", " ", "ks", "/ks/", "b",
         "x", "secret"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(PIECES)
def test_redacting_pieces_of_secrets_is_idempotent(text: str) -> None:
    clean = redact(text)
    assert redact(clean) == clean


CHARACTERS = [
    *"aZ0_-./:@%?&=+,;#~*!\\'\"<>()[]{} \t\n\x00\x1b\x85éß中😀\u202e\u2028",
    "a.", "a-", "//", "://", "a=", "%41", "%25", "\\\"", "djJ8", "eyJ", "ks/", "Bearer ", "token=", "token:",
    '"token":"', "u:p@", "//u:", "[", "token=[", "token=\\",
]  # fmt: skip


@pytest.mark.parametrize("look", [redact, printable, secrets_in], ids=lambda look: look.__name__)
def test_time_grows_with_the_length_only(look: object) -> None:
    """Ten times the text takes about ten times the time, of every character and of what the patterns look for."""
    for piece in CHARACTERS:
        short, long = piece * (10_000 // len(piece)), piece * (100_000 // len(piece))
        assert seconds(look, long) < 0.05 + 40 * seconds(look, short), piece


@pytest.mark.parametrize(
    ("letters", "megabytes"), [("a", 10), ("a0-_.", 2), (":/@?&=%", 2), ("\"'\\", 2), (" \n", 2), ("é😀", 2)]
)
def test_megabytes_of_a_character_class_are_done_in_seconds(letters: str, megabytes: int) -> None:
    text = letters * (megabytes * 1_000_000 // len(letters))
    assert seconds(redact, text) < 3 * megabytes
    assert seconds(printable, text) < 1


def seconds(look: object, text: str) -> float:
    assert callable(look)
    started = time.process_time()
    look(text)
    return time.process_time() - started


def test_a_word_of_a_million_letters_is_looked_at_at_once() -> None:
    assert seconds(redact, "x" * 1_000_000) < 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\nINFO forged", "a\\nb\\r\\nINFO forged"),
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("gpj.\u202e4pm", "gpj.\\u202e4pm"),
        ("a\u2028b\x85c\x9bd", "a\\u2028b\\x85c\\x9bd"),
        ("film 😀 Ärger 中", "film 😀 Ärger 中"),
        ("\ud800", "\\ud800"),
        ("token=abc\nx", "token=***\\nx"),
    ],
)
def test_foreign_text_is_one_line(text: str, line: str) -> None:
    assert printable(text) == line


def test_long_texts_are_cut_before_they_are_looked_at() -> None:
    assert printable("x" * 5000, 10) == "xxxxxxxxxx... (4990 more characters)"
    assert "Q7z" not in printable("x" * 3990 + " token=Q7zabcdefghijklmn")


def test_names_that_are_no_secrets_keep_their_values() -> None:
    text = '{"key": "incoming/a.mp4", "expires": 3, "name": "token"} upload_token=1_ab id=0_x'
    assert redact(text) == text
    assert not any(is_secret_name(name) for name in ("key", "expires", "name", "id"))
