"""The steps of a call, which both the synchronous and the asynchronous client carry out.

A plan is a generator: it yields a step, receives the step's outcome, and returns the call's value or raises. It never
waits and never opens a socket.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from kaltura_provider.api.wire import HttpRequest

__all__ = ["NeedSession", "Steps", "Send", "Sleep", "Timeout"]

T = TypeVar("T")


class Timeout(NamedTuple):
    """Seconds to wait for a connection, and for each piece of data in either direction."""

    connect: float = 10.0
    read: float = 60.0


@dataclass(frozen=True, slots=True)
class Send:
    """Send ``request``. The outcome is an ``HttpReply``, or an error that is thrown into the plan."""

    request: HttpRequest
    timeout: Timeout


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for ``seconds``. There is no outcome."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NeedSession:
    """Get a session other than ``refused``; it is the outcome. All waiting callers share the new session."""

    refused: str | None = None


Steps: TypeAlias = Generator[Send | Sleep | NeedSession, Any, T]
