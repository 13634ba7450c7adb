"""pytest fixtures: ``kaltura_sandbox`` is a running Kaltura, ``s3_sandbox`` an S3 server beside it.

With ``kaltura_sandbox``, Airflow's connection ``kaltura_default`` leads to the sandbox for the length of the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaltura_sandbox.s3 import S3Server
    from kaltura_sandbox.sandbox import Sandbox

__all__ = ["kaltura_sandbox", "kaltura_sandbox_server", "s3_sandbox"]


@pytest.fixture(scope="session")
def kaltura_sandbox_server() -> Iterator[Sandbox]:
    """One sandbox for the whole test run; its final chunks wait 2 seconds and imports retry after one."""
    from kaltura_sandbox.sandbox import Sandbox

    with Sandbox(final_wait=2, import_retry_delay=1) as sandbox:
        yield sandbox


@pytest.fixture
def kaltura_sandbox(kaltura_sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Give a running Kaltura, empty and without faults, as Airflow's connection ``kaltura_default``."""
    from kaltura_sandbox.env_file import environment

    kaltura_sandbox_server.account.reset()
    known = environment(kaltura_sandbox_server.config, kaltura_sandbox_server.url, None)
    monkeypatch.setenv("AIRFLOW_CONN_KALTURA_DEFAULT", known["AIRFLOW_CONN_KALTURA_DEFAULT"])
    yield kaltura_sandbox_server
    kaltura_sandbox_server.account.faults.remove()


@pytest.fixture(scope="session")
def s3_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Give an S3 server without sample media (``url``, ``access_key``, ``secret_key``)."""
    from kaltura_sandbox.s3 import S3Server

    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server
