"""The Airflow plugin: Kaltura's delivery URLs as macros for templates."""

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

__all__ = ["KalturaPlugin"]


class KalturaPlugin(AirflowPlugin):
    """Adds ``macros.kaltura.play_manifest_url`` and its kin to templates."""

    name = "kaltura"
    macros = [  # noqa: RUF012 - Airflow wants a list
        play_manifest_url,
        thumbnail_url,
        raw_url,
        download_url,
        serve_flavor_url,
        source_download_url,
    ]
