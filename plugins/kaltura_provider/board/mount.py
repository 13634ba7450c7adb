"""What the plugin registers for the board. Only API servers import the board: when they have started, or when asked."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

__all__ = ["FASTAPI_APPS", "MIDDLEWARES", "VIEWS", "BoardOnFirstRequest", "warmed_up"]

PREFIX: Final = "/kaltura"

T = TypeVar("T")

log = logging.getLogger(__name__)


class BoardOnFirstRequest:
    """An ASGI application that imports the board when it is first asked for something."""

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Pass a request to the board."""
        from kaltura_provider.board.app import app

        await app(scope, receive, send)


def warmed_up(app: T) -> T:
    """Return the application of an API server, and import the board in a thread, so that its first page is fast.

    Airflow calls this, as a middleware, when an API server starts.
    """
    threading.Thread(target=_warm_up, name="kaltura-board", daemon=True).start()
    return app


def _warm_up() -> None:
    try:
        from kaltura_provider.board.app import app
        from kaltura_provider.board.records import RECORDS

        log.debug("Imported the %s, which knows %d DAGs", app.title, len(RECORDS.dag_ids()))
        # The first page asks again what has changed since.
        RECORDS.forget()
    except Exception as error:
        # The first request tries again and says what is wrong.
        log.info("The board cannot be prepared yet: %s", type(error).__name__)


MIDDLEWARES: Final[list[dict[str, Any]]] = [
    {"name": "Kaltura board, ready for its first request", "middleware": warmed_up, "args": [], "kwargs": {}}
]

FASTAPI_APPS: Final[list[dict[str, Any]]] = [
    {"app": BoardOnFirstRequest(), "url_prefix": PREFIX, "name": "Kaltura board"}
]

# Relative addresses also work where Airflow is served below a path.
VIEWS: Final[list[dict[str, Any]]] = [
    {
        "name": "Kaltura",
        "href": "kaltura/board",
        "destination": "nav",
        "category": "browse",
        "url_route": "kaltura",
    },
    {
        "name": "Kaltura",
        "href": "kaltura/feed?dag_id={DAG_ID}",
        "destination": "dag",
        "url_route": "kaltura-feed",
    },
    {
        "name": "Kaltura",
        "href": "kaltura/run?dag_id={DAG_ID}&run_id={RUN_ID}",
        "destination": "dag_run",
        "url_route": "kaltura-run",
    },
]
