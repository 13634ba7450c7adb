"""One definition of the commands for ``airflow kaltura`` and the script ``kaltura``."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kaltura_provider.cli.definition import kaltura_commands
from kaltura_provider.cli.main import parser
from kaltura_provider.cli.running import ExitCode
from kaltura_provider.provider_info import PROVIDER_INFO


def leaves(commands: Any, way: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for command in commands:
        here = (*way, command.name)
        found |= leaves(command.subcommands, here) if hasattr(command, "subcommands") else {here: command}
    return found


def of_parser(
    made: argparse.ArgumentParser, way: tuple[str, ...] = ()
) -> dict[tuple[str, ...], argparse.ArgumentParser]:
    groups = [action for action in made._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        return {way: made}
    return {
        key: one for name, child in groups[0].choices.items() for key, one in of_parser(child, (*way, name)).items()
    }


COMMANDS = leaves(kaltura_commands())


def test_airflow_and_the_script_have_the_same_commands_and_options() -> None:
    from airflow.cli.cli_parser import get_parser

    script = of_parser(parser())
    airflow = {way[1:]: made for way, made in of_parser(get_parser()).items() if way[0] == "kaltura"}
    assert set(script) == set(airflow) == {way[1:] for way in COMMANDS}
    for way, made in script.items():
        assert options(made) == options(airflow[way]), way


def options(made: argparse.ArgumentParser) -> set[Any]:
    return {
        (tuple(action.option_strings), action.dest, str(action.default), action.required) for action in made._actions
    }


@pytest.mark.parametrize("way", COMMANDS, ids=" ".join)
def test_help_has_examples_that_parse_and_exit_codes(way: tuple[str, ...]) -> None:
    command = COMMANDS[way]
    examples = [line.strip() for line in command.epilog.splitlines() if line.strip().startswith("kaltura ")]
    assert examples
    for example in examples:
        words = shlex.split(example.partition(" > ")[0])[1:]
        assert parser().parse_args(words).func.__name__ == "run"
    for code in ExitCode:
        if code is not ExitCode.INTERRUPTED:
            assert f"  {code}  " in command.epilog
    text = of_parser(parser())[way[1:]].format_help()
    assert command.help in text


def test_every_command_leads_to_a_function() -> None:
    from importlib import import_module

    for command in COMMANDS.values():
        module, _, name = command.func.__closure__[0].cell_contents.rpartition(".")
        assert callable(getattr(import_module(f"kaltura_provider.cli.{module}"), name))


def test_airflow_imports_only_the_definition() -> None:
    (path,) = PROVIDER_INFO["cli"]
    module, _, function = path.rpartition(".")
    code = f"""
import sys, airflow.cli.cli_config
before = set(sys.modules)
import importlib
getattr(importlib.import_module({module!r}), {function!r})()
print(*sorted(name for name in set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = done.stdout.splitlines()[-1].split()  # Airflow may log before
    assert [name for name in loaded if not name.startswith("kaltura_provider")] == []
    assert set(loaded) <= {"kaltura_provider", "kaltura_provider.cli", "kaltura_provider.cli.definition"}


def test_the_page_names_every_command_and_exit_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
    for way in COMMANDS:
        assert f"`kaltura {' '.join(way[1:])}" in page
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == set(ExitCode)
