"""The script ``kaltura``: the commands of ``airflow kaltura`` without the rest of Airflow's command line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from kaltura_provider import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["main", "parser"]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the script."""
    from rich_argparse import RawTextRichHelpFormatter

    from kaltura_provider.cli.definition import kaltura_commands

    def add(parent: argparse.ArgumentParser, commands: Iterable[Any]) -> None:
        below = parent.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
        for command in commands:
            child = below.add_parser(
                command.name,
                help=command.help,
                description=command.description or f"{command.help}.",
                epilog=command.epilog,
                formatter_class=RawTextRichHelpFormatter,
            )
            if hasattr(command, "subcommands"):
                add(child, command.subcommands)
                continue
            for argument in command.args:
                argument.add_to_parser(child)
            child.set_defaults(func=command.func)

    (group,) = kaltura_commands()
    made = argparse.ArgumentParser(
        prog="kaltura", description=f"{group.help}.", formatter_class=RawTextRichHelpFormatter
    )
    made.add_argument("--version", action="version", version=f"airflow-provider-kaltura {__version__}")
    add(made, group.subcommands)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script, and end the process with the exit code of the command."""
    args = parser().parse_args(arguments)
    args.func(args)
