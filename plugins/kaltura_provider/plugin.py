"""The Airflow plugin: macros for delivery URLs, the board, the pool of ingests, and a fix for testing connections."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

from airflow.plugins_manager import AirflowPlugin

from kaltura_provider.api.delivery import (
    download_url,
    play_manifest_url,
    raw_url,
    serve_flavor_url,
    source_download_url,
    thumbnail_url,
)
from kaltura_provider.board.link import KalturaBoardLink
from kaltura_provider.board.mount import FASTAPI_APPS, MIDDLEWARES, VIEWS
from kaltura_provider.connection_test import UnsetPort
from kaltura_provider.note_listener import NoteListener
from kaltura_provider.pool_listener import PoolListener
from kaltura_provider.preload_listener import PreloadListener

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KalturaPlugin", "scheduler_listeners"]


def scheduler_listeners(command: Sequence[str]) -> list[object]:
    """Return the listeners of a process that was started with a command: only the scheduler has any.

    Airflow rejects every DAG that has an ``end_from_trigger`` task in a process that has a listener. The scheduler does
    not read DAG files. The processes that it forks to run tasks do, and lose the listeners when they start.
    """
    if list(command[1:2]) != ["scheduler"] or multiprocessing.parent_process() is not None:
        return []
    listeners: list[object] = [PoolListener(), NoteListener(), PreloadListener()]
    os.register_at_fork(after_in_child=lambda: _unregister(listeners))
    return listeners


def _unregister(listeners: list[object]) -> None:
    from airflow.listeners.listener import get_listener_manager

    # Where Airflow has not asked for the listeners yet, it finds an empty list.
    manager = get_listener_manager() if get_listener_manager.cache_info().currsize else None
    while listeners:
        listener = listeners.pop()
        if manager is not None and manager.pm.is_registered(listener):
            manager.pm.unregister(listener)


class KalturaPlugin(AirflowPlugin):
    """Adds ``macros.kaltura``, the board, pools and notes of results, and tests connections without a port."""

    name = "kaltura"
    macros = [  # noqa: RUF012 - Airflow wants a list
        play_manifest_url,
        thumbnail_url,
        raw_url,
        download_url,
        serve_flavor_url,
        source_download_url,
    ]
    listeners = scheduler_listeners(sys.argv)
    fastapi_root_middlewares = [  # noqa: RUF012 - Airflow wants a list
        {"name": "Kaltura connections without a port", "middleware": UnsetPort, "args": [], "kwargs": {}},
        *MIDDLEWARES,
    ]
    fastapi_apps = FASTAPI_APPS
    operator_extra_links = [KalturaBoardLink()]  # noqa: RUF012 - Airflow wants a list
    external_views = VIEWS
