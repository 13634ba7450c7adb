"""Let Airflow's UI, which has no login in this deployment, answer only to host names of this machine.

Otherwise a web page whose host name is rebound to 127.0.0.1 could use Airflow as an administrator.
"""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin
from starlette.middleware.trustedhost import TrustedHostMiddleware

HOSTS = ["127.0.0.1", "localhost", "[::1]"]


class LoopbackOnly(AirflowPlugin):
    """Refuse requests whose ``Host`` header does not name this machine."""

    name = "loopback_only"
    fastapi_root_middlewares: ClassVar[list[dict[str, Any]]] = [
        {
            "name": "loopback hosts only",
            "middleware": TrustedHostMiddleware,
            "args": [],
            "kwargs": {"allowed_hosts": HOSTS, "www_redirect": False},
        }
    ]
