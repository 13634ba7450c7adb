"""Runs a command: results go to standard output, everything else to standard error, and errors become exit codes."""

from __future__ import annotations

import io
import logging
import os
import sys
from enum import IntEnum
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import argparse

__all__ = ["ExitCode", "UsageError", "outcome", "run_command", "say"]

log = logging.getLogger(__name__)


class ExitCode(IntEnum):
    """How a command ended. The numbers are part of the interface."""

    DONE = 0
    PROBLEMS = 1
    """It is done, but something is wrong with what was asked about."""
    USAGE = 2
    """The command line is wrong."""
    CONFIGURATION = 3
    """Somebody has to change a connection, a feed file or a permission first."""
    UNAVAILABLE = 4
    """A server did not answer. The same command may work later."""
    INTERRUPTED = 130
    """The user pressed Ctrl-C."""


class UsageError(ValueError):
    """The command line is wrong; the message says how."""


def say(text: str) -> None:
    """Write a line for people to standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is a command line


def run_command(function: str, args: argparse.Namespace) -> NoReturn:
    """Run a command and end the process with its exit code.

    :param function: ``module.function`` in this package. It takes the arguments and returns an :class:`ExitCode`.
    """
    from airflow.sdk.log import configure_logging

    # Outside of tasks, the task SDK only reads connections from Airflow's database in a server process.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name can have characters that the terminal, or any encoding, cannot show.
        sys.stdout.reconfigure(errors="backslashreplace")
    configure_logging(log_level="INFO" if args.verbose else "WARNING", output=sys.stderr)
    sys.exit(int(outcome(function, args)))


def outcome(function: str, args: argparse.Namespace) -> ExitCode:
    """Run a command and return its exit code, as :func:`run_command` does."""
    module, _, name = function.rpartition(".")
    try:
        code: ExitCode = getattr(import_module(f"kaltura_provider.cli.{module}"), name)(args)
    except KeyboardInterrupt:
        say("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python would complain when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:
        if args.verbose:
            log.exception("The command failed")
        say(_words(error))
        return _code_of(error)
    return code


def _code_of(error: Exception) -> ExitCode:
    from airflow.sdk.exceptions import AirflowNotFoundException

    from kaltura_provider.api.errors import KalturaConfigurationError, KalturaSessionError
    from kaltura_provider.feeds.files.load import FeedError
    from kaltura_provider.feeds.planning.windows import DateRangeError
    from kaltura_provider.feeds.state.stored_version import NewerData
    from kaltura_provider.hooks.border import retry_helps

    if isinstance(error, UsageError | DateRangeError):
        return ExitCode.USAGE
    if isinstance(error, KalturaConfigurationError | KalturaSessionError | FeedError | AirflowNotFoundException):
        return ExitCode.CONFIGURATION
    if type(error) in (ValueError, NewerData) or isinstance(
        error, FileNotFoundError | NotADirectoryError | PermissionError
    ):
        return ExitCode.CONFIGURATION
    return ExitCode.UNAVAILABLE if retry_helps(error) else ExitCode.PROBLEMS


def _words(error: Exception) -> str:
    """Return an error as text without secrets; problems of several feeds are one line each."""
    from kaltura_provider.api.redaction import printable
    from kaltura_provider.hooks.border import is_foreseen

    foreseen = _code_of(error) in (ExitCode.USAGE, ExitCode.CONFIGURATION) or is_foreseen(error)
    lines = [printable(line) for line in str(error).splitlines() if line.strip()]
    if foreseen:
        return "\n".join(lines)
    said = " ".join([f"{type(error).__name__}:", *lines])
    return f"unexpected error: {said} (--verbose shows where)"
