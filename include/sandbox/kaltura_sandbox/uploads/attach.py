"""Objects that wait for a token, and what happens to them when the token is filled or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_sandbox.errors import KalturaError
from kaltura_sandbox.uploads import tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["File", "Target", "claim", "close", "complete", "fill", "register", "release"]


@dataclass(frozen=True, slots=True)
class File:
    """Content on its way into an object: its bytes on disk, the extension they came with, their length."""

    path: Path
    extension: str
    size: int


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of object that can wait for a token.

    ``fill(account, object_id, file)`` takes the content and says whether it wanted it; ``forget(account, object_id,
    finished)`` undoes the waiting.
    """

    fill: Callable[[Account, str, File], bool]
    forget: Callable[[Account, str, bool], None]


_TARGETS: dict[str, Target] = {}


def register(object_type: str, target: Target) -> None:
    """Declare what ``attachedObjectType`` can name."""
    _TARGETS[object_type] = target


def claim(account: Account, token_id: str, object_type: str, object_id: str) -> File | None:
    """Use a token as content of an object.

    A full token is consumed: its file is returned and it is CLOSED. Any other (a CLOSED one too, as on the real
    server) is attached to the object, which then waits: None is returned.

    :raises KalturaError: ``UPLOAD_TOKEN_NOT_FOUND``, ``UPLOADED_FILE_NOT_FOUND_BY_TOKEN``.
    """
    with account.locks.hold(token_id):
        token = account.tables.tokens.get(token_id)
        if token is None or token["status"] == tokens.DELETED:
            raise KalturaError("UPLOAD_TOKEN_NOT_FOUND")
        if token["status"] == tokens.FULL:
            return close(account, token)
        account.tables.tokens.change(
            token_id, attachedObjectType=object_type, attachedObjectId=object_id, updatedAt=account.clock.now()
        )
        return None


def close(account: Account, token: Record) -> File:
    """Consume a full token.

    :raises KalturaError: its file is gone.
    """
    path = Path(token.get("_path") or "/nonexistent")
    if not path.exists():
        raise KalturaError("UPLOADED_FILE_NOT_FOUND_BY_TOKEN")
    account.tables.tokens.change(token["id"], status=tokens.CLOSED, updatedAt=account.clock.now())
    return File(path, token.get("_extension", "noex"), path.stat().st_size)


def complete(account: Account, token: Record) -> Record:
    """Hand a token that has just become full to the object it is attached to, if that still wants it."""
    target = _TARGETS.get(token.get("attachedObjectType") or "")
    if target is not None:
        path = Path(token["_path"])
        file = File(path, token.get("_extension", "noex"), path.stat().st_size)
        if target.fill(account, token["attachedObjectId"], file):
            return account.tables.tokens.change(token["id"], status=tokens.CLOSED) or token
    return token


def fill(account: Account, object_type: str, object_id: str, file: File) -> bool:
    """Hand a file to an object that waits for it; False when the object does not want it any more."""
    return _TARGETS[object_type].fill(account, object_id, file)


def release(account: Account, token: Record, *, finished: bool = False) -> None:
    """Undo the waiting of the object a dead token was attached to."""
    target = _TARGETS.get(token.get("attachedObjectType") or "")
    if target is not None:
        target.forget(account, token["attachedObjectId"], finished)
