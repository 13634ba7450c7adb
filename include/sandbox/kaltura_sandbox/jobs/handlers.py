"""Which function does which kind of job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["handler", "perform"]

Handler = Callable[["Account", "Record"], None]
_HANDLERS: dict[str, Handler] = {}


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the decorated function as the handler of a kind of job."""

    def register(function: Handler) -> Handler:
        _HANDLERS[kind] = function
        return function

    return register


def perform(account: Account, job: Record) -> None:
    """Do a job once.

    :raises Retry: it is to be done again, later.
    """
    _HANDLERS[job["kind"]](account, job)
