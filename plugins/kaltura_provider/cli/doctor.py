"""``doctor``: checks what a deployment needs, and says what to fix."""

from __future__ import annotations

import platform
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from kaltura_provider.cli.feeds_folder import folder_of
from kaltura_provider.cli.output import write_rows
from kaltura_provider.cli.running import ExitCode, UsageError, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.feeds.schema import Feed

__all__ = ["doctor"]

OK, WARNING, FAILED = "ok", "warning", "failed"

# Kaltura refuses sessions that seem to end in the past or to begin in the future.
_CLOCK_WARNING, _CLOCK_FAILED = 30.0, 600.0
# What ingesting reads: the service, and what it is needed for.
_READ = {
    "baseEntry": "find entries",
    "uploadToken": "continue uploads",
    "flavorAsset": "list renditions",
    "category": "assign categories",
}
_ALIVE = {"SchedulerJob": "scheduler", "TriggererJob": "triggerer", "DagProcessorJob": "dag-processor"}


@dataclass
class Examination:
    """The results so far."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def note(self, check: str, result: str, found: str, fix: str = "") -> None:
        """Add a result; ``fix`` says what to do."""
        self.rows.append({"check": check, "result": result, "found": found, "fix": fix})

    @contextmanager
    def of(self, check: str, fix: str) -> Iterator[None]:
        """Turn any error of a check into its result, so that the others follow."""
        try:
            yield
        except Exception as error:
            # The further lines of a database error are the query.
            text = (str(error).strip() or type(error).__name__).splitlines()[0]
            self.note(check, FAILED, text[:500], fix)


def doctor(args: argparse.Namespace) -> ExitCode:
    """Check everything."""
    seen = Examination()
    _versions(seen)
    feeds = _feeds(seen, args)
    for conn_id in dict.fromkeys([args.kaltura_conn_id, *(feed.connections.kaltura for feed in feeds)]):
        _account(seen, conn_id)
    _storage(seen, args.aws_conn_id, feeds)
    _secrets(seen)
    _airflow(seen, feeds)
    rows = seen.rows if args.output != "table" else [_short(row) for row in seen.rows]
    write_rows(rows, args.output)
    failed = sum(row["result"] == FAILED for row in seen.rows)
    warned = sum(row["result"] == WARNING for row in seen.rows)
    say(f"{len(seen.rows)} checks: {failed} failed, {warned} warnings")
    return ExitCode.PROBLEMS if failed else ExitCode.DONE


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "found": row["found"][:200]}


def _versions(seen: Examination) -> None:
    from kaltura_provider import __version__

    airflow = version("apache-airflow")
    found = f"airflow-provider-kaltura {__version__}, Airflow {airflow}, Python {platform.python_version()}"
    if tuple(map(int, airflow.split(".")[:2])) < (3, 3):
        seen.note("versions", FAILED, found, "upgrade Airflow to 3.3 or later")
    else:
        seen.note("versions", OK, found)


def _feeds(seen: Examination, args: argparse.Namespace) -> list[Feed]:
    """Check the feeds; return those that are valid."""
    from kaltura_provider.feeds.folder import build_feeds
    from kaltura_provider.feeds.load import load_feeds

    try:
        folder = folder_of(args)
    except UsageError as error:
        seen.note("feeds", WARNING, str(error), "ignore this if there are no feeds on this machine")
        return []
    built = build_feeds(folder)
    for problem in built.problems:
        seen.note("feeds", FAILED, str(problem), "correct the file; `kaltura feeds lint` checks it")
    seen.note("feeds", OK, f"{len(built.dags)} valid feeds in {folder}")
    return load_feeds(folder).feeds


def _account(seen: Examination, conn_id: str) -> None:
    from kaltura_provider.api.enums import SessionType
    from kaltura_provider.api.identity import whoami
    from kaltura_provider.hooks.kaltura import KalturaHook

    check = f"connection {conn_id}"
    fix = "add or correct the connection; docs/connection.md describes its fields"
    with seen.of(check, fix):
        client = KalturaHook(conn_id).get_conn()
        identity = whoami(client)
        if not identity.ok:
            seen.note(check, FAILED, identity.message, fix)
            return
        if identity.session_type is SessionType.ADMIN:
            seen.note(check, OK, identity.message)
        else:
            seen.note(check, FAILED, identity.message, "set the session type of the connection to ADMIN")
        _permissions(seen, conn_id, client)
        _clock(seen, conn_id, client)


def _permissions(seen: Examination, conn_id: str, client: KalturaClient) -> None:
    check = f"permissions of {conn_id}"
    refused = []
    for service, purpose in _READ.items():
        wanted = {"entryIdEqual": "0_00000000"} if service == "flavorAsset" else {}
        try:
            client.call(service, "list", {"filter": wanted, "pager": {"pageSize": 1}})
        except Exception as error:
            refused.append(f"{service}.list ({purpose}): {' '.join(str(error).split())[:200]}")
    if refused:
        fix = "give the connection an admin secret, or its app token a role that may do this"
        seen.note(check, FAILED, "; ".join(refused), fix)
    else:
        seen.note(check, OK, f"may list {', '.join(_READ)}")


def _clock(seen: Examination, conn_id: str, client: KalturaClient) -> None:
    before = time.time()
    there = float(client.call("system", "getTime"))
    # The server answers with a whole second, somewhere between the two moments.
    ahead = (before + time.time()) / 2 - there - 0.5
    found = f"this machine is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the Kaltura server"
    result = OK if abs(ahead) < _CLOCK_WARNING else WARNING if abs(ahead) < _CLOCK_FAILED else FAILED
    seen.note(f"clock against {conn_id}", result, found, "" if result == OK else "synchronize the clock (NTP)")


def _storage(seen: Examination, conn_id: str, feeds: Sequence[Feed]) -> None:
    """Check that each bucket of a feed can be listed; without feeds, that the connection works."""
    buckets: dict[tuple[str, str], None] = {}
    for feed in feeds:
        for address in _addresses(feed):
            bucket = address[5:].partition("/")[0] if address.startswith("s3://") else ""
            # Which bucket a template means is known when it is rendered.
            if bucket and "{" not in bucket:
                buckets[feed.connections.aws, bucket] = None
    for aws, bucket in buckets:
        check = f"bucket {bucket} by {aws}"
        with seen.of(check, "correct the AWS connection, the bucket's name in the feed, or the bucket's policy"):
            from kaltura_provider.hooks.listing import list_s3

            first = next(iter(list_s3(bucket, "", aws_conn_id=aws)), None)
            seen.note(check, OK, "can be listed" if first else "can be listed, and is empty")
    if not buckets:
        _s3_connection(seen, conn_id)


def _addresses(feed: Feed) -> list[str]:
    source: Any = feed.source
    named = (getattr(source, name, "") for name in ("uri", "inventory"))
    return [str(address).strip() for address in (*named, *getattr(source, "urls", ()))]


def _s3_connection(seen: Examination, conn_id: str) -> None:
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.hooks.sources import s3_client

    check = f"S3 by {conn_id}"
    try:
        buckets = s3_client(conn_id).list_buckets().get("Buckets", [])
        seen.note(check, OK, f"{len(buckets)} buckets are visible")
    except KalturaConfigurationError as error:
        seen.note(check, WARNING, str(error), "ignore this if nothing is in S3")
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        seen.note(check, WARNING, text, "ignore this if the connection may list only some buckets, or nothing is in S3")


def _secrets(seen: Examination) -> None:
    from airflow.sdk.configuration import conf

    if conf.get("core", "fernet_key", fallback=""):
        seen.note("encryption", OK, "Airflow has a Fernet key")
    else:
        found = "Airflow has no Fernet key, so URLs with secrets in them are refused"
        seen.note("encryption", WARNING, found, "set [core] fernet_key, the same in all of Airflow's processes")


def _airflow(seen: Examination, feeds: Sequence[Feed]) -> None:
    """Check pools and processes in Airflow's database."""
    from kaltura_provider.hooks.pool import default_pool

    fix = "run this where Airflow runs, such as beside its scheduler; `airflow db migrate` creates the tables"
    with seen.of("Airflow's database", fix):
        from airflow.models.pool import Pool
        from airflow.utils.session import create_session

        with create_session() as session:
            slots = {pool.pool: pool.slots for pool in session.query(Pool).all()}
            for name in dict.fromkeys([default_pool(), *(feed.pool for feed in feeds if feed.pool)]):
                _pool(seen, name, slots.get(name))
            _processes(seen, session)


def _pool(seen: Examination, name: str, slots: int | None) -> None:
    if slots is None:
        fix = f"start the scheduler, which creates it, or: airflow pools set {name} 16 'Kaltura'"
        seen.note(f"pool {name}", WARNING, "does not exist", fix)
    elif slots == 0:
        fix = f"give it slots, such as: airflow pools set {name} 16 'Kaltura'"
        seen.note(f"pool {name}", FAILED, "has no slots, so its tasks never run", fix)
    else:
        seen.note(f"pool {name}", OK, f"{slots} slots" if slots > 0 else "unlimited slots")


def _processes(seen: Examination, session: Any) -> None:
    from airflow.jobs.job import Job

    for kind, name in _ALIVE.items():
        last = session.query(Job).filter(Job.job_type == kind).order_by(Job.latest_heartbeat.desc()).first()
        if last is not None and last.is_alive():
            seen.note(name, OK, f"is running on {last.hostname}")
        else:
            found = "has never run" if last is None else f"does not run; it was last seen at {last.latest_heartbeat}"
            seen.note(name, WARNING, found, f"airflow {name}")
