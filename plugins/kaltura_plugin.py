"""Registers the provider's plugin with Airflow where the package is only mounted here, not installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

try:
    distribution("airflow-provider-kaltura")
except PackageNotFoundError:
    # An installed package is registered by its entry point; a second plugin of one name would be dropped, silently.
    from kaltura_provider.plugin import KalturaPlugin  # noqa: F401
