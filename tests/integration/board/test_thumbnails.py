"""Thumbnails of entries that Kaltura shows only to those with a session."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from history import History, arrived

from kaltura_provider.hooks.kaltura import KalturaHook
from kaltura_sandbox import Sandbox

if TYPE_CHECKING:
    from conftest import Api

DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=3)
RESTRICTED = 3


def png() -> bytes:
    """Return a picture of 8 x 8 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"".join(b"\0" + b"\x20\x80\xc0" * 8 for _ in range(8)))
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    from kaltura_provider.board.thumbnails import THUMBNAILS

    THUMBNAILS.forget()


def restricted_picture(sandbox: Sandbox, folder: Path) -> str:
    """Return the id of an entry whose access control demands a session."""
    (folder / "picture.png").write_bytes(png())
    entry = KalturaHook().call("media", "add", entry={"mediaType": 2, "name": "x", "accessControlId": RESTRICTED})
    sandbox.control.set_entry(entry["id"], _path=str(folder / "picture.png"), status=2)
    return str(entry["id"])


def shown_by(history: History, *entry_ids: str) -> int:
    """Store a run that brought in entries, and return its number."""
    items = [arrived(f"s3://media/{one}.png", number, entry_id=one) for number, one in enumerate(entry_ids, 1)]
    return history.number("news", history.run("news", DAY, assets=items))


def test_a_restricted_thumbnail_is_shown_to_those_who_may_see_its_run(
    api: Api, history: History, kaltura_sandbox: Sandbox, tmp_path: Path
) -> None:
    entry = restricted_picture(kaltura_sandbox, tmp_path)
    run = shown_by(history, entry)
    public = requests.get(KalturaHook().account.thumbnail_url(entry), timeout=30)
    assert (public.status_code, public.headers["X-Kaltura"]) == (404, "error-3")
    assert f"thumbnail?run={run}&amp;entry={entry}" in api.get("board").text
    reply = api.get("thumbnail", run=run, entry=entry)
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "image/jpeg"
    assert reply.headers["Cache-Control"] == "private, max-age=600"
    assert reply.content.startswith(b"\xff\xd8")
    # Whoever looks, Kaltura is asked once.
    before = len(kaltura_sandbox.control.log())
    assert api.get("thumbnail", user="admin", run=run, entry=entry).content == reply.content
    assert len(kaltura_sandbox.control.log()) == before


def test_the_session_sees_one_entry_for_a_minute(kaltura_sandbox: Sandbox, tmp_path: Path) -> None:
    from kaltura_provider.api.ks import parse_ks
    from kaltura_provider.board.thumbnails import _session

    entry, other = (restricted_picture(kaltura_sandbox, tmp_path) for _ in range(2))
    ks = _session(KalturaHook(), entry)
    info = parse_ks(ks, kaltura_sandbox.admin_secret)
    assert (info.session_type, info.privileges) == (0, f"sview:{entry}")
    assert info.expiry - dt.datetime.now(dt.UTC).timestamp() <= 61
    account = KalturaHook().account
    for one, status in ((entry, 200), (other, 404)):
        address = f"{account.cdn_host}/p/{account.partner_id}/thumbnail/entry_id/{one}/ks/{ks}"
        assert requests.get(address, timeout=30).status_code == status


def test_other_entries_and_runs_are_refused(
    api: Api, history: History, kaltura_sandbox: Sandbox, tmp_path: Path
) -> None:
    entry = restricted_picture(kaltura_sandbox, tmp_path)
    run = shown_by(history, "0_another0")
    assert api.get("thumbnail", run=run, entry=entry).status_code == 404
    assert api.get("thumbnail", run=run + 1000, entry=entry).status_code == 403
    assert api.get("thumbnail", run=0, entry=entry).status_code == 422
    assert api.get("thumbnail", run=run, entry="../../x").status_code == 404


def test_a_connection_that_cannot_narrow_its_session_shows_nothing(
    api: Api, history: History, kaltura_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = restricted_picture(kaltura_sandbox, tmp_path)
    run = shown_by(history, entry)
    connection = {
        "conn_type": "kaltura", "host": kaltura_sandbox.url, "login": str(kaltura_sandbox.partner_id),
        "password": kaltura_sandbox.ks("airflow"), "extra": {"auth": "ks", "cdn_host": kaltura_sandbox.url},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_KALTURA_DEFAULT", json.dumps(connection))
    assert api.get("thumbnail", run=run, entry=entry).status_code == 404


class Strange(http.server.BaseHTTPRequestHandler):
    """Answers with what is not a small picture."""

    asked: list[str] = []  # noqa: RUF012 - a test empties it

    def do_GET(self) -> None:
        self.asked.append(self.path)
        kind = self.path.partition("/entry_id/")[2][:5]
        picture = png()
        headers = {"Content-Type": "image/png"}
        if kind == "0_web":
            headers["Content-Type"] = "text/html"
        if kind == "0_svg":
            headers["Content-Type"] = "image/svg+xml"
        if kind == "0_big":
            picture *= 20_000
        self.send_response(302 if kind == "0_far" else 200)
        if kind == "0_far":
            headers["Location"] = "/p/1/thumbnail/entry_id/0_good0000"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(picture)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def strange(kaltura_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Strange]]:
    """A delivery network of that kind."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Strange)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection: dict[str, Any] = {
        "conn_type": "kaltura", "host": kaltura_sandbox.url, "login": str(kaltura_sandbox.partner_id),
        "password": kaltura_sandbox.admin_secret,
        "extra": {"cdn_host": f"http://127.0.0.1:{server.server_address[1]}"},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_KALTURA_DEFAULT", json.dumps(connection))
    Strange.asked.clear()
    yield Strange
    server.shutdown()
    server.server_close()


def test_only_a_small_picture_without_a_redirect_is_passed_on(
    api: Api, history: History, strange: type[Strange]
) -> None:
    kinds = ("good", "web", "svg", "big", "far")
    run = shown_by(history, *(f"0_{kind}0000"[:10] for kind in kinds))
    codes = {kind: api.get("thumbnail", run=run, entry=f"0_{kind}0000"[:10]).status_code for kind in kinds}
    assert codes == {"good": 200, "web": 404, "svg": 404, "big": 404, "far": 404}
    assert len(strange.asked) == len(kinds)
    assert all("/ks/" in path for path in strange.asked)
