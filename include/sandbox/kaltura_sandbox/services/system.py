"""The ``system`` service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_sandbox.api.registry import Level, Service

if TYPE_CHECKING:
    from kaltura_sandbox.api.call import Call

__all__ = ["system"]

VERSION = "Venus-22.19.0"

system = Service("system")


@system.action("ping", level=Level.NONE)
def ping(call: Call) -> bool:
    """Whether the server is up."""
    return True


@system.action("pingDatabase", level=Level.NONE)
def ping_database(call: Call) -> bool:
    """Whether the database answers."""
    return bool(call.account.database.execute("SELECT 1"))


@system.action("getVersion", level=Level.NONE)
def get_version(call: Call) -> str:
    """Return the server version whose behaviour is imitated."""
    return VERSION


@system.action("getTime", level=Level.NONE)
def get_time(call: Call) -> int:
    """Return the server's unix time."""
    return call.account.clock.now()
