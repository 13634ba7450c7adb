"""Apache Airflow provider for Kaltura: bring media from S3 or URLs into Kaltura, each source item exactly once."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

__all__ = ["__version__", "get_provider_info"]


def get_provider_info() -> dict[str, Any]:
    """Describe this package to Airflow (the ``apache_airflow_provider`` entry point)."""
    from kaltura_provider.provider_info import PROVIDER_INFO

    return PROVIDER_INFO
