"""A server that answers as Kaltura's uploadToken service does, as fast as Python can, and keeps only checksums.

It runs in a process of its own. What a token received is verified by the CRC-32C of all its chunks, put together.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import threading
import time
import uuid
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

import google_crc32c

from kaltura_provider.upload.checksum import combine

WINDOW = 256 * 1024
_TEXT_PART = re.compile(
    rb'--[^\r]+\r\nContent-Disposition: form-data; name="([^"]+)"(?:\r\n[^\r]+)*\r\n\r\n(.*?)\r\n(?=--)', re.S
)


class Token:
    """What arrived for one token: chunk checksums by offset."""

    def __init__(self, name: str) -> None:
        self.id = f"0_{uuid.uuid4().hex}"
        self.name = name
        self.status = 0
        self.pieces: dict[int, tuple[int, int]] = {}

    def joined(self) -> tuple[int, int]:
        """Return the size and the CRC-32C of the contiguous front."""
        size = crc = 0
        while size in self.pieces:
            length, piece = self.pieces[size]
            if not length:
                break
            crc, size = combine(crc, piece, length), size + length
        return size, crc

    def view(self) -> dict[str, object]:
        return {
            "objectType": "KalturaUploadToken",
            "id": self.id,
            "status": self.status,
            "fileName": self.name,
            "uploadedFileSize": self.joined()[0],
            "updatedAt": 1,
        }


class Connection(threading.Thread):
    """One client connection: requests one after the other."""

    def __init__(self, sink: Sink, peer: socket.socket) -> None:
        super().__init__(daemon=True)
        self.sink, self.peer, self.rest = sink, peer, b""

    def run(self) -> None:
        try:
            while self.serve():
                pass
        except OSError:
            pass
        finally:
            self.peer.close()

    def until(self, mark: bytes) -> bytes:
        while (at := self.rest.find(mark)) < 0:
            data = self.peer.recv(65536)
            if not data:
                return b""
            self.rest += data
        found, self.rest = self.rest[: at + len(mark)], self.rest[at + len(mark) :]
        return found

    def serve(self) -> bool:
        head = self.until(b"\r\n\r\n")
        if not head:
            return False
        lines = head.decode("latin-1").split("\r\n")
        path = urlsplit(lines[0].split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if "100-continue" in headers.get("expect", ""):
            self.peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        params = dict(parse_qsl(path.query))
        service, action = _route(path.path, params)
        if action == "upload":
            answer = self.sink.upload(*self.receive(headers, params))
            time.sleep(self.sink.server_time)
        else:
            params |= _body(self.take(int(headers.get("content-length", 0))), headers)
            answer = self.sink.answer(service, action, params)
        self.reply(answer, as_json=params.get("format") == "1" or service == "bench")
        return True

    def take(self, length: int) -> bytes:
        while len(self.rest) < length:
            self.rest += self.peer.recv(65536)
        found, self.rest = self.rest[:length], self.rest[length:]
        return found

    def receive(self, headers: dict[str, str], params: dict[str, str]) -> tuple[dict[str, str], int, int]:
        """Read a multipart body whose last part is the file; return parameters, length and checksum."""
        boundary = headers["content-type"].partition("boundary=")[2].strip('"')
        left = int(headers["content-length"])
        front = b""
        while b"filename=" not in front or b"\r\n\r\n" not in front.partition(b"filename=")[2]:
            data = self.take(min(left, max(1, len(self.rest))))
            front, left = front + data, left - len(data)
        start = front.index(b"\r\n\r\n", front.index(b"filename=")) + 4
        for name, value in _TEXT_PART.findall(front[:start]):
            params |= _form(name.decode(), value.decode())
        data, tail = front[start:], len(f"\r\n--{boundary}--\r\n")
        length = len(data) + left - tail
        crc = google_crc32c.extend(0, data[:length])
        held = data[length:]
        left_data = max(0, length - len(data))
        while left_data:
            data = self.rest or self.peer.recv(min(WINDOW, left_data), socket.MSG_WAITALL)
            self.rest = b""
            if len(data) > left_data:
                held, data = data[left_data:], data[:left_data]
            if not data:
                raise OSError("cut")
            crc, left_data = google_crc32c.extend(crc, data), left_data - len(data)
        self.rest = held + self.rest
        if not self.take(tail).endswith(b"--\r\n"):
            raise OSError("the body does not end with its boundary")
        return params, length, crc

    def reply(self, answer: dict[str, object], *, as_json: bool) -> None:
        if as_json:
            body, kind = json.dumps(answer).encode(), "application/json"
        else:
            text = answer.pop("text", None)
            inner = escape(str(text)) if text else "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in answer.items())
            body, kind = f'<?xml version="1.0"?><xml><result>{inner}</result></xml>'.encode(), "text/xml"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nX-Me: bench\r\nContent-Length: {len(body)}\r\n\r\n"
        self.peer.sendall(head.encode() + body)


class Sink:
    """All tokens, and the listening socket."""

    def __init__(self, server_time: float) -> None:
        self.server_time = server_time
        self.tokens: dict[str, Token] = {}
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve(self) -> None:
        while True:
            peer, _ = self.socket.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Connection(self, peer).start()

    def upload(self, params: dict[str, str], length: int, crc: int) -> dict[str, object]:
        token = self.tokens[params["uploadTokenId"]]
        resume = params.get("resume", "0").lower() in ("1", "true")
        offset = int(float(params.get("resumeAt", -1))) if resume else 0
        if not resume:
            token.pieces.clear()
        if length:
            token.pieces[offset] = (length, crc)
        token.status = 2 if params.get("finalChunk", "1").lower() in ("1", "true") else 1
        return token.view()

    def answer(self, service: str, action: str, params: dict[str, str]) -> dict[str, object]:
        if service == "session":
            return {"text": "bench-session"}
        if service == "system":
            return {"objectType": "KalturaPong"}
        if service == "partner":
            return {"objectType": "KalturaPartner", "id": 1, "name": "bench"}
        if service == "bench":
            size, crc = self.tokens[params["uploadTokenId"]].joined()
            return {"size": size, "crc": crc, "status": self.tokens[params["uploadTokenId"]].status}
        if action == "add":
            token = Token(params.get("fileName", "bench.mp4"))
            self.tokens[token.id] = token
            return token.view()
        return self.tokens[params["uploadTokenId"]].view()


def _route(path: str, params: dict[str, str]) -> tuple[str, str]:
    words = path.lower().strip("/").split("/")
    service = words[words.index("service") + 1] if "service" in words else params.get("service", "")
    action = words[words.index("action") + 1] if "action" in words else params.get("action", "")
    return service.lower(), action.lower()


def _body(body: bytes, headers: dict[str, str]) -> dict[str, str]:
    if "json" in headers.get("content-type", ""):
        return _form("json", body.decode() or "{}")
    return dict(parse_qsl(body.decode()))


def _form(name: str, value: str) -> dict[str, str]:
    """Return a form field's parameters; the official client packs all of them into one called ``json``."""
    if name != "json":
        return {name: value}
    return {key: str(item) for key, item in json.loads(value).items() if not isinstance(item, (dict, list))}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server-time", type=float, default=0.0)
    sink = Sink(parser.parse_args().server_time)
    print(sink.socket.getsockname()[1], flush=True)
    sink.serve()


if __name__ == "__main__":
    main()
