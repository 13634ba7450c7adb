"""Defines the commands. Every ``airflow`` command imports this module, so it imports nothing else of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

__all__ = ["kaltura_commands"]

_FORMATS = ("table", "json", "yaml", "plain")

_EXIT_CODES = """exit codes:
  0  done
  1  done, but something is wrong with what was asked about: a feed, an item, an entry
  2  the command line is wrong
  3  the configuration is wrong: a connection, a feed file, a missing permission
  4  a server did not answer; the same command may work later"""


def _arg(*flags: str, **options: Any) -> Arg:
    make: Any = Arg
    made: Arg = make(flags, **options)
    return made


def _output(*more: str) -> Arg:
    formats = (*_FORMATS, *more)
    return _arg(
        "-o",
        "--output",
        help=f"Output format: {', '.join(formats)} (default: table)",
        metavar="FORMAT",
        choices=formats,
        default="table",
    )


_VERBOSE = _arg("-v", "--verbose", help="Show log messages, and tracebacks of errors", action="store_true")
_KALTURA = _arg("--kaltura-conn-id", help="Airflow connection of the Kaltura account (default: kaltura_default)",
    metavar="ID", default="kaltura_default",
)  # fmt: skip
_AWS = _arg("--aws-conn-id", help="Airflow connection for S3 (default: aws_default)", metavar="ID",
           default="aws_default")  # fmt: skip
_HTTP = _arg("--http-conn-id", help="Airflow HTTP connection for http(s) addresses", metavar="ID")
_FOLDER = _arg(
    "--feeds-folder",
    help="Folder of the feeds (default: KALTURA_FEEDS_FOLDER, or else ../include/feeds beside Airflow's DAGs folder)",
    metavar="FOLDER",
)
_FEED = _arg("feed", help="Name of a feed in the feeds folder, or path of a feed file", metavar="FEED")
_ENTRIES = _arg("entries", help="Kaltura entry ids", metavar="ENTRY", nargs="+")
_FROM = _arg("--from", help="First day or moment: 2024-03-01 or 2024-03-01T06:00", metavar="A", dest="first")
_TO = _arg("--to", help="Last day or moment, inclusive (default: the first)", metavar="B", dest="last")


def _run(function: str) -> Callable[[argparse.Namespace], None]:
    """Return what runs a function, given as ``module.function``. The module is imported only then."""

    def run(args: argparse.Namespace) -> None:
        from kaltura_provider.cli.running import run_command

        run_command(function, args)

    return run


def _action(
    name: str, function: str, help: str, args: Sequence[Arg], *, more: str = "", examples: Sequence[str] = ()
) -> ActionCommand:
    shown = "".join(f"\n  {line}" for line in examples)
    return ActionCommand(
        name=name,
        help=help,
        description=f"{help}.\n\n{more}" if more else f"{help}.",
        func=_run(function),
        args=[*args, _VERBOSE],
        epilog=f"examples:{shown}\n\n{_EXIT_CODES}",
    )


def kaltura_commands() -> list[GroupCommand]:
    """Return the group ``kaltura`` for Airflow's command line (the provider info key ``cli``)."""
    return [
        GroupCommand(
            name="kaltura",
            help="Bring media into Kaltura: feeds, plans, reports, ingests and entries",
            subcommands=(_feeds(), *_feed_runs(), *_entries(), *_maintenance()),
        )
    ]


def _feeds() -> GroupCommand:
    lint = _action(
        "lint", "feed_files.lint", "Check feed files, as Airflow does when it builds their DAGs",
        [_arg("files", help="Feed files (default: all in the feeds folder)", metavar="FILE", nargs="*"), _FOLDER,
         _output()],
        more="Prints file, line, column, field and problem, one per line; with -o json as data.",
        examples=["kaltura feeds lint", "kaltura feeds lint include/feeds/news.yaml", "kaltura feeds lint -o json"],
    )  # fmt: skip
    schema = _action(
        "schema", "feed_files.schema", "Print the JSON Schema of feed files, for editors", [],
        more="Editors with YAML support check and complete feed files with it.",
        examples=["kaltura feeds schema > feed.schema.json",
                  "# then, as the first line of a feed:  # yaml-language-server: $schema=../feed.schema.json"],
    )  # fmt: skip
    new = _action(
        "new", "feed_files.new", "Write a new feed file with comments",
        [_arg("name", help="Name of the feed: a-z, 0-9 and _", metavar="NAME"),
         _arg("-t", "--type", help="Type of source (default: s3_prefix); an unknown one lists all", metavar="TYPE",
             default="s3_prefix"),
         _arg("-f", "--file", help="File to write; - for the terminal (default: NAME.yaml in the feeds folder)",
             metavar="FILE"), _FOLDER],
        more="The file is a valid feed. Fields that are not needed are there as comments. No file is overwritten.",
        examples=["kaltura feeds new news --type s3_prefix", "kaltura feeds new bulletin --type urls --file -"],
    )  # fmt: skip
    return GroupCommand(name="feeds", help="Check and write feed files", subcommands=(lint, schema, new))


