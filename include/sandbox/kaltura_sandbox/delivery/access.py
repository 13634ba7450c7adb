"""Who may see an entry by its delivery URL, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.delivery.errors import DeliveryError
from kaltura_sandbox.entries.properties import SESSION_PROFILE
from kaltura_sandbox.entries.types import DELETED
from kaltura_sandbox.errors import KalturaError

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record
    from kaltura_sandbox.delivery.paths import DeliveryPath
    from kaltura_sandbox.server.message import Request
    from kaltura_sandbox.sessions.ks import Session

__all__ = ["admit", "entry_of"]

_PENDING_MODERATION, _REJECTED = 1, 3
_RECYCLED = -2


def entry_of(account: Account, entry_id: str) -> Record:
    """Return the entry a URL names.

    :raises DeliveryError: 20 without id, 1 for unknown and deleted entries, 58 for recycled ones.
    """
    if not entry_id:
        raise DeliveryError(20)
    entry = account.tables.entries.get(entry_id)
    if entry is None or entry["status"] == DELETED:
        raise DeliveryError(1)
    if entry.get("displayInSearch") == _RECYCLED:
        raise DeliveryError(58)
    return entry


def admit(account: Account, request: Request, path: DeliveryPath, entry: Record) -> None:
    """Refuse entries that are rejected, not scheduled now or restricted, unless the session may see them.

    Thumbnails are treated alike, as for an account that restricts its thumbnails.

    :raises DeliveryError: 4, 7 or 31 for a bad session, 13 for moderation, 2 for scheduling, 3 for access control.
    """
    session = _session(account, request, path)
    if session is not None and _sees(session, path, entry):
        return
    if entry.get("accessControlId") == SESSION_PROFILE:
        raise DeliveryError(3)
    if entry.get("moderationStatus") in (_PENDING_MODERATION, _REJECTED):
        raise DeliveryError(13)
    now = account.clock.now()
    if now < (entry.get("startDate") or 0) or (entry.get("endDate") and now >= entry["endDate"]):
        raise DeliveryError(2)


def _sees(session: Session, path: DeliveryPath, entry: Record) -> bool:
    """Tell whether a session lifts the restrictions: ``sview`` for what viewers see, ``download`` for all."""
    viewed = path.action in ("playManifest", "thumbnail")
    return session.is_admin or session.may("download", entry["id"]) or (viewed and session.may("sview", entry["id"]))


def _session(account: Account, request: Request, path: DeliveryPath) -> Session | None:
    text = path.params.get("ks", "")
    if not text:
        return None
    try:
        session = account.sessions.open(text)
    except KalturaError as error:
        raise DeliveryError(4) from error
    try:
        account.sessions.check(session, request.path, request.client)
    except KalturaError as error:
        raise DeliveryError(31 if error.args_.get("KSID") == "EXPIRED" else 7) from error
    return session
