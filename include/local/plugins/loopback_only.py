"""Airflow's page has no login in this deployment, so it answers no host name but those of this machine.

Without this, a web page whose host name is rebound to 127.0.0.1 could use Airflow as an administrator.
"""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin
from starlette.middleware.trustedhost import TrustedHostMiddleware

HOSTS = ["127.0.0.1", "localhost", "[::1]"]


class LoopbackOnly(AirflowPlugin):
    """Refuses requests with a foreign ``Host`` header."""

    name = "loopback_only"
    fastapi_root_middlewares: ClassVar[list[dict[str, Any]]] = [
        {
            "name": "loopback hosts only",
            "middleware": TrustedHostMiddleware,
            "args": [],
            "kwargs": {"allowed_hosts": HOSTS, "www_redirect": False},
        }
    ]
