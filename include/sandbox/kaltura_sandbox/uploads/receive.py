"""One upload call: bytes into the token's file, its new status, and what follows when it is full."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.uploads import attach, tokens
from kaltura_sandbox.uploads.chunks import ChunkStore
from kaltura_sandbox.uploads.sniff import is_allowed

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record, Upload

__all__ = ["Piece", "receive"]

_AUTO_FINALIZE_ATTEMPTS = 5


@dataclass(slots=True)
class Piece:
    """One chunk as it was sent; ``at`` is ``resumeAt``, -1 for "append"."""

    upload: Upload
    resume: bool
    final: bool
    at: int

    @property
    def path(self) -> Path:
        """Where the bytes were spooled."""
        return Path(self.upload.path)


def receive(account: Account, token: Record, piece: Piece) -> Record:
    """Take a chunk and return the token as it stands then.

    :raises KalturaError: the chunk cannot be taken, or the final one does not complete the file.
    """
    store = ChunkStore(account.files.upload_dir(token["id"]))
    with account.locks.hold(token["id"]):
        token = _current(account, token["id"])
        expected = _store(token, store, piece)
        if not _consumed(token, store):
            account.tables.tokens.put(token)
    if expected is not None:
        _wait_for(account, token, store, expected, auto=not piece.final)
        time.sleep(account.config.final_time)
    with account.locks.hold(token["id"]):
        fresh = _current(account, token["id"])
        return _save(
            account, fresh, store, piece, final=piece.final or expected is not None or _is_whole(fresh, store, piece)
        )


def _current(account: Account, token_id: str) -> Record:
    token = account.tables.tokens.get(token_id)
    if token is None or token["status"] == tokens.DELETED:
        raise KalturaError("UPLOAD_TOKEN_NOT_FOUND")
    return token


def _consumed(token: Record, store: ChunkStore) -> bool:
    """Whether the file of this token has become somebody's content."""
    return token["status"] in (tokens.FULL, tokens.CLOSED) and not store.exists


def _store(token: Record, store: ChunkStore, piece: Piece) -> int | None:
    """Put the bytes where they belong; returns the size a final chunk promises, if it is to be verified."""
    length = piece.upload.size
    if not piece.resume:
        extension = _extension(piece.upload.name) or _extension(token.get("fileName") or "")
        token["_extension"] = extension or "noex"
        token["_received"] = length
        store.begin(piece.path)
        return None
    if _consumed(token, store):
        return None  # another final chunk was faster and the file is gone
    if not store.exists:
        raise KalturaError("UPLOAD_TOKEN_CANNOT_RESUME")
    token["_received"] = token.get("_received", 0) + length
    if piece.at < 0:
        store.append(piece.path)
        return None
    if piece.final and piece.at > 0:
        store.park(piece.path, piece.at)
        return piece.at + length
    if _counts_as_final(token, piece):
        store.park(piece.path, piece.at)
        return int(token["fileSize"])
    store.place(piece.path, piece.at, length)
    return None


def _counts_as_final(token: Record, piece: Piece) -> bool:
    """Whether ``autoFinalize`` makes this chunk the last: the bytes received reach the declared size."""
    return bool(token.get("autoFinalize") == 1 and piece.at >= 0 and token["_received"] >= (token.get("fileSize") or 0))


def _is_whole(token: Record, store: ChunkStore, piece: Piece) -> bool:
    """Whether ``autoFinalize`` ends an upload without explicit offsets."""
    if token.get("autoFinalize") != 1:
        return False
    declared = token.get("fileSize") or 0
    if not piece.resume:
        return bool(piece.upload.size == declared)
    return piece.at < 0 and store.size <= declared


def _extension(name: str) -> str:
    extension = os.path.splitext(name)[1][1:].lower()
    return "" if extension == "tmp" else extension


def _wait_for(account: Account, token: Record, store: ChunkStore, expected: int, *, auto: bool) -> None:
    """Settle parked chunks until the file has the expected size, for as long as ``final_wait`` allows."""
    pause = min(1.0, max(account.config.final_wait / 45, 0.01))
    deadline = time.monotonic() + account.config.final_wait - pause
    while True:
        with account.locks.hold(token["id"]):
            fresh = _current(account, token["id"])
            if _consumed(fresh, store):
                return
            again = store.settle()
            if store.size == expected and not again:
                return
        if time.monotonic() >= deadline:
            break
        time.sleep(pause)
    if auto and _auto_attempts(account, token) > _AUTO_FINALIZE_ATTEMPTS:
        raise KalturaError("INTERNAL_SERVERL_ERROR")
    raise KalturaError("UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE")


def _auto_attempts(account: Account, token: Record) -> int:
    attempts = int(token.get("_auto_attempts", 0)) + 1
    account.tables.tokens.change(token["id"], _auto_attempts=attempts)
    return attempts


def _save(account: Account, token: Record, store: ChunkStore, piece: Piece, *, final: bool) -> Record:
    if _consumed(token, store):
        return _second_final(account, token)
    if not token.get("fileName"):
        tokens.set_file_name(token, piece.upload.name)
    token["uploadedFileSize"] = store.size
    token["updatedAt"] = account.clock.now()
    if not final:
        # A late chunk must not reopen what another call completed meanwhile.
        token["status"] = max(token["status"], tokens.PARTIAL)
        return account.tables.tokens.put(token)
    if account.config.restrict_file_types and not is_allowed(store.data):
        account.tables.tokens.put(token)
        tokens.delete(account, token)
        attach.release(account, token)
        raise KalturaError("UPLOAD_TOKEN_FILE_TYPE_RESTRICTED_FOR_UPLOAD")
    delays = account.faults.take(["final_delay"], "uploadToken", "upload")
    for fault in delays:
        time.sleep(0 if fault.parameters.get("done") else fault.number("seconds", 1))
    token["status"] = tokens.FULL
    token["_path"] = str(store.data)
    account.tables.tokens.put(token)
    account.completed[token["id"]] = time.monotonic()
    for fault in delays:
        time.sleep(fault.number("seconds", 1) if fault.parameters.get("done") else 0)
    return attach.complete(account, token)


def _second_final(account: Account, token: Record) -> Record:
    """Settle the slower of two final chunks, which finds the file consumed: the token reads FULL again, or is lost."""
    faults = account.faults.take(["second_final"], "uploadToken", "upload")
    if any(fault.parameters.get("outcome") == "deleted" for fault in faults):
        tokens.delete(account, token)
        attach.release(account, token, finished=True)
        raise KalturaError("UPLOAD_ERROR")
    token["status"] = tokens.FULL
    return account.tables.tokens.put(token)
