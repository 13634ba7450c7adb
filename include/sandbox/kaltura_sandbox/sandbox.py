"""A sandbox inside the calling process: made, used and thrown away by a test."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kaltura_sandbox.app import App
from kaltura_sandbox.client import Control
from kaltura_sandbox.config import Config
from kaltura_sandbox.server.http import HttpServer

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.server.message import Request, Response
    from kaltura_sandbox.spawned import SpawnedSandbox

__all__ = ["Sandbox"]


class Sandbox:
    """A running Kaltura on loopback: ``with Sandbox(port=0) as sandbox: ... sandbox.service_url``.

    Keyword arguments are those of :class:`kaltura_sandbox.config.Config`; without ``data_dir`` the state lives in a
    temporary directory that goes with the sandbox. Port 0 takes any free one.

    :raises OSError: the port is taken.
    """

    def __init__(self, *, data_dir: Path | str | None = None, port: int = 0, **settings: Any) -> None:
        self._own_directory = data_dir is None
        directory = Path(data_dir) if data_dir is not None else Path(tempfile.mkdtemp(prefix="kaltura-sandbox-"))
        config = Config(data_dir=directory, port=port, **settings)
        # The port first: a second sandbox on the same directory must fail before it touches the state.
        self._server = HttpServer(config.host, port, self._handle)
        self.config = dataclasses.replace(config, port=self._server.port)
        try:
            self._app = App(self.config)
        except BaseException:
            self._server.close()
            raise
        self.control = Control(self.url)

    def _handle(self, request: Request) -> Response:
        return self._app.handle(request)

    @property
    def account(self) -> Account:
        """The state behind the server, for tests that look into it or change it."""
        return self._app.account

    @property
    def url(self) -> str:
        """The address of the sandbox and of its page."""
        return f"http://{self.config.host}:{self._server.port}"

    @property
    def service_url(self) -> str:
        """The address of the API."""
        return f"{self.url}/api_v3"

    @property
    def partner_id(self) -> int:
        """The account."""
        return self.config.partner_id

    @property
    def admin_secret(self) -> str:
        """The account's admin secret."""
        return self.config.admin_secret

    @property
    def user_secret(self) -> str:
        """The account's user secret."""
        return self.config.user_secret

    def ks(self, user_id: str = "admin", *, admin: bool = True, privileges: str = "disableentitlement") -> str:
        """Return a session string, without asking the server."""
        return self.account.sessions.start(user_id, 2 if admin else 0, 86400, privileges)

    @staticmethod
    def spawn(**options: Any) -> SpawnedSandbox:
        """Return a sandbox as a process of its own, for tests that kill it; see :class:`SpawnedSandbox`."""
        from kaltura_sandbox.spawned import SpawnedSandbox

        return SpawnedSandbox(**options)

    def start(self) -> Self:
        """Begin to answer."""
        self._app.start()
        self._server.start()
        return self

    def close(self) -> None:
        """Stop, and remove a temporary data directory."""
        self._server.close()
        self._app.close()
        if self._own_directory:
            shutil.rmtree(self.config.data_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.close()
