"""The Airflow plugin: Kaltura's delivery URLs as macros for templates, and a *Test* button that works."""

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

__all__ = ["KalturaPlugin"]


class KalturaPlugin(AirflowPlugin):
    """Adds ``macros.kaltura.play_manifest_url`` and its kin to templates; lets connections without a port be tested."""

    name = "kaltura"
    macros = [  # noqa: RUF012 - Airflow wants a list
        play_manifest_url,
        thumbnail_url,
        raw_url,
        download_url,
        serve_flavor_url,
        source_download_url,
    ]
    fastapi_root_middlewares = [  # noqa: RUF012 - Airflow wants a list
        {"name": "Kaltura connections without a port", "middleware": UnsetPort, "args": [], "kwargs": {}}
    ]
