"""The Airflow plugin: Kaltura's delivery URLs as macros for templates."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from kaltura_provider.api.delivery import download_url, play_manifest_url, raw_url, thumbnail_url

__all__ = ["KalturaPlugin"]


class KalturaPlugin(AirflowPlugin):
    """Adds ``macros.kaltura.play_manifest_url`` and its kin to templates."""

    name = "kaltura"
    macros = [play_manifest_url, thumbnail_url, raw_url, download_url]  # noqa: RUF012 - Airflow wants a list
