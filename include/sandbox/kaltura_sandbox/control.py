"""The control API under ``/_sandbox/``: the instructions and queries of tests.

Every path takes and returns JSON; the routes are listed by ``GET /_sandbox/``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.assets import flavors
from kaltura_sandbox.entries import replacing, store
from kaltura_sandbox.faults import KINDS
from kaltura_sandbox.jobs import drive
from kaltura_sandbox.server.message import Request, Response, json_response
from kaltura_sandbox.store.files import digest

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account

__all__ = ["answer"]

Handler = Callable[["Account", str, dict[str, Any]], Any]
_ROUTES: dict[tuple[str, str], Handler] = {}
_LOOPBACK = ("127.", "::1", "::ffff:127.")


class _NotFound(Exception):
    """The object does not exist."""


def _on(method: str, path: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _ROUTES[method, path] = handler
        return handler

    return register


def answer(account: Account, request: Request) -> Response:
    """Answer a control request; only loopback may ask.

    ``base_url`` can be trusted here: requests with a foreign ``Host`` have been refused.
    """
    foreign = request.headers.get("origin", request.base_url) != request.base_url
    if not account.config.control or foreign or not request.client.startswith(_LOOPBACK):
        return json_response({"error": "the control API answers on loopback, and no page of another origin"}, 403)
    name, _, rest = request.path.removeprefix("/_sandbox").strip("/").partition("/")
    handler = _ROUTES.get((request.method, name))
    if handler is None:
        return json_response({"error": f"no {request.method} {request.path}", "routes": _listing()}, 404)
    try:
        text = request.read()
        body = json.loads(text) if text else {}
        return json_response(handler(account, rest, body))
    except _NotFound as error:
        return json_response({"error": f"not found: {error}"}, 404)
    except (ValueError, KeyError, TypeError) as error:
        return json_response({"error": f"{type(error).__name__}: {error}"}, 400)


def _listing() -> list[str]:
    return sorted(f"{method} /_sandbox/{path}: {handler.__doc__}" for (method, path), handler in _ROUTES.items())


@_on("GET", "")
def _index(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Return the routes and the kinds of fault."""
    return {"routes": _listing(), "faults": KINDS}


@_on("GET", "state")
def _state(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Return counts of records, jobs and calls."""
    rows = account.database.execute("SELECT status, COUNT(*) FROM entry_index GROUP BY status")
    return {
        "entries": dict(rows),
        "live_entries": account.tables.entries.count("status != 3"),
        "tokens": account.tables.tokens.count("status != 5"),
        "assets": account.tables.assets.count("status != 3"),
        "jobs_open": account.tables.jobs.count("status IN (0, 1, 2, 9)"),
        "clock_offset": account.clock.offset,
        **account.journal.counters(),
    }


@_on("GET", "log")
def _log(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Return the latest calls; ``/_sandbox/log/50`` for the last 50."""
    return account.journal.latest(int(rest or 1000))


@_on("GET", "entries")
def _entries(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """All entries that are not deleted, or one with the sha256 and size of its content."""
    if not rest:
        return [_shown(entry) for entry in account.tables.entries.find("status != 3")]
    entry = _found(account.tables.entries.get(rest), rest)
    source = flavors.source_of(account, rest)
    path = entry.get("_path") or (source or {}).get("_path")
    content = {}
    if path and Path(path).exists():
        content = {"sha256": digest(Path(path)), "size": Path(path).stat().st_size}
    return _shown(entry) | {
        "content": content,
        "flavors": [_shown(flavor) for flavor in flavors.flavors_of(account, rest)],
    }


@_on("PATCH", "entries")
def _patch_entry(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Set properties of an entry as if someone had edited the database."""
    entry = _found(store.change(account, rest, **body), rest)
    replacing.entry_moved(account, rest)
    return _shown(entry)


@_on("PATCH", "assets")
def _patch_asset(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Set properties of an asset as if someone had edited the database."""
    return _shown(_found(account.tables.assets.change(rest, **body), rest))


@_on("GET", "tokens")
def _tokens(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """All upload tokens, deleted ones too, or one."""
    if not rest:
        return [_shown(token) for token in account.tables.tokens.find()]
    return _shown(_found(account.tables.tokens.get(rest), rest))


@_on("PATCH", "tokens")
def _patch_token(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Set properties of an upload token as if someone had edited the database."""
    return _shown(_found(account.tables.tokens.change(rest, **body), rest))


@_on("PATCH", "bulkUploads")
def _patch_bulk_upload(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Set properties of a bulk upload, such as ``status`` and ``error``, as if someone had edited the database."""
    return _shown(_found(account.tables.bulk_uploads.change(int(rest), **body), rest))


@_on("PATCH", "notificationTemplates")
def _patch_notification_template(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Set properties of a template as if someone had edited the database; ``_url_encode`` sends ``data=...``."""
    return _shown(_found(account.tables.notification_templates.change(int(rest), **body), rest))


@_on("GET", "jobs")
def _jobs(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """All jobs, or those of one entry."""
    found = account.tables.jobs.find("entry = ?", (rest,)) if rest else account.tables.jobs.find()
    return [{name: value for name, value in job.items() if name not in ("url", "headers")} for job in found]


@_on("POST", "jobs")
def _drive(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Take the place of the workers: ``{"entryId": .., "event": ..}``, see ``events`` of ``GET /_sandbox/drive``."""
    return drive.event(account, body)


@_on("GET", "drive")
def _drive_events(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Return the events that ``POST /_sandbox/jobs`` takes."""
    return {"events": drive.EVENTS}


@_on("GET", "faults")
def _faults(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Return the active faults."""
    return account.faults.show()


@_on("POST", "faults")
def _add_fault(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Activate a fault: ``{"kind": .., "service": .., "action": .., "times": 1}``; ``seed`` restarts chance."""
    if "seed" in body:
        account.faults.seed(body.pop("seed"))
    fault = account.faults.add(**body)
    return {"id": fault.id, "kind": fault.kind}


@_on("DELETE", "faults")
def _remove_fault(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """End one fault, or all."""
    account.faults.remove(int(rest) if rest else None)
    return account.faults.show()


@_on("POST", "clock")
def _clock(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Move the sandbox's time: ``{"advance": seconds}``, or ``{"reset": true}``."""
    if body.get("reset"):
        account.clock.reset()
    account.clock.advance(float(body.get("advance", 0)))
    account.database.set_meta("clock_offset", str(account.clock.offset))
    account.jobs.wake()
    return {"offset": account.clock.offset, "now": account.clock.now()}


@_on("POST", "sessions")
def _sessions(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """``{"expire": "all"}`` expires every session seen so far."""
    return {"expired": account.sessions.expire_all()}


@_on("POST", "lag")
def _lag(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """How far list lags behind get: ``{"seconds": 5}``."""
    account.search.lag = float(body["seconds"])
    return {"seconds": account.search.lag}


@_on("POST", "reset")
def _reset(account: Account, rest: str, body: dict[str, Any]) -> Any:
    """Forget all records, files, faults and counters."""
    account.reset()
    return {"reset": True}


def _found(record: dict[str, Any] | None, name: str) -> dict[str, Any]:
    if record is None:
        raise _NotFound(name)
    return record


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if not name.startswith("_")}
