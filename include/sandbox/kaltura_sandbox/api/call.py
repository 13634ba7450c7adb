"""One call of one action: the session, the parameters, and the account that the action uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.server.message import Response
    from kaltura_sandbox.sessions.ks import Session
    from kaltura_sandbox.store.tables import Tables

__all__ = ["Call", "FileReply"]


@dataclass(slots=True)
class FileReply:
    """The result of a ``serve`` action: a response of its own instead of a value."""

    response: Response


@dataclass(slots=True)
class Call:
    """The argument of a handler. ``headers`` are added to the reply; ``arrived`` is the start of the request."""

    account: Account
    service: str
    action: str
    session: Session | None
    partner_id: int
    base_url: str
    client: str
    path: str
    arrived: float
    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def tables(self) -> Tables:
        """The stored records."""
        return self.account.tables

    @property
    def now(self) -> int:
        """The sandbox's time; a session's ``reftime`` replaces it for relative times."""
        moved = self.session.privilege("reftime") if self.session else None
        if moved and moved[0].isdigit():
            return int(moved[0])
        return self.account.clock.now()

    @property
    def user_id(self) -> str:
        """The session's user."""
        return (self.session.user_id or "") if self.session else ""

    @property
    def is_admin(self) -> bool:
        """Whether the session is an ADMIN one."""
        return self.session is not None and self.session.is_admin

    def has(self, privilege: str) -> bool:
        """Whether the session carries a privilege, whatever its value."""
        return self.session is not None and self.session.privilege(privilege) is not None

    def may(self, privilege: str, target: str) -> bool:
        """Whether the session is allowed to do this to any object, or to this one."""
        return self.is_admin or (self.session is not None and self.session.may(privilege, target))

    def may_any(self, privilege: str) -> bool:
        """Whether a USER session carries a privilege that its role lacks, such as ``list``; ``*`` stands for all."""
        return self.has(privilege) or self.may(privilege, "*")

    def drop(self, type_name: str, property_name: str) -> None:
        """Add a header that says that a property was dropped for lack of permission."""
        self.headers[f"{type_name}-{property_name}-error"] = "no permission to insert this property"