def _feed_runs() -> tuple[ActionCommand, ...]:
    plan = _action(
        "plan", "plan.plan", "Show what runs of a feed would do. Moves nothing",
        [_FEED, _arg("--date", help="A day, or the moment an interval begins (default: the last that has ended)",
                    metavar="D"),
         _FROM, _TO, _arg("--by-window", help="One row per window instead of one per item", action="store_true"),
         _FOLDER, _output()],
        more="Reads the source and looks the items up in Kaltura, with the connections of the feed.",
        examples=["kaltura plan news", "kaltura plan news --date 2024-03-01",
                  "kaltura plan news --from 2024-01-01 --to 2024-12-31 --by-window -o json"],
    )  # fmt: skip
    report = _action(
        "report", "report.report", "Report what runs of a feed have brought in, by window and in sum",
        [_FEED, _FROM, _TO, _FOLDER, _output("csv")],
        more="Reads the receipts of the feed; without receipts, the source and Kaltura.",
        examples=["kaltura report news --from 2024-03-01 --to 2024-03-31",
                  "kaltura report news --from 2024-03-01 --to 2024-03-31 -o csv > march.csv"],
    )  # fmt: skip
    return plan, report


def _entries() -> tuple[ActionCommand, ...]:
    ingest = _action(
        "ingest", "ingest.ingest", "Bring sources into Kaltura now, without a scheduler",
        [_arg("uris", help="s3://bucket/key, https://..., or the path of a local file", metavar="URI", nargs="+"),
         _arg("--name", help="Name of the entry (only for one source)", metavar="NAME"),
         _arg("--description", help="Description of the entries", metavar="TEXT"),
         _arg("--tags", help="Tags of the entries, separated by commas", metavar="TAGS"),
         _arg("--if-exists", help="What to do with a source that is in Kaltura with other content: skip, replace or "
             "fail (default: skip)", choices=("skip", "replace", "fail"), metavar="WHAT", default="skip"),
         _arg("--recursive", help="Let s3://bucket/folder/ mean all objects below it", action="store_true"),
         _KALTURA, _AWS, _HTTP, _output()],
        more="Each source becomes one entry, however often this runs: a source that is in Kaltura already is found,\n"
             "and an upload that was interrupted continues. Progress goes to standard error.",
        examples=["kaltura ingest film.mp4 --name 'My film'", "kaltura ingest s3://media/news/ --recursive -o json"],
    )  # fmt: skip
    status = _action(
        "status", "entries.status", "Show entries and whether they can be played",
        [_ENTRIES, _arg("--wait", help="Wait up to this many minutes for Kaltura to convert them",
                        metavar="MINUTES", type=float, default=0.0), _KALTURA, _output()],
        examples=["kaltura status 0_ab12cd34", "kaltura status 0_ab12cd34 --wait 30 -o json"],
    )  # fmt: skip
    flavors = _action(
        "flavors", "entries.flavors", "List the renditions (flavors) of entries", [_ENTRIES, _KALTURA, _output()],
        examples=["kaltura flavors 0_ab12cd34"],
    )  # fmt: skip
    return ingest, status, flavors


def _maintenance() -> tuple[ActionCommand, ...]:
    housekeeping = _action(
        "housekeeping", "housekeeping.housekeeping", "Find what interrupted runs left behind in Kaltura",
        [_arg("--older-than", help="Hours without a change, at least 1 (default: 24)", metavar="HOURS",
             type=float, default=24.0),
         _arg("--delete", help="Delete what is found", action="store_true"), _KALTURA, _output()],
        more="Finds upload tokens and empty entries that this package made and nobody uses. Without --delete it only\n"
             "lists them.",
        examples=["kaltura housekeeping", "kaltura housekeeping --older-than 72 --delete"],
    )  # fmt: skip
    doctor = _action(
        "doctor", "doctor.doctor", "Check connections, permissions, S3, pools, versions, the clock and the feeds",
        [_KALTURA, _AWS, _FOLDER, _output()],
        more="Says what to fix. Changes nothing. Connections that the feeds name are checked too.",
        examples=["kaltura doctor", "kaltura doctor -o json"],
    )  # fmt: skip
    redrive = _action(
        "redrive", "redrive.redrive", "Bring back items of a feed that were set aside because they kept failing",
        [_FEED, _arg("-k", "--key", help="Address of one item, or the end of it (default: all)", metavar="KEY"),
         _FOLDER, _output()],
        more="The next run tries them again. An s3_prefix feed finds only the items of the runs that are repeated.",
        examples=["kaltura redrive inbox", "kaltura redrive inbox --key day1/talk.mp4"],
    )  # fmt: skip
    return housekeeping, redrive, doctor
