"""Register the provider's plugin with Airflow if the package is only mounted here, not installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

try:
    distribution("airflow-provider-kaltura")
except PackageNotFoundError:
    # The entry point of an installed package registers the plugin. Airflow silently drops a second one of that name.
    from kaltura_provider.plugin import KalturaPlugin  # noqa: F401 - Airflow finds it here
