"""Golden vectors of both formulas: a changed value here would double every library that was ingested before."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.ingest.identity import (
    canonical_uri,
    content_id,
    elder_item_id,
    item_id,
    parse_token_name,
    reference_for,
    token_file_name,
)
from kaltura_provider.ingest.marks import content_mark, item_mark, refused_mark

ASSETS = {
    "s3://bucket/incoming/2024-03-01/clip.mp4": "ffa29dc669f9ef75d1750a00863afa57",
    "s3a://bucket/a b#c?d.mp4": "61d0e8c84f00cda9477c3adbde6984bb",
    "https://User:pw@Media.Example.COM:443/v/x.mp4?X-Amz-Signature=abc&X-Amz-Date=1&v=2#t": (
        "95e0d2ea1d621395968fb58a02f38125"
    ),
    "file:///srv/media/a%20b.mov": "8c909c71756eb12d839c4d0f195dd54e",
    "https://h/x?st=5&expires=9": "ba891fd5c3b7ca18f9d6f4907efc52a2",
    "https://h/x?sv=1&sig=q&st=5": "9ce95884bc962bbd8746fbfcaff8add1",
}
CONTENTS = {
    ("ffa29dc669f9ef75d1750a00863afa57", 1000, "abc"): "56730ed3b15f504a7affc9ac4e7cfaca",
    ("8c909c71756eb12d839c4d0f195dd54e", 1000, "abc"): "3dd320881e44602611728a03ed90e42c",
}


@pytest.mark.parametrize(("uri", "expected"), ASSETS.items())
def test_golden_asset_ids(uri: str, expected: str) -> None:
    assert item_id(uri) == expected


def test_golden_identity_of_the_author() -> None:
    assert item_id("s3://anything/at-all", "course-7/lecture-3") == "0bc228a5db83be6d68b6cef0961b1c17"


@pytest.mark.parametrize(("given_values", "expected"), CONTENTS.items())
def test_golden_content_ids(given_values: tuple[str, int, str], expected: str) -> None:
    assert content_id(*given_values) == expected


@pytest.mark.parametrize("validator", ['"abc"', 'W/"abc"', " abc "])
def test_quotes_around_an_etag_do_not_count(validator: str) -> None:
    assert content_id("a" * 32, 1, validator) == content_id("a" * 32, 1, "abc")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("s3n://b/k.mp4", "s3://b/k.mp4"),
        ("HTTPS://H:443/k.mp4", "https://h/k.mp4"),
        ("https://h", "https://h/"),
        ("https://user:secret@h/k", "https://h/k"),
        ("https://h/k?X-Goog-Signature=1&X-Goog-Expires=5", "https://h/k"),
        ("https://d.cloudfront.net/k?Expires=1&Signature=x&Key-Pair-Id=y", "https://d.cloudfront.net/k"),
        ("file:///a/b%23c.mp4", "file:///a/b#c.mp4"),
        ("file://localhost/a/b.mp4", "file:///a/b.mp4"),
        ("https://h/my talk.mp4", "https://h/my%20talk.mp4"),
        ("https://h/%7Euser/%61.mp4", "https://h/~user/a.mp4"),
        ("https://h/caf%c3%a9.mp4", "https://h/caf%C3%A9.mp4"),
        ("https://h/café.mp4", "https://h/caf%C3%A9.mp4"),
        ("https://h/100%.mp4", "https://h/100%25.mp4"),
        ("https://h/x/../a/./b.mp4", "https://h/a/b.mp4"),
        ("https://h/x/%2e%2E/a.mp4", "https://h/a.mp4"),
        ("https://h/../a.mp4", "https://h/a.mp4"),
        ("https://h/a/..", "https://h/"),
        ("https://Bücher.Example/k.mp4", "https://xn--bcher-kva.example/k.mp4"),
        ("https://media.example./k.mp4", "https://media.example/k.mp4"),
        ("https://media.example.:443/k.mp4", "https://media.example/k.mp4"),
        ("https://h:/k.mp4", "https://h/k.mp4"),
        ("https://[2001:DB8::1]/k.mp4", "https://[2001:db8::1]/k.mp4"),
        ("https://h/k?title=a b&v=%7e", "https://h/k?title=a%20b&v=~"),
    ],
)
def test_spellings_of_one_asset(one: str, other: str) -> None:
    assert item_id(one) == item_id(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("s3://b/k", "s3://b/K"),
        ("s3://b/k?1", "s3://b/k?2"),
        ("s3://b/k#1", "s3://b/k#2"),
        ("file:///a#1", "file:///a#2"),
        ("https://h/k?v=1", "https://h/k?v=2"),
        ("https://h/k?st=1", "https://h/k?st=2"),
        ("https://h:8080/k", "https://h/k"),
        ("http://h/k", "https://h/k"),
        ("s3://b/a%20b", "s3://b/a b"),
        ("s3://b/x/../k", "s3://b/k"),
        ("https://h/a%2Fb", "https://h/a/b"),
        ("https://h/a%3Fb", "https://h/a?b"),
        ("https://h/a//b", "https://h/a/b"),
        ("https://h/a/", "https://h/a"),
        ("https://h/a%2520b", "https://h/a%20b"),
        ("https://h/k?q=a+b", "https://h/k?q=a%20b"),
        ("https://h/k?a=1&b=2", "https://h/k?b=2&a=1"),
    ],
)
def test_different_assets_stay_apart(one: str, other: str) -> None:
    assert item_id(one) != item_id(other)


ELDERS = {
    "https://h/my talk.mp4": "897efaaa4df37af265f46324d15e2f1e",
    "https://h/x/../a.mp4?v=1": "016c5f19709b439bd88bbb71d27e0150",
    "https://Bücher.Example./k.mp4": "930b299c48625ccce0cf4671a1bb9598",
    "https://h/k?Signature=a&Policy=gold": "f07fc6b8b4485ab930c49024148d532b",
}


@pytest.mark.parametrize(("uri", "expected"), ELDERS.items())
def test_golden_ids_that_kai1_gave(uri: str, expected: str) -> None:
    assert elder_item_id(uri) == expected
    assert item_id(uri) != expected


@pytest.mark.parametrize("uri", [*ASSETS, "https://h/my%20talk.mp4?b=1&a=2", "https://h:8080/~user/a,b;c"])
def test_an_address_in_normal_form_has_one_identity_under_both_formulas(uri: str) -> None:
    assert elder_item_id(uri) is None


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_normal_form_is_normal_already(path: str, query: str) -> None:
    path, query = path.replace("#", "").replace("?", ""), query.replace("#", "")
    normal = canonical_uri(f"https://h/{path}?{query}")
    assert canonical_uri(normal) == normal
    assert normal.isascii()


def test_a_uri_needs_a_scheme() -> None:
    with pytest.raises(ValueError, match=r"'srv/x.mp4' has no scheme: put s3://"):
        canonical_uri("srv/x.mp4")


@pytest.mark.parametrize("path", ["/srv/x.mp4", "/srv/100%25 [a]?.mp4", "//srv/x#y.mp4"])
def test_an_absolute_path_is_the_file_of_that_name(path: str) -> None:
    assert canonical_uri(path) == canonical_uri(f"file:///{quote(path.lstrip('/'))}")
    assert elder_item_id(path) is None


@given(st.text(min_size=1), st.text())
def test_token_names_are_safe_and_read_back(key: str, file_name: str) -> None:
    item = item_id(f"s3://b/{key}")
    content = content_id(item, 7, key)
    for filled_apart in (False, True):
        name = token_file_name(item, content, file_name, filled_apart=filled_apart)
        assert re.fullmatch(r"[a-z0-9.-]{1,100}", name)
        parsed = parse_token_name(name)
        assert parsed is not None
        assert (parsed.item_id, parsed.content_id, parsed.filled_apart) == (item, content, filled_apart)


def test_token_names_keep_only_known_extensions() -> None:
    assert token_file_name("a" * 32, "b" * 32, "Lecture.MP4").endswith(".mp4")
    assert token_file_name("a" * 32, "b" * 32, "x.part1").endswith(".bin")


@pytest.mark.parametrize("name", ["movie.mp4", "kai1-abc.mp4", "kai2-" + "a" * 32 + "-" + "b" * 32 + ".mp4"])
def test_other_tokens_are_not_ours(name: str) -> None:
    assert parse_token_name(name) is None


def test_marks() -> None:
    assert item_mark("a1") == "kai1:a:a1"
    assert content_mark("c1") == "kai1:c:c1"
    assert refused_mark("c1") == "kai1:refused:c1"
    assert reference_for("a1") == "kai1-a1"
