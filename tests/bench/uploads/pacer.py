"""A long link in user space: a proxy that delays, paces and opens its connections' windows as TCP does.

All connections share one line of ``rate`` bits a second towards the server; the way back only delays. A connection
costs a round trip to set up. What it may have under way without an acknowledgement begins at 64 KiB, the receive
window of a new connection, and doubles each round trip up to ``window``. There is no loss.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib

BLOCK = 64 * 1024
INITIAL_WINDOW = 64 * 1024


class Line:
    """The shared line: when its last byte so far will have left."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.free_at = 0.0

    def carry(self, length: int, now: float) -> float:
        """Queue bytes and return when the last of them has left."""
        self.free_at = max(now, self.free_at) + length / self.rate
        return self.free_at


class Path:
    """One connection through the line."""

    def __init__(self, line: Line, options: argparse.Namespace) -> None:
        self.line, self.trip, self.most = line, options.trip, options.window
        self.loop = asyncio.get_running_loop()
        self.window = INITIAL_WINDOW
        self.under_way = 0
        self.room = asyncio.Event()
        self.room.set()

    async def send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry what the client sends to the server."""
        while True:
            await self.room.wait()
            data = await reader.read(min(BLOCK, self.window - self.under_way))
            now = self.loop.time()
            if not data:
                self.loop.call_at(max(now, self.line.free_at) + self.trip / 2, _finish, writer)
                return
            left = self.line.carry(len(data), now)
            self.under_way += len(data)
            if self.under_way >= self.window:
                self.room.clear()
            self.loop.call_at(left + self.trip / 2, writer.write, data)
            self.loop.call_at(left + self.trip, self.acknowledge, len(data))

    def acknowledge(self, length: int) -> None:
        """Open the window: the server has got so many bytes."""
        self.under_way -= length
        self.window = min(self.most, self.window + length)
        self.room.set()

    async def reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry what the server answers to the client."""
        while data := await reader.read(BLOCK):
            self.loop.call_later(self.trip / 2, writer.write, data)
        self.loop.call_later(self.trip / 2, writer.close)


def _finish(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()


async def serve(options: argparse.Namespace) -> None:
    """Accept connections until killed."""
    line = Line(options.rate / 8)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = Path(line, options)
        await asyncio.sleep(options.trip)  # the handshake
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", options.port, limit=BLOCK)
        with contextlib.suppress(OSError):
            await asyncio.gather(path.send(reader, server_writer), path.reply(server_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=BLOCK, backlog=64)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=float, default=400e6, help="bits a second")
    parser.add_argument("--trip", type=float, default=0.05, help="seconds there and back")
    parser.add_argument("--window", type=int, default=1 << 20, help="bytes a connection may have under way")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
