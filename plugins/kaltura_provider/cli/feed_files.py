"""``feeds lint``, ``feeds schema`` and ``feeds new``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_provider.cli.feeds_folder import folder_of
from kaltura_provider.cli.output import write_rows, write_text
from kaltura_provider.cli.running import ExitCode, UsageError, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kaltura_provider.feeds.fields.problems import Problem

__all__ = ["lint", "new", "schema"]


def lint(args: argparse.Namespace) -> ExitCode:
    """Check feed files."""
    from kaltura_provider.feeds.files.load import feed_files
    from kaltura_provider.feeds.folder import build_feeds, build_files

    if args.files:
        files = [Path(name) for name in dict.fromkeys(args.files)]
        built = build_files(files)
        built.problems += _taken_names(files, args)
    else:
        folder = folder_of(args)
        files = feed_files(folder)
        built = build_feeds(folder)
    if args.output == "table":
        for problem in built.problems:
            write_text(_located(problem))
    else:
        write_rows([_row(problem) for problem in built.problems], args.output)
    wrong = len({problem.path for problem in built.problems})
    say(f"{len(files)} feed file{'s' * (len(files) != 1)} checked, {wrong} with problems")
    return ExitCode.PROBLEMS if built.problems else ExitCode.DONE


def _taken_names(files: Sequence[Path], args: argparse.Namespace) -> list[Problem]:
    """Return the problems of files in the feeds folder whose name another file there has, too."""
    from kaltura_provider.feeds.files.load import feed_files, load_files, taken_name

    try:
        folder = folder_of(args).resolve()
    except UsageError:
        return []  # these files are checked somewhere else than they are used
    given = {path.resolve(): path for path in files if path.resolve().parent == folder}
    if not given:
        return []
    others = load_files(path for path in feed_files(folder) if path not in given).paths
    mine = load_files(given.values()).paths
    return [taken_name(path, name, others[name]) for name, path in mine.items() if name in others]


def schema(args: argparse.Namespace) -> ExitCode:
    """Print the JSON Schema of feed files."""
    from kaltura_provider.feeds.files.field_docs import json_schema

    write_text(json.dumps(json_schema(), indent=2))
    return ExitCode.DONE


def new(args: argparse.Namespace) -> ExitCode:
    """Write a new feed file."""
    from kaltura_provider.feeds.files.scaffold import new_feed

    try:
        text = new_feed(args.name, args.type)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if args.file == "-":
        write_text(text)
        return ExitCode.DONE
    path = Path(args.file) if args.file else folder_of(args) / f"{args.name}.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists; give another name, or another --file") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    say(f"wrote {path}; change the source, then check it: kaltura feeds lint {path}")
    return ExitCode.DONE


def _located(problem: Problem) -> str:
    from kaltura_provider.api.redaction import printable

    where = f"{problem.path}:{problem.line}:{problem.column}" if problem.line else str(problem.path)
    return printable(f"{where}: {problem.said}")


def _row(problem: Problem) -> dict[str, object]:
    return {
        "file": str(problem.path),
        "line": problem.line,
        "column": problem.column,
        "field": problem.field,
        "problem": problem.text,
    }
