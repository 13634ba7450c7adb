"""What a delivery URL delivers: manifests are recognised by their content, pictures by their type."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from kaltura_provider.api.delivery_check import DeliveredKind, DeliveryError, fetch_delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HLS = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"
DASH = b'<?xml version="1.0"?><MPD><Representation id="1"/></MPD>'
GIF = b"GIF89a\x02\x00\x03\x00"


@pytest.fixture
def serve() -> Iterator[Callable[[bytes, str], str]]:
    """Makes a URL under which the given bytes come."""
    sent: dict[str, tuple[bytes, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, content_type = sent[self.path]
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def put(body: bytes, content_type: str = "application/octet-stream") -> str:
        path = f"/{len(sent)}"
        sent[path] = body, content_type
        return f"http://127.0.0.1:{server.server_address[1]}{path}"

    yield put
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("body", "content_type", "kind", "what"),
    [
        (HLS, "text/plain", "hls", "HLS manifest with 1 renditions"),
        (b"\xef\xbb\xbf#EXTM3U\n#EXTINF:2,\na.ts\nb.ts\n", "", "hls", "HLS playlist with 2 segments"),
        (DASH, "application/dash+xml", "dash", "DASH manifest with 1 renditions"),
        (GIF, "image/gif", "picture", "gif picture"),
        (GIF, "Image/WebP; q=1", "picture", "webp picture"),
        (GIF, "application/octet-stream", "file", "file"),
        (b"{}", "application/json", "file", "file"),
    ],
)
def test_what_it_is(serve: Callable[..., str], body: bytes, content_type: str, kind: str, what: str) -> None:
    found = fetch_delivery(serve(body, content_type))
    assert (found.kind, found.what, found.size) == (kind, what, len(body))
    assert fetch_delivery(serve(body, content_type), expected=DeliveredKind(kind)).what == what


def test_a_web_page_is_no_picture_whatever_its_type_says(serve: Callable[..., str]) -> None:
    with pytest.raises(DeliveryError, match="the server sent a web page instead of content"):
        fetch_delivery(serve(b"<html>not found</html>", "image/jpeg"))


@pytest.mark.parametrize(
    ("body", "content_type", "expected", "said"),
    [
        (b'{"error": "busy"}', "application/json", "picture",
         r"a picture was expected, but the server sent: file \(application/json, 17 bytes, begin"),
        (HLS, "application/x-mpegurl", "picture", "the server sent: HLS manifest with 1 renditions"),
        (GIF, "image/gif", "hls", "an HLS manifest was expected, but the server sent: gif picture"),
        (HLS, "application/x-mpegurl", "dash", "a DASH manifest was expected"),
        (b"\x00\x01\x02", "", "picture", r"\(no content type, 3 bytes\)"),
    ],
)  # fmt: skip
def test_something_else_is_an_error(
    serve: Callable[..., str], body: bytes, content_type: str, expected: str, said: str
) -> None:
    with pytest.raises(DeliveryError, match=said) as caught:
        fetch_delivery(serve(body, content_type), expected=DeliveredKind(expected))
    assert caught.value.retry_helps, "what a server sends in place of content may be content later"


def test_an_empty_answer_is_an_error(serve: Callable[..., str]) -> None:
    with pytest.raises(DeliveryError, match="the answer is empty"):
        fetch_delivery(serve(b""))
