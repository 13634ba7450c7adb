"""The Airflow plugin: macros for delivery URLs, the pool of ingests, and a fix for the *Test* button of connections."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from kaltura_provider.api.delivery import (
    download_url,
    play_manifest_url,
    raw_url,
    serve_flavor_url,
    source_download_url,
    thumbnail_url,
)
from kaltura_provider.connection_test import UnsetPort
from kaltura_provider.note_listener import NoteListener
from kaltura_provider.pool_listener import PoolListener

__all__ = ["KalturaPlugin"]


class KalturaPlugin(AirflowPlugin):
    """Adds macros such as ``macros.kaltura.play_manifest_url``, creates pools, notes results, and tests connections."""

    name = "kaltura"
    macros = [  # noqa: RUF012 - Airflow wants a list
        play_manifest_url,
        thumbnail_url,
        raw_url,
        download_url,
        serve_flavor_url,
        source_download_url,
    ]
    listeners = [PoolListener(), NoteListener()]  # noqa: RUF012 - Airflow wants a list
    fastapi_root_middlewares = [  # noqa: RUF012 - Airflow wants a list
        {"name": "Kaltura connections without a port", "middleware": UnsetPort, "args": [], "kwargs": {}}
    ]
