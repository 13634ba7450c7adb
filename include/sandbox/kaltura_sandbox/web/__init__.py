"""Everything that is not the API: delivery URLs and the page; each module adds its routes to ``ROUTES``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from kaltura_sandbox.server.message import Request, Response

if TYPE_CHECKING:
    from kaltura_sandbox.app import App

__all__ = ["ROUTES", "answer", "load", "route"]

Handler = Callable[["App", Request], Response | None]

ROUTES: list[tuple[str, Handler]] = []


def load() -> None:
    """Import the modules that have routes."""
    for name in ("kaltura_sandbox.delivery.routes", "kaltura_sandbox.web.page"):
        importlib.import_module(name)


def route(prefix: str) -> Callable[[Handler], Handler]:
    """Register the decorated function for paths that start with ``prefix``; it may return None to pass."""

    def register(handler: Handler) -> Handler:
        ROUTES.append((prefix, handler))
        return handler

    return register


def answer(app: App, request: Request) -> Response:
    """Answer by the longest matching prefix."""
    for prefix, handler in sorted(ROUTES, key=lambda item: -len(item[0])):
        if request.path.startswith(prefix) and (response := handler(app, request)) is not None:
            return response
    return Response(404, {"Content-Type": "text/plain"}, b"not found\n")
