"""What the plugin registers for the board. Only the first request imports the board, so only API servers load it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

__all__ = ["FASTAPI_APPS", "VIEWS", "BoardOnFirstRequest"]

PREFIX: Final = "/kaltura"


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
