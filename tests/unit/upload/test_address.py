"""URLs are taken apart as the connection will, and addresses that lead inside are known in every spelling."""

from __future__ import annotations

import pytest
import requests

from kaltura_provider.upload.sources.address import origin, parse, printable_url
from kaltura_provider.upload.sources.errors import SourceRefused
from kaltura_provider.upload.sources.policy import UrlPolicy


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example\\@media.example/x.mp4",
        "http://media.example/x\ny.mp4",
        "http://media.example/\x7f",
        "http://media.example:port/x.mp4",
        "http://media.example:99999/x.mp4",
        "http://[::1/x.mp4",
        "http://[1:2]/x.mp4",
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused(url: str) -> None:
    with pytest.raises(SourceRefused, match=r"backslash|not a valid URL"):
        UrlPolicy().check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example@b.example/x",
        "HTTP://B.Example:80/a b.mp4?q=a@b",
        "https://[2606:4700::1111]:8443/x",
        "https://b.example?x@y/z",
        "https://user:p%40ss@b.example:444#@c.example/",
    ],
)
def test_the_origin_is_the_one_that_requests_connects_to(url: str) -> None:
    prepared = requests.Request("GET", url).prepare().url
    assert prepared is not None
    assert origin(url) == origin(prepared)
    assert parse(url).host == parse(prepared).host


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@host.example/a.mp4?secret&id=7#x", "https://host.example/a.mp4?...&id=..."),
        ("http://user:p/w@host.example/a.mp4", "http://host.example/a.mp4"),
        ("http://user:p?w@host.example/a.mp4", "http://host.example/a.mp4"),
        ("user:pw@host.example/a.mp4", "host.example/a.mp4"),
        ("http://[::1/a.mp4?sig=secret", "http://[::1/a.mp4"),
        ("http://host.example:port/a@b.mp4?x@y", "http://y"),
        ("http://host.example/a@b.mp4", "http://host.example/a@b.mp4"),
        ("http://host.example/a\nb.mp4", "http://host.example/a\ufffdb.mp4"),
        ("s3://bucket/a key.mp4", "s3://bucket/a key.mp4"),
    ],
)
def test_printable_whatever_it_is(url: str, shown: str) -> None:
    assert printable_url(url) == shown


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("168.63.129.16", "Azure"),
        ("192.0.0.192", "Oracle"),
        ("[fec0::1]", "site-local"),
        ("[::7f00:1]", "deprecated"),
        ("[::127.0.0.1]", "deprecated"),
        ("[::ffff:0:127.0.0.1]", "translator"),
        ("[64:ff9b:1::7f00:1]", "translator"),
        ("[64:ff9b::a83f:8110]", "Azure"),
        ("[::ffff:192.0.0.192]", "Oracle"),
    ],
)
def test_addresses_that_lead_inside_say_why(address: str, reason: str) -> None:
    with pytest.raises(SourceRefused, match=reason) as caught:
        UrlPolicy().check_url(f"http://{address}/latest?token=secret")
    assert caught.value.uri.endswith("/latest?token=...")


@pytest.mark.parametrize("address", ["8.8.8.8", "[2606:4700::1111]", "[64:ff9b::808:808]", "168.63.129.17"])
def test_public_addresses_are_allowed(address: str) -> None:
    UrlPolicy().check_url(f"http://{address}/x.mp4")
