"""The page at ``/``: the entries of the account, and at the console's own addresses one entry each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from kaltura_sandbox.routing import route
from kaltura_sandbox.web import labels
from kaltura_sandbox.web.entry_page import entry_page
from kaltura_sandbox.web.html import Markup, link, page, size, table, tag, when
from kaltura_sandbox.wire.params import parse_query

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.server.message import Request, Response

__all__ = ["console", "home"]

_PAGE = 50
_ENTRY = re.compile(r"/index\.php/kmcng/content/entries/entry/([^/]+)")
_STATUSES = {"": "any status", "2": "ready", "0": "importing", "1": "converting", "7": "no content", "-1": "failed"}


@route("/")
def home(account: Account, request: Request) -> Response | None:
    """Show the entries; return None for any other path."""
    if request.path != "/" or request.method not in ("GET", "HEAD"):
        return None
    return _entries(account, request)


@route("/index.php/kmcng")
def console(account: Account, request: Request) -> Response | None:
    """Show what the console shows at this address: one entry, else all."""
    if request.method not in ("GET", "HEAD"):
        return None
    found = _ENTRY.match(request.path)
    return entry_page(account, found[1]) if found else _entries(account, request)


def _entries(account: Account, request: Request) -> Response:
    asked = dict(parse_query(request.query))
    number = int(asked["page"]) if asked.get("page", "").isdigit() else 0
    where, params = _condition(asked)
    found = account.database.execute(
        # By the index, as the console; the condition is built of fixed parts only.
        f"SELECT id FROM entry_index WHERE {where} ORDER BY seq DESC LIMIT ? OFFSET ?",  # noqa: S608
        (*params, _PAGE, number * _PAGE),
    )
    rows = [entry for (entry_id,) in found if (entry := account.tables.entries.get(entry_id)) is not None]
    counting = f"SELECT COUNT(*) FROM entry_index WHERE {where}"  # noqa: S608 - our own conditions; values are bound
    count = int(account.database.execute(counting, params)[0][0])
    counts = f"Entries: {count}. Uploads not finished: {account.tables.tokens.count('status IN (0, 1)')}."
    return page(
        "Entries - Kaltura sandbox",
        tag("h2", "Entries"),
        _search(asked),
        tag("p", counts, class_="soft"),
        table(
            ("", "Name", "Status", "Length", "Size", "Created (UTC)", "Reference"), [_row(account, row) for row in rows]
        ),
        _pager(asked, number, count),
        refresh=None if asked else 5,
    )


def _condition(asked: dict[str, str]) -> tuple[str, list[Any]]:
    where, params = "status != '3'", list[Any]()
    if asked.get("status") == "-1":
        where += " AND status IN ('-1', '-2')"
    elif asked.get("status"):
        where += " AND status = ?"
        params.append(asked["status"])
    if asked.get("q"):
        where += " AND (instr(text, lower(?)) > 0 OR id = ? OR instr(reference, lower(?)) > 0)"
        params += [asked["q"]] * 3
    return where, params


def _search(asked: dict[str, str]) -> Markup:
    chosen = asked.get("status", "")
    options = [tag("option", text, value=value, selected=value == chosen) for value, text in _STATUSES.items()]
    return tag(
        "form",
        tag("input", name="q", value=asked.get("q", ""), placeholder="name, tag, reference, id", size=32),
        tag("select", options, name="status"),
        tag("button", "Show"),
        action="/",
    )


def _row(account: Account, entry: Record) -> list[Any]:
    address = f"/index.php/kmcng/content/entries/entry/{entry['id']}/metadata"
    picture = ""
    if entry.get("_thumb_version"):
        url = f"/p/{entry['partnerId']}/thumbnail/entry_id/{entry['id']}/width/192/version/{entry['_thumb_version']}"
        picture = tag("img", src=url, alt="", loading="lazy")
    length = f"{entry['msDuration'] / 1000:.1f} s" if entry.get("msDuration") else ""
    source = account.tables.assets.first("entry = ? AND kind = 'flavor' AND params = 0 AND status != 3", (entry["id"],))
    return [
        picture,
        [link(address, entry.get("name") or entry["id"]), tag("br"), tag("code", entry["id"], class_="soft")],
        labels.entry_status(entry["status"]),
        tag("span", length, class_="n"),
        tag("span", size(source["sizeInBytes"]) if source and source.get("sizeInBytes") else "", class_="n"),
        when(entry["createdAt"]),
        entry.get("referenceId", ""),
    ]


def _pager(asked: dict[str, str], number: int, count: int) -> Markup:
    def to(target: int, text: str) -> Markup:
        return link("/?" + urlencode({**asked, "page": str(target)}), text)

    links = [
        to(number - 1, "newer") if number else "",
        " ",
        to(number + 1, "older") if (number + 1) * _PAGE < count else "",
    ]
    return tag("p", links)
