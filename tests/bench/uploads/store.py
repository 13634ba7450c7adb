"""A stand-in for S3 that gives one file out by ranges as fast as the kernel can (``sendfile``)."""

from __future__ import annotations

import argparse
import os
import re
import socket
import threading

_RANGE = re.compile(r"range: bytes=(\d+)-(\d*)", re.IGNORECASE)


def serve(peer: socket.socket, descriptor: int, size: int) -> None:
    """Answer HEAD and GET on one connection until it is closed."""
    rest = b""
    try:
        while True:
            while b"\r\n\r\n" not in rest:
                data = peer.recv(65536)
                if not data:
                    return
                rest += data
            head, _, rest = rest.partition(b"\r\n\r\n")
            _answer(peer, head.decode("latin-1"), descriptor, size)
    except OSError:
        pass
    finally:
        peer.close()


def _answer(peer: socket.socket, head: str, descriptor: int, size: int) -> None:
    match = _RANGE.search(head)
    start = int(match[1]) if match else 0
    end = min(int(match[2]), size - 1) if match and match[2] else size - 1
    lines = [
        f"HTTP/1.1 {'206 Partial Content' if match else '200 OK'}",
        f"Content-Length: {end - start + 1}",
        'ETag: "bench"',
        "Accept-Ranges: bytes",
        "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT",
    ]
    if match:
        lines.append(f"Content-Range: bytes {start}-{end}/{size}")
    peer.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    if head.startswith("HEAD"):
        return
    while start <= end:
        start += os.sendfile(peer.fileno(), descriptor, start, end - start + 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    descriptor = os.open(parser.parse_args().file, os.O_RDONLY)
    size = os.fstat(descriptor).st_size
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(peer, descriptor, size), daemon=True).start()


if __name__ == "__main__":
    main()
