"""A web server of files for feeds to read."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site(ThreadingHTTPServer):
    """A web server of files; a path in ``locked`` needs the login and header of the HTTP connection."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.files: dict[str, bytes] = {}
        self.locked: set[str] = set()
        self.unsized: set[str] = set()
        self.unchanged: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        content = self.server.files.get(self.path)
        login = "Basic " + b64encode(b"reader:open-sesame").decode()
        if self.path in self.server.locked and (
            self.headers["Authorization"] != login or self.headers["X-Site"] != "news"
        ):
            self.send_error(401)
        elif content is None:
            self.send_error(404)
        elif self.path in self.server.unsized:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)
        elif self.headers["If-None-Match"] == f'"{hashlib.md5(content).hexdigest()}"':
            self.server.unchanged.append(self.path)
            self.send_response(304)
            self.end_headers()
        else:
            first, _, last = self.headers.get("Range", f"bytes=0-{len(content)}").removeprefix("bytes=").partition("-")
            part = content[int(first) : int(last) + 1]
            self.send_response(206 if "Range" in self.headers else 200)
            self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(part)))
            if "Range" in self.headers:
                self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}")
            self.end_headers()
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        pass


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content, as the sandbox says it."""
    return hashlib.sha256(content).hexdigest()
