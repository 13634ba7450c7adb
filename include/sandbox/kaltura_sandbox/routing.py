"""Everything that is not the API: delivery URLs and the page; each module adds its routes to ``ROUTES``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kaltura_sandbox.server.message import Request, Response

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account

__all__ = ["ROUTES", "answer", "route"]

Handler = Callable[["Account", Request], Response | None]

ROUTES: list[tuple[str, Handler]] = []


def route(prefix: str) -> Callable[[Handler], Handler]:
    """Register the decorated function for paths that start with ``prefix``; it may return None to pass."""

    def register(handler: Handler) -> Handler:
        ROUTES.append((prefix, handler))
        return handler

    return register


def answer(account: Account, request: Request) -> Response:
    """Answer by the longest matching prefix."""
    for prefix, handler in sorted(ROUTES, key=lambda item: -len(item[0])):
        if request.path.startswith(prefix) and (response := handler(account, request)) is not None:
            return response
    return Response(404, {"Content-Type": "text/plain"}, b"not found\n")
