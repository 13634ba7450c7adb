"""The trigger form of a feed: its fields, and what a user chose for one run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from kaltura_provider.api.redaction import printable
from kaltura_provider.feeds.fields.problems import did_you_mean
from kaltura_provider.feeds.form.params import HOW, dry_run_param, if_exists_param, transfer_param
from kaltura_provider.feeds.planning.interval import DATE_PARAM, DRY_RUN_PARAM, UNTIL_PARAM, runs_within_a_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.feeds.schema import Feed
    from kaltura_provider.feeds.sources import Found

__all__ = ["ONLY_PARAM", "Choice", "chosen", "feed_params", "only_these"]

ONLY_PARAM = "only"
"""The param for the keys or addresses that a run is limited to."""

_MAX_PROBLEMS = 5


def feed_params(feed: Feed) -> dict[str, Param]:
    """Return the params of the DAG of a feed. Their defaults are what the feed says."""
    within_a_day = runs_within_a_day(feed.schedule)
    what = "Start of the interval" if within_a_day else "Day"
    date_format = "date-time" if within_a_day else "date"
    return {
        DATE_PARAM: Param(
            None,
            type=["null", "string"],
            format=date_format,
            title=f"{what} to ingest",
            description=f"In {feed.timezone}. Leave empty for the last interval that has ended",
        ),
        DRY_RUN_PARAM: dry_run_param(),
        UNTIL_PARAM: Param(
            None,
            type=["null", "string"],
            format=date_format,
            title="Dry run until",
            description="Plan every interval from the one above to this one, as a backfill would. Only for a dry run",
        ),
        ONLY_PARAM: Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            title="Only these",
            description="Keys, file names or addresses, one per line. Leave empty for everything that the source holds",
        ),
        "if_exists": if_exists_param(feed.if_exists),
        "transfer": transfer_param(feed.transfer),
        "batch_size": Param(
            feed.batch_size,
            type="integer",
            minimum=1,
            maximum=100,
            title="Batch size",
            description="Maximum number of items per task; 10 times as many with bulk",
            section=HOW,
        ),
    }


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen for one run, or what the DAG says.

    :param only: lines of the form, without empty ones.
    """

    if_exists: str
    transfer: str
    batch_size: int
    only: tuple[str, ...] = ()


def chosen(context: Context, defaults: Choice) -> Choice:
    """Return the choices of a run. A DAG without these params keeps the defaults."""
    params: Mapping[str, Any] = context.get("params") or {}
    only = tuple(line.strip() for line in params.get(ONLY_PARAM) or () if line.strip())
    given = {name: params[name] for name in ("if_exists", "transfer", "batch_size") if params.get(name)}
    return replace(defaults, **given, only=only)


def only_these(found: Found, lines: Sequence[str]) -> Found:
    """Return what a source holds, limited to the items that a user named.

    :param lines: each is the address of an item, its key, or the end of its key, such as its file name.
    :raises ValueError: a line names nothing that the source holds for this run. The message names the line.
    """
    wanted = {_wanted(line) for line in lines}
    named: dict[str, set[int]] = {}
    for place, item in enumerate(found.items):
        for name in wanted.intersection(_names(item.uri)):
            named.setdefault(name, set()).add(place)
    unknown = [(number, line) for number, line in enumerate(lines, 1) if _wanted(line) not in named]
    if unknown:
        problems = [f"line {number}: {_problem(line, found)}" for number, line in unknown[:_MAX_PROBLEMS]]
        more = [f"and {len(unknown) - _MAX_PROBLEMS} more lines"] if len(unknown) > _MAX_PROBLEMS else []
        raise ValueError(f"'Only these' cannot be used: {'; '.join(problems + more)}")
    taken = set().union(*named.values())
    # A run of a part changes and remembers nothing about the rest.
    items = [item for place, item in enumerate(found.items) if place in taken]
    return replace(found, items=items, changes=[], memory=None)


def _wanted(line: str) -> str:
    """Return a line as :func:`_names` has it: an address as it is, a path with one slash before it."""
    return line if "://" in line else f"/{line.lstrip('/')}"


def _names(uri: str) -> Iterator[str]:
    """Yield what a line may say to mean an item: its address, its path, and every end of its path."""
    yield uri
    path = _path(uri)
    at = 0
    while at >= 0:
        yield path[at:]
        at = path.find("/", at + 1)


def _path(uri: str) -> str:
    """Return the part of an address in which names are looked for, with a slash before it."""
    return "/" + uri.partition("://")[2].partition("?")[0]


def _problem(line: str, found: Found) -> str:
    name = printable(line)
    for reason, names in found.left_out.items():
        if any(line == one or one.endswith(f"/{line}") or line.endswith(f"/{one}") for one in names):
            return f"'{name}' is left out ({reason})"
    hint = did_you_mean(line, (_path(item.uri).rpartition("/")[2] for item in found.items))
    return f"'{name}' is not among the {len(found.items):,} items {found.place}{hint}"
