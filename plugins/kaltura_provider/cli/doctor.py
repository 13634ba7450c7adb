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
from kaltura_provider.upload.sources.s3_address import bucket_and_key

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
_PROCESSES = {"SchedulerJob": "scheduler", "TriggererJob": "triggerer", "DagProcessorJob": "dag-processor"}


@dataclass
class Results:
    """The results of the checks so far."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, check: str, result: str, found: str, fix: str = "") -> None:
        """Add a result; ``fix`` says what to do."""
        self.rows.append({"check": check, "result": result, "found": found, "fix": fix})

    @contextmanager
    def checking(self, check: str, fix: str) -> Iterator[None]:
        """Turn any error of a check into its result, so that the others follow."""
        try:
            yield
        except Exception as error:
            # The further lines of a database error are the query.
            text = (str(error).strip() or type(error).__name__).splitlines()[0]
            self.add(check, FAILED, text[:500], fix)


def doctor(args: argparse.Namespace) -> ExitCode:
    """Check everything."""
    results = Results()
    _versions(results)
    feeds = _feeds(results, args)
    for conn_id in dict.fromkeys([args.kaltura_conn_id, *(feed.connections.kaltura for feed in feeds)]):
        _account(results, conn_id)
    _storage(results, args.aws_conn_id, feeds)
    _secrets(results)
    _airflow(results, feeds)
    rows = results.rows if args.output != "table" else [_short(row) for row in results.rows]
    write_rows(rows, args.output)
    failed = sum(row["result"] == FAILED for row in results.rows)
    warned = sum(row["result"] == WARNING for row in results.rows)
    say(f"{len(results.rows)} checks: {failed} failed, {warned} warning{'s' * (warned != 1)}")
    return ExitCode.PROBLEMS if failed else ExitCode.DONE


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "found": row["found"][:200]}


def _versions(results: Results) -> None:
    from kaltura_provider import __version__

    airflow = version("apache-airflow")
    found = f"airflow-provider-kaltura {__version__}, Airflow {airflow}, Python {platform.python_version()}"
    if tuple(map(int, airflow.split(".")[:2])) < (3, 3):
        results.add("versions", FAILED, found, "upgrade Airflow to 3.3 or later")
    else:
        results.add("versions", OK, found)


def _feeds(results: Results, args: argparse.Namespace) -> list[Feed]:
    """Check the feeds. Return those whose files are valid, also if Airflow rejects their DAGs."""
    from kaltura_provider.feeds.files.load import load_feeds
    from kaltura_provider.feeds.folder import build_feeds

    try:
        folder = folder_of(args)
    except UsageError as error:
        results.add("feeds", WARNING, str(error), "ignore this if there are no feeds on this machine")
        return []
    built = build_feeds(folder)
    for problem in built.problems:
        results.add("feeds", FAILED, str(problem), "correct the file; `kaltura feeds lint` checks it")
    results.add("feeds", OK, f"{len(built.dags)} valid feed{'s' * (len(built.dags) != 1)} in {folder}")
    return load_feeds(folder).feeds


def _account(results: Results, conn_id: str) -> None:
    from kaltura_provider.api.enums import SessionType
    from kaltura_provider.api.identity import whoami
    from kaltura_provider.hooks.kaltura import KalturaHook

    check = f"connection {conn_id}"
    fix = "add or correct the connection; docs/connection.md describes its fields"
    with results.checking(check, fix):
        client = KalturaHook(conn_id).get_conn()
        identity = whoami(client)
        if not identity.ok:
            results.add(check, FAILED, identity.message, fix)
            return
        if identity.session_type is SessionType.ADMIN:
            results.add(check, OK, identity.message)
        else:
            results.add(check, FAILED, identity.message, "set the session type of the connection to ADMIN")
        _permissions(results, conn_id, client)
        _clock(results, conn_id, client)


def _permissions(results: Results, conn_id: str, client: KalturaClient) -> None:
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
        results.add(check, FAILED, "; ".join(refused), fix)
    else:
        results.add(check, OK, f"may list {', '.join(_READ)}")


def _clock(results: Results, conn_id: str, client: KalturaClient) -> None:
    before = time.time()
    there = float(client.call("system", "getTime"))
    # The server answers with a whole second, somewhere between the two moments.
    ahead = (before + time.time()) / 2 - there - 0.5
    found = f"this machine is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the Kaltura server"
    result = OK if abs(ahead) < _CLOCK_WARNING else WARNING if abs(ahead) < _CLOCK_FAILED else FAILED
    results.add(f"clock against {conn_id}", result, found, "" if result == OK else "synchronize the clock (NTP)")


def _storage(results: Results, conn_id: str, feeds: Sequence[Feed]) -> None:
    """Check that each bucket of a feed can be listed; without feeds, that the connection works."""
    buckets: dict[tuple[str, str], None] = {}
    for feed in feeds:
        for address in _addresses(feed):
            bucket = bucket_and_key(address)[0] if address.startswith("s3://") else ""
            # Which bucket a template means is known when it is rendered.
            if bucket and "{" not in bucket:
                buckets[feed.connections.aws, bucket] = None
    for aws, bucket in buckets:
        check = f"bucket {bucket} by {aws}"
        with results.checking(
            check, "correct the AWS connection, the bucket's name in the feed, or the bucket's policy"
        ):
            from kaltura_provider.hooks.listing import list_s3

            first = next(iter(list_s3(bucket, "", aws_conn_id=aws)), None)
            results.add(check, OK, "can be listed" if first else "can be listed, and is empty")
    if not buckets:
        _s3_connection(results, conn_id)


def _addresses(feed: Feed) -> list[str]:
    source: Any = feed.source
    named = (getattr(source, name, "") for name in ("uri", "inventory"))
    return [str(address).strip() for address in (*named, *getattr(source, "urls", ()))]


def _s3_connection(results: Results, conn_id: str) -> None:
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.hooks.sources import s3_client

    check = f"S3 by {conn_id}"
    try:
        buckets = s3_client(conn_id).list_buckets().get("Buckets", [])
        results.add(check, OK, f"{len(buckets)} buckets are visible")
    except KalturaConfigurationError as error:
        results.add(check, WARNING, str(error), "ignore this if nothing is in S3")
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        results.add(
            check, WARNING, text, "ignore this if the connection may list only some buckets, or nothing is in S3"
        )


def _secrets(results: Results) -> None:
    from airflow.sdk.configuration import conf

    if conf.get("core", "fernet_key", fallback=""):
        results.add("encryption", OK, "Airflow has a Fernet key")
    else:
        found = "Airflow has no Fernet key, so URLs with secrets in them are refused"
        results.add("encryption", WARNING, found, "set [core] fernet_key, the same in all of Airflow's processes")


def _airflow(results: Results, feeds: Sequence[Feed]) -> None:
    """Check pools and processes in Airflow's database."""
    from kaltura_provider.hooks.pool import default_pool

    fix = "run this where Airflow runs, such as beside its scheduler; `airflow db migrate` creates the tables"
    with results.checking("Airflow's database", fix):
        from airflow.models.pool import Pool
        from airflow.utils.session import create_session

        with create_session() as session:
            slots = {pool.pool: pool.slots for pool in session.query(Pool).all()}
            for name in dict.fromkeys([default_pool(), *(feed.pool for feed in feeds if feed.pool)]):
                _pool(results, name, slots.get(name))
            _processes(results, session)


def _pool(results: Results, name: str, slots: int | None) -> None:
    if slots is None:
        fix = f"start the scheduler, which creates it, or: airflow pools set {name} 16 'Kaltura'"
        results.add(f"pool {name}", WARNING, "does not exist", fix)
    elif slots == 0:
        fix = f"give it slots, such as: airflow pools set {name} 16 'Kaltura'"
        results.add(f"pool {name}", FAILED, "has no slots, so its tasks never run", fix)
    else:
        results.add(f"pool {name}", OK, f"{slots} slots" if slots > 0 else "unlimited slots")


def _processes(results: Results, session: Any) -> None:
    from airflow.jobs.job import Job

    for kind, name in _PROCESSES.items():
        last = session.query(Job).filter(Job.job_type == kind).order_by(Job.latest_heartbeat.desc()).first()
        if last is not None and last.is_alive():
            results.add(name, OK, f"is running on {last.hostname}")
        else:
            found = "has never run" if last is None else f"does not run; it was last seen at {last.latest_heartbeat}"
            results.add(name, WARNING, found, f"airflow {name}")
