"""URL sources against real sockets: ranges, spools, redirects, changes, refusals."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings, strategies
from requests import Response

from kaltura_provider.upload.sources.address import printable_url
from kaltura_provider.upload.sources.errors import (
    SourceChanged,
    SourceEmpty,
    SourceForbidden,
    SourceNotFound,
    SourceNotMedia,
    SourceRefused,
    SourceUnavailable,
    SourceUnsized,
)
from kaltura_provider.upload.sources.http import HttpSource, SpooledHttpSource, open_http
from kaltura_provider.upload.sources.http_answer import file_name
from kaltura_provider.upload.sources.policy import UrlPolicy

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    Site = Any

HERE = UrlPolicy.allowing(["127.0.0.1", "localhost"])
DATA = random.Random(7).randbytes(700_001)


def send(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes = b"") -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def test_ranges_are_read_and_pinned(site: Site) -> None:
    site.serve(DATA)
    source = open_http(f"{site.url}/media/clip%20one.mp4?sig=secret", policy=HERE)
    assert isinstance(source, HttpSource)
    assert (source.name, source.size, source.validator) == ("clip one.mp4", len(DATA), '"v1"')
    assert b"".join(source.read(0, len(DATA), 10_000)) == DATA
    assert b"".join(source.read(333, 100_000)) == DATA[333:100_333]
    assert b"".join(source.read(len(DATA) - 1, 1)) == DATA[-1:]
    assert site.seen[-1][2]["if-range"] == '"v1"'
    assert all(seen[2]["accept-encoding"] == "identity" for seen in site.seen)
    assert "secret" not in source.uri
    source.close()


def test_broken_answers_are_gone_on_with_where_they_broke(site: Site) -> None:
    site.serve(DATA, cut_after=[10_000, 5000, 400_000])
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    assert b"".join(source.read(0, len(DATA))) == DATA
    asked = [seen[2]["range"] for seen in site.seen[1:]]
    assert asked[1] == f"bytes=10000-{len(DATA) - 1}"
    source.close()


def test_an_answer_that_always_breaks_is_an_error_that_passes(site: Site) -> None:
    site.serve(DATA, cut_after=[0] * 20)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    with pytest.raises(SourceUnavailable) as caught:
        list(source.read(0, len(DATA)))
    assert not caught.value.permanent
    source.close()


def test_change_names_both(site: Site) -> None:
    site.serve(DATA)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    site.serve(DATA[:-7], etag='"v2"')
    with pytest.raises(SourceChanged) as caught:
        list(source.read(0, 100))
    assert caught.value.expected == f'"v1" with {len(DATA)} bytes'
    assert caught.value.found == f'"v2" with {len(DATA) - 7} bytes'
    source.close()


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_validator_the_size_still_counts(site: Site, etag: str | None) -> None:
    site.serve(DATA, etag=etag)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    assert b"".join(source.read(5, 50)) == DATA[5:55]
    assert "if-range" not in site.seen[-1][2]
    site.serve(DATA + b"more", etag=etag)
    with pytest.raises(SourceChanged):
        list(source.read(0, 100))
    source.close()


def test_without_ranges_one_stream_serves_all_readers(site: Site) -> None:
    site.serve(DATA, ranges=False)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE, spool=1_000_000)
    assert isinstance(source, SpooledHttpSource)
    assert source.rewind == 1_000_000
    pieces = [(offset, min(50_000, len(DATA) - offset)) for offset in range(0, len(DATA), 50_000)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda piece: b"".join(source.read(*piece, 7000)), pieces))
    assert b"".join(found) == DATA
    assert len(site.seen) == 2  # one to look, one for everything
    source.close()


def test_going_back_in_a_stream(site: Site) -> None:
    site.serve(DATA, ranges=False)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE, spool=400_000)
    assert b"".join(source.read(0, len(DATA), 7000)) == DATA
    # Going back within the spool is free, further back begins the stream again.
    assert b"".join(source.read(len(DATA) - 300_000, 1000)) == DATA[-300_000:-299_000]
    assert len(site.seen) == 2
    assert b"".join(source.read(0, 1000)) == DATA[:1000]
    assert len(site.seen) == 3
    source.close()


def test_broken_stream_is_begun_again(site: Site) -> None:
    site.serve(DATA, ranges=False)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE, spool=400_000)
    site.serve(DATA, ranges=False, cut_after=[300_000])
    assert b"".join(source.read(0, len(DATA))) == DATA
    site.serve(DATA[1:], ranges=False)
    with pytest.raises(SourceChanged):
        list(source.read(0, 10))
    source.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, SourceNotFound),
        (410, SourceNotFound),
        (401, SourceForbidden),
        (403, SourceForbidden),
        (400, SourceForbidden),
        (429, SourceUnavailable),
        (500, SourceUnavailable),
        (503, SourceUnavailable),
    ],
)
def test_statuses(site: Site, status: int, error: type[Exception]) -> None:
    site.answer = lambda handler: send(handler, status, {})
    with pytest.raises(error, match=str(status)) as caught:
        open_http(f"{site.url}/clip.mp4?token=secret", policy=HERE)
    assert "secret" not in str(caught.value)


def test_unreachable_server_says_so_without_the_signature(site: Site) -> None:
    site.server.shutdown()
    site.server.server_close()
    with pytest.raises(SourceUnavailable) as caught:
        open_http(f"{site.url}/clip.mp4?X-Amz-Signature=secret", policy=HERE)
    assert "secret" not in repr(caught.value)
    assert "clip.mp4" in str(caught.value)


def test_headers_stay_with_their_own_server(site: Site) -> None:
    other = type(site)()
    other.serve(DATA)
    site.answer = lambda handler: send(handler, 302, {"Location": f"http://localhost:{other.port}/real.mp4"})
    source = open_http(f"{site.url}/clip.mp4", headers={"Authorization": "Bearer secret"}, policy=HERE)
    assert b"".join(source.read(0, 100)) == DATA[:100]
    assert site.seen[0][2]["authorization"] == "Bearer secret"
    assert all("authorization" not in seen[2] for seen in other.seen)
    assert len(site.seen) == 1  # the target is remembered
    source.close()
    other.server.shutdown()
    other.server.server_close()


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("http://localhost:{evil}\\@127.0.0.1:{own}/real.mp4", "backslash"),
        ("http://user:pw@127.0.0.1:{own}/real.mp4", "user name or password"),
        ("http://127.0.0.1:port/real.mp4", "not a valid URL"),
        ("http://[::1/real.mp4", "not a valid URL"),
        ("http://127.0.0.1/\xe9", "not a valid URL"),
    ],
)
def test_redirects_that_can_be_misread_are_refused(site: Site, target: str, says: str) -> None:
    """What one parser takes for the host, another takes for a password: headers would go to the wrong server."""
    other = type(site)()
    other.serve(DATA)
    where = target.format(evil=other.port, own=site.port)
    site.answer = lambda handler: send(handler, 302, {"Location": where})
    with pytest.raises(SourceRefused, match=says) as caught:
        open_http(f"{site.url}/clip.mp4?id=1", headers={"Authorization": "Bearer secret"}, policy=HERE)
    assert str(caught.value).startswith(f"{site.url}/clip.mp4?id=...: it redirects to ")
    assert "pw" not in str(caught.value)
    assert (len(site.seen), other.seen) == (1, [])
    other.server.shutdown()
    other.server.server_close()


def test_body_of_a_redirect_is_not_read(site: Site) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/clip.mp4":
            handler.close_connection = True
            handler.send_response(302)
            handler.send_header("Location", "/real.mp4")
            handler.send_header("Content-Length", str(1 << 40))
            handler.end_headers()
        else:
            give(handler)

    site.serve(DATA)
    give = site.answer
    site.answer = answer
    open_http(f"{site.url}/clip.mp4", policy=HERE).close()
    assert [path for _, path, _ in site.seen] == ["/clip.mp4", "/real.mp4"]


def test_redirect_in_utf8_is_followed_as_it_was_meant(site: Site) -> None:
    site.serve(DATA)
    give = site.answer

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/clip.mp4":
            send(handler, 302, {"Location": "/f\u00eate.mp4".encode().decode("latin1")})
        else:
            give(handler)

    site.answer = answer
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    assert site.seen[-1][1] == "/f%C3%AAte.mp4"
    assert b"".join(source.read(0, 10)) == DATA[:10]
    source.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:port/a.mp4", "http://[::1/a.mp4", "http://127.0.0.1:65536/a.mp4"])
def test_url_that_cannot_be_read_is_named(url: str) -> None:
    with pytest.raises(SourceRefused, match="not a valid URL") as caught:
        open_http(f"{url}?sig=secret", policy=HERE)
    assert caught.value.uri == url


@pytest.mark.parametrize("reset", [True, False])
def test_answer_without_a_body_is_an_error_that_passes(site: Site, reset: bool) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        send(handler, 206, {"Content-Length": "4096", "Content-Range": "bytes 0-4095/70000", "ETag": '"v1"'})
        handler.close_connection = True
        if reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()

    site.answer = answer
    with pytest.raises(SourceUnavailable, match=r"broke off|gave none"):
        open_http(f"{site.url}/clip.mp4", policy=HERE)


def test_expired_redirect_is_asked_for_again(site: Site) -> None:
    site.serve(DATA)
    give = site.answer
    valid = ["/signed-1.mp4"]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/clip.mp4":
            send(handler, 302, {"Location": valid[0]})
        elif handler.path == valid[0]:
            give(handler)
        else:
            send(handler, 403, {})

    site.answer = answer
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    valid[0] = "/signed-2.mp4"
    assert b"".join(source.read(0, 100)) == DATA[:100]
    source.close()


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/x.mp4", "http://[::1]/x.mp4", "file:///etc/passwd"],
)
def test_redirects_are_checked_like_the_first_url(site: Site, target: str) -> None:
    site.answer = lambda handler: send(handler, 302, {"Location": target})
    with pytest.raises(SourceRefused):
        open_http(f"{site.url}/clip.mp4", policy=HERE)


def test_endless_redirects(site: Site) -> None:
    site.answer = lambda handler: send(handler, 302, {"Location": "/again"})
    with pytest.raises(SourceRefused, match="more than 5 times"):
        open_http(f"{site.url}/clip.mp4", policy=HERE)
    assert len(site.seen) == 6


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "web page"),
        (b"\xef\xbb\xbf\n  <HTML lang='en'>", "web page"),
        (b"<?xml version='1.0'?><!-- made by x --><MPD xmlns='urn:mpeg:dash'>", "DASH"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "HLS"),
        (b"<SmoothStreamingMedia MajorVersion='2'>", "Smooth"),
    ],
)
def test_pages_and_manifests_are_recognised(site: Site, body: bytes, what: str) -> None:
    site.serve(body)
    with pytest.raises(SourceNotMedia, match=what):
        open_http(f"{site.url}/clip.mp4", policy=HERE)
    open_http(f"{site.url}/page.html", policy=HERE, media=False).close()


@pytest.mark.parametrize("ranges", [True, False])
def test_empty_and_unsized_resources(site: Site, ranges: bool) -> None:
    if ranges:
        site.answer = lambda handler: send(handler, 416, {"Content-Range": "bytes */0"})
    else:
        site.serve(b"", ranges=False)
    with pytest.raises(SourceEmpty):
        open_http(f"{site.url}/clip.mp4", policy=HERE)
    site.serve(DATA, ranges=False, sized=False)
    with pytest.raises(SourceUnsized, match="Content-Length"):
        open_http(f"{site.url}/clip.mp4", policy=HERE)
    site.serve(DATA, headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceNotMedia, match=r"compressed.*gzip"):
        open_http(f"{site.url}/clip.mp4", policy=HERE)


@pytest.mark.parametrize(
    "coding", ["aws-chunked", "", "none", "binary", "utf-8", "Identity", "8bit", "aws-chunked, identity"]
)
def test_content_encodings_that_code_nothing_are_plain_bytes(site: Site, coding: str) -> None:
    site.serve(DATA, headers={"Content-Encoding": coding})
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    assert b"".join(source.read(0, len(DATA))) == DATA
    source.close()


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "br", "zstd", "Deflate", "aws-chunked,gzip"])
def test_content_encodings_that_compress_are_refused(site: Site, coding: str) -> None:
    site.serve(DATA, headers={"Content-Encoding": coding})
    with pytest.raises(SourceNotMedia, match="Content-Encoding"):
        open_http(f"{site.url}/clip.mp4", policy=HERE)
    site.serve(DATA)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    site.serve(DATA, headers={"Content-Encoding": coding})
    with pytest.raises(SourceNotMedia):
        list(source.read(0, 10))
    source.close()


@pytest.mark.parametrize("status", [206, 200])
def test_range_shorter_than_asked_for_is_continued_where_it_ended(site: Site, status: int) -> None:
    site.serve(DATA, maximum=100_000, ranges_status=status)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    assert isinstance(source, HttpSource)
    began = time.monotonic()
    assert b"".join(source.read(7, len(DATA) - 7, 30_000)) == DATA[7:]
    assert time.monotonic() - began < 0.4, "each end was taken for a break"
    asked = [seen[2]["range"] for seen in site.seen[1:]]
    assert asked == [f"bytes={start}-{len(DATA) - 1}" for start in range(7, len(DATA), 100_000)]
    source.close()


def test_range_sent_with_status_200_is_a_range(site: Site) -> None:
    site.serve(DATA, ranges_status=200)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    assert (type(source), source.size) == (HttpSource, len(DATA))
    assert b"".join(source.read(5000, 300_000)) == DATA[5000:305_000]
    source.close()


def test_content_range_beside_the_whole_resource_changes_nothing(site: Site) -> None:
    whole = f"bytes 0-{len(DATA) - 1}/{len(DATA)}"
    for said in (whole, "bytes 0-4095/*", f"bytes 0-4095/{len(DATA)}", "bytes 9-3/5", "nonsense"):
        site.serve(DATA, ranges=False, headers={"Content-Range": said})
        source = open_http(f"{site.url}/clip.mp4", policy=HERE)
        assert (type(source), source.size) == (SpooledHttpSource, len(DATA))
        assert b"".join(source.read(0, len(DATA))) == DATA
        source.close()


@pytest.mark.parametrize("status", [200, 206])
def test_answer_with_another_range_than_asked_for_says_so(site: Site, status: int) -> None:
    site.serve(DATA)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    headers = {"Content-Range": f"bytes 10-19/{len(DATA)}", "ETag": '"v1"'}
    site.answer = lambda handler: send(handler, status, headers, DATA[10:20])
    with pytest.raises(SourceUnavailable, match="answered a request for bytes 0-9 with bytes 10-19"):
        next(source._get(0, 10, 10))  # type: ignore[union-attr]
    with pytest.raises(SourceUnavailable, match="first bytes with bytes 10-19"):
        open_http(f"{site.url}/clip.mp4", policy=HERE)
    source.close()


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="../../etc/My Film.mov"', "My Film.mov"),
        ("attachment; filename*=UTF-8''na%C3%AFve%20film.mp4", "na\xefve film.mp4"),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates.mp4", "\xa3 rates.mp4"),
        ("attachment; filename=\"EURO.mp4\"; filename*=utf-8''%e2%82%ac.mp4", "\u20ac.mp4"),
        ("attachment; filename*=utf-8''%e2%82%ac.mp4; filename=\"EURO.mp4\"", "\u20ac.mp4"),
        ('attachment; filename = "x.mp4"', "x.mp4"),
        (r'attachment; filename="a \"b\".mp4"', 'a "b".mp4'),
        ('attachment; filename="a;b.mp4"; size=7', "a;b.mp4"),
        ("attachment; FileName=plain.mp4", "plain.mp4"),
        ('attachment; filename="\xc3\xa9t\xc3\xa9.mp4"', "\xe9t\xe9.mp4"),
        ('attachment; filename="\xe9t\xe9.mp4"', "\xe9t\xe9.mp4"),
        (r'attachment; filename="C:\\films\\x.mp4"', "x.mp4"),
        ('attachment; note="filename=evil.mp4"; filename="good.mp4"', "good.mp4"),
        ("attachment; filename*=UTF-8''a%0d%0a%1b%5b31mb.mp4", "a[31mb.mp4"),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("attachment; filename*=nonsense''x.mp4", "x.mp4"),
        ("inline", "download"),
        ('attachment; filename=""', "download"),
        ("attachment; filename*=", "download"),
    ],
)
def test_name_from_the_server(site: Site, header: str, name: str) -> None:
    site.serve(DATA, headers={"Content-Disposition": header})
    source = open_http(f"{site.url}/download?id=5", policy=HERE)
    assert source.name == name
    source.close()


@settings(max_examples=300, deadline=None)
@given(strategies.text(strategies.characters(max_codepoint=255, exclude_characters="\r\n")))
@example("attachment; filename*99999999999*=x")
@example("attachment; filename*0*=x; filename*0=y; filename*=z")
def test_any_header_gives_a_name_that_is_text_of_one_part(header: str) -> None:
    answer = Response()
    for text in (header, f"attachment; filename={header}", f"attachment; filename*={header}"):
        answer.headers["Content-Disposition"] = text
        name = file_name(answer, "https://h.example/film.mp4")
        assert name.isprintable()
        assert name
        assert "/" not in name
        assert "\\" not in name


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a.mp4",
        "file:///etc/passwd",
        "/etc/passwd",
        "http:///a.mp4",
        "http://127.0.0.1/a.mp4",
        "http://127.1.2.3:8080/a.mp4",
        "http://localhost/a.mp4",
        "http://LOCALHOST./a.mp4",
        "http://10.1.2.3/a.mp4",
        "http://192.168.0.1/a.mp4",
        "http://172.16.0.1/a.mp4",
        "http://100.64.0.1/a.mp4",
        "http://169.254.169.254/latest/meta-data/iam/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://0.0.0.0/a.mp4",
        "http://[::1]/a.mp4",
        "http://[fd00:ec2::254]/a.mp4",
        "http://[fe80::1]/a.mp4",
        "http://[::ffff:127.0.0.1]/a.mp4",
        "http://[64:ff9b::7f00:1]/a.mp4",
        "http://[2002:7f00:1::]/a.mp4",
        "http://224.0.0.1/a.mp4",
    ],
)
def test_addresses_that_are_not_public_are_refused(url: str) -> None:
    with pytest.raises(SourceRefused):
        open_http(url)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "0x7f.1", "[::1%25lo]"])
def test_other_spellings_of_addresses_are_refused(site: Site, host: str) -> None:
    site.serve(DATA)
    url = f"http://{host}:{site.port}/clip.mp4"
    with pytest.raises(SourceRefused, match="public internet") as caught:
        open_http(f"{url}?sig=secret")
    assert caught.value.uri == f"{url}?sig=..."
    assert site.seen == []


def test_names_that_lead_inside_are_refused_when_the_connection_is_made(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may change its address between a check and the connection: the connection is what is checked."""
    real = socket.getaddrinfo

    def resolve(host: str, *args: Any, **kwargs: Any) -> Any:
        return real("127.0.0.1" if host == "media.example.com" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = f"http://media.example.com:{site.port}/clip.mp4"
    site.serve(DATA)
    with pytest.raises(SourceRefused, match=r"add the host 'media\.example\.com'"):
        open_http(url)
    # Even if the first look-up had given a public address:
    monkeypatch.setattr(UrlPolicy, "check_host", lambda *_: None)
    with pytest.raises(SourceRefused):
        open_http(url)
    assert site.seen == []
    for allowed in ("media.example.com", ".example.com", "MEDIA.example.com"):
        open_http(url, policy=UrlPolicy.allowing([allowed])).close()
    with pytest.raises(SourceRefused):
        open_http(url, policy=UrlPolicy.allowing(["example.com"]))


def test_printable_url_hides_what_may_be_secret() -> None:
    url = "https://user:pw@host.example:8443/a/b.mp4?X-Amz-Signature=abc&id=7#frag"
    assert printable_url(url) == "https://host.example:8443/a/b.mp4?X-Amz-Signature=...&id=..."


def test_reader_that_is_closed_early_releases_its_connection(site: Site) -> None:
    site.serve(DATA)
    source = open_http(f"{site.url}/clip.mp4", policy=HERE)
    for _ in range(3):
        reader = source.read(0, len(DATA), 1000)
        next(reader)
        reader.close()
    assert b"".join(source.read(0, len(DATA))) == DATA
    source.close()
    assert threading.active_count() < 50
