"""The Airflow plugin: macros for delivery URLs, the board, the pool of ingests, and a fix for testing connections."""

from __future__ import annotations

import os
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
from kaltura_provider.board.mount import FASTAPI_APPS, VIEWS
from kaltura_provider.connection_test import UnsetPort
from kaltura_provider.note_listener import NoteListener
from kaltura_provider.pool_listener import PoolListener

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KalturaPlugin", "chosen_listeners"]


def chosen_listeners(environment: Mapping[str, str]) -> list[object]:
    """Return the listeners of this deployment: none with ``KALTURA_LISTENERS=off``.

    Airflow rejects every DAG that has a task with ``end_from_trigger`` while any listener is registered.
    """
    return [] if environment.get("KALTURA_LISTENERS", "").lower() == "off" else [PoolListener(), NoteListener()]


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
    listeners = chosen_listeners(os.environ)
    fastapi_root_middlewares = [  # noqa: RUF012 - Airflow wants a list
        {"name": "Kaltura connections without a port", "middleware": UnsetPort, "args": [], "kwargs": {}}
    ]
    fastapi_apps = FASTAPI_APPS
    external_views = VIEWS
