"""A small web server whose behaviour a test chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Site:
    """A running server; ``answer`` is called with each request's handler."""

    def __init__(self) -> None:
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda handler: handler.send_error(404)
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.seen.append((self.command, self.path, headers))
                site.answer(self)

            do_HEAD = do_GET  # noqa: N815 - the name is the library's

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def serve(
        self,
        content: bytes,
        *,
        ranges: bool = True,
        etag: str | None = '"v1"',
        cut_after: list[int] | None = None,
        sized: bool = True,
        maximum: int | None = None,
        ranges_status: int = 206,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Give out ``content``; ``cut_after`` holds lengths after which answers break off, one per answer.

        ``maximum`` bounds the bytes of a range whatever was asked; ``ranges_status`` is sent with a range.
        """

        def answer(handler: BaseHTTPRequestHandler) -> None:
            asked = handler.headers.get("Range", "") if ranges else ""
            start, end = 0, len(content) - 1
            if asked:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                start, end = int(first), min(int(last), end)
                end = min(end, start + maximum - 1) if maximum else end
            whole = not asked or handler.headers.get("If-Range", etag) != etag
            body = content if whole else content[start : end + 1]
            handler.send_response(200 if whole else ranges_status)
            if sized:
                handler.send_header("Content-Length", str(len(body)))
            else:
                handler.send_header("Connection", "close")
                handler.close_connection = True
            if not whole:
                handler.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
            for name, value in {**({"ETag": etag} if etag else {}), **(headers or {})}.items():
                handler.send_header(name, value)
            handler.end_headers()
            if cut_after and len(body) > 4096 and handler.command == "GET":
                body = body[: cut_after.pop(0)]
                handler.close_connection = True
            if handler.command != "HEAD":
                handler.wfile.write(body)

        self.answer = answer


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()
