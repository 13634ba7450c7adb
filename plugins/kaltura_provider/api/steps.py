"""What a call asks of its transport, one step at a time; sync and async clients carry out the same steps.

A plan is a generator: it yields a step, is sent the step's outcome, and returns the call's value or raises.
Nothing in it waits or opens a socket.
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
    """Seconds to wait for a connection, and for each next piece of data in either direction."""

    connect: float = 10.0
    read: float = 60.0


@dataclass(frozen=True, slots=True)
class Send:
    """Send ``request``; the outcome is an ``HttpReply``, or an error thrown into the plan."""

    request: HttpRequest
    timeout: Timeout


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for ``seconds``; no outcome."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NeedSession:
    """Get a session other than ``refused``; the outcome is its text. One is opened for all who wait."""

    refused: str | None = None


Steps: TypeAlias = Generator[Send | Sleep | NeedSession, Any, T]
