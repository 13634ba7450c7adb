"""Look up the connections that arguments name, and check that they exist and have the right type."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from kaltura_provider.api.errors import KalturaConfigurationError

__all__ = ["ALLOWED_CONNECTIONS", "allowed_connections", "check_typed", "named_connection", "no_connection", "of_type"]

ALLOWED_CONNECTIONS = "KALTURA_ALLOWED_CONNECTIONS"
"""Environment variable with the comma-separated connection ids that users may give in a trigger form. Without it, any
connection of the right type is allowed."""

_TYPES = {"kaltura_conn_id": ("kaltura",), "aws_conn_id": ("aws",), "http_conn_id": ("http", "https")}
_TEXTS = ("conn_type", "host", "login", "password", "schema", "description")
_UNKNOWN = ("is not the id of a connection", "add the connection, or correct the id")
# Secrets backends turn ids into paths.
_TYPED = re.compile(r"[\w.:-]{1,250}")


def named_connection(conn_id: str, field: str) -> Connection:
    """Return the connection that an argument names.

    :param field: ``kaltura_conn_id``, ``aws_conn_id`` or ``http_conn_id``, which determines the required type.
    :raises KalturaConfigurationError: the connection does not exist, or is of another type.
    """
    from airflow.sdk import BaseHook

    if not conn_id:
        raise no_connection(conn_id, field)
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise no_connection(conn_id, field) from None
    return of_type(connection, field)


def of_type(connection: Connection, field: str) -> Connection:
    """Return the connection if it has the type that the argument requires; raises as :func:`named_connection`."""
    from kaltura_provider.api.errors import KalturaConfigurationError

    wanted = _TYPES[field]
    if connection.conn_type not in wanted:
        problem = f"is a connection of type {connection.conn_type or 'nothing'!r}"
        raise KalturaConfigurationError(field, connection.conn_id, problem, f"give a connection of type {wanted[0]!r}")
    return connection


def no_connection(conn_id: str, field: str) -> KalturaConfigurationError:
    """Return the error for a connection that does not exist, or that Airflow cannot read."""
    from kaltura_provider.api.errors import KalturaConfigurationError, KalturaUnknownConnectionError

    if (unreadable := _unreadable_variable(conn_id)) is not None:
        return unreadable
    problem, fix = _UNKNOWN
    if field == "aws_conn_id":
        fix += "; a connection of type 'aws' without keys uses the worker's own credentials"
    # An empty id stays empty. Any other may only be unknown because Airflow could not look it up.
    unknown = KalturaUnknownConnectionError if conn_id else KalturaConfigurationError
    return unknown(field, conn_id, problem, fix)


def _unreadable_variable(conn_id: str) -> KalturaConfigurationError | None:
    """Return why Airflow cannot read a connection from its environment variable, if it has one.

    Airflow skips a variable that it cannot read, and then reports that the connection does not exist.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError

    name = f"AIRFLOW_CONN_{conn_id.upper()}"
    text = os.environ.get(name, "").strip()
    if not text.startswith("{"):
        return None
    field = f"environment variable {name}"
    try:
        said = json.loads(text)
    except ValueError:
        return KalturaConfigurationError(field, None, "is not valid JSON", "correct its commas, quotes and braces")
    wrong = [key for key in _TEXTS if not isinstance(said.get(key), str | None)]
    if wrong:
        return KalturaConfigurationError(
            f"{field}: {wrong[0]}", None, "is not text", f'write it in quotes, as in "{wrong[0]}": "12345"'
        )
    return KalturaConfigurationError(field, None, "cannot be read by Airflow", "check its fields and the port")


def check_typed(conn_id: str, field: str) -> None:
    """Check a connection that a user typed into a form. Users are not allowed to use every connection.

    :raises KalturaConfigurationError: the connection does not exist, is of another type, or is not allowed here.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError, KalturaUnknownConnectionError

    allowed = allowed_connections()
    if allowed and conn_id not in allowed:
        problem = f"is not one of the connections that this deployment allows in forms ({ALLOWED_CONNECTIONS})"
        raise KalturaConfigurationError(field, conn_id, problem, f"use one of {', '.join(sorted(allowed))}")
    if conn_id not in allowed and not _TYPED.fullmatch(conn_id):
        raise KalturaConfigurationError(field, conn_id, *_UNKNOWN)
    try:
        connection = named_connection(conn_id, field)
    except KalturaUnknownConnectionError as error:
        # Most likely mistyped: the error must come at once.
        raise KalturaConfigurationError(field, conn_id, error.problem, error.fix) from None
    if field == "http_conn_id" and not connection.host and conn_id not in allowed:
        raise KalturaConfigurationError(
            field,
            conn_id,
            "has no host, so a user of the form could send its credentials anywhere",
            f"set the connection's host, or list it in {ALLOWED_CONNECTIONS}",
        )


def allowed_connections() -> frozenset[str]:
    """Return the ids that forms may use; an empty set allows every connection of the right type."""
    named = os.environ.get(ALLOWED_CONNECTIONS, "").split(",")
    return frozenset(name.strip() for name in named if name.strip())
