"""The command line: ``kaltura-sandbox`` serves a Kaltura and an S3 server until it is stopped."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaltura_sandbox import env_file
from kaltura_sandbox.config import ADMIN_SECRET, DEFAULT_PORT, PARTNER_ID, USER_SECRET
from kaltura_sandbox.faults import KINDS
from kaltura_sandbox.s3 import DEMO_BUCKET, S3Server, SampleMedia
from kaltura_sandbox.s3.server import DEFAULT_PORT as DEFAULT_S3_PORT
from kaltura_sandbox.sandbox import Sandbox
from kaltura_sandbox.server.hosts import LOOPBACK, host_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kaltura-sandbox",
        description="Run a Kaltura and an S3 server on this machine, for demos, development and tests.",
        epilog="Ctrl-C or SIGTERM stops both. Their state stays in --data-dir until you delete it.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=["serve"], default="serve", help="what to do")
    _add_places(parser.add_argument_group("where"))
    _add_account(parser.add_argument_group("the account"))
    _add_behaviour(parser.add_argument_group("behaviour"))
    faults = parser.add_argument_group("faults", f"kinds: {', '.join(sorted(KINDS))}")
    faults.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND[,NAME=VALUE...]",
        help="start with a fault, e.g. reply_lost,service=uploadToken,action=upload,times=3; can be repeated",
    )
    faults.add_argument("--fault-seed", type=int, help="seed for faults with a probability, to make them repeatable")
    return parser


def _add_places(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    group.add_argument(
        "--allow-remote",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name or address that clients on other machines use for this sandbox; can be repeated. "
        "Without it, only 127.0.0.1, localhost and [::1] are answered",
    )
    group.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the Kaltura API; 0 chooses a free one")
    group.add_argument(
        "--s3-port", type=int, default=DEFAULT_S3_PORT, help="port of the S3 server; 0 chooses a free one"
    )
    group.add_argument("--no-s3", action="store_true", help="do not start the S3 server")
    group.add_argument(
        "--no-samples", action="store_true", help=f"do not put sample media into the bucket {DEMO_BUCKET}"
    )
    group.add_argument("--data-dir", type=Path, default=Path(".sandbox/data"), help="the folder for all state")
    group.add_argument(
        "--env-file",
        type=Path,
        default=Path(".sandbox/env"),
        help="the shell file to write, with addresses and credentials",
    )


def _add_account(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--partner-id", type=int, default=PARTNER_ID, help="partner id of the account")
    group.add_argument("--admin-secret", default=ADMIN_SECRET, help="admin secret (32 hex digits)")
    group.add_argument("--user-secret", default=USER_SECRET, help="user secret (32 hex digits)")
    group.add_argument("--restrict-file-types", action="store_true", help="refuse files of unknown type")
    group.add_argument("--entitlement", action="store_true", help="enforce category entitlement")
    group.add_argument("--replacement-approval", action="store_true", help="require approval of replacements")
    group.add_argument("--moderate", action="store_true", help="put new entries into moderation")


def _add_behaviour(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--final-wait", type=float, default=45, help="seconds a final chunk waits for missing chunks")
    group.add_argument("--index-lag", type=float, default=0, help="seconds list lags behind get")
    group.add_argument("--import-retry-delay", type=float, default=300, help="seconds between import attempts")
    group.add_argument("--import-attempts", type=int, default=3, help="attempts of an import from a URL")
    group.add_argument("--pickup-delay", type=float, default=1, help="seconds a job waits before a worker takes it")
    group.add_argument("--conversion-delay", type=float, default=0, help="extra seconds a conversion takes")
    group.add_argument("--max-flavors", type=int, default=3, help="maximum number of flavors to convert")
    group.add_argument("--job-workers", type=int, default=2, help="imports and conversions that run at the same time")
    group.add_argument("--manual-jobs", action="store_true", help="do not run jobs; drive them through the control API")
    group.add_argument("-v", "--verbose", action="store_true", help="log every call")


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    same = [
        "host",
        "partner_id",
        "admin_secret",
        "user_secret",
        "restrict_file_types",
        "entitlement",
        "replacement_approval",
        "moderate",
        "final_wait",
        "index_lag",
        "import_retry_delay",
        "import_attempts",
        "pickup_delay",
        "conversion_delay",
        "max_flavors",
        "job_workers",
        "verbose",
    ]
    return {name: getattr(arguments, name) for name in same} | {
        "run_jobs": not arguments.manual_jobs,
        "allowed_hosts": frozenset(host_name(name) for name in arguments.allow_remote) - {""},
    }


def _fault(text: str) -> tuple[str, dict[str, Any]]:
    kind, *pairs = text.split(",")
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    return kind, settings


def _fail(message: str) -> int:
    print(f"kaltura-sandbox: {message}", file=sys.stderr)
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.host not in LOOPBACK and not options.allow_remote:
        return _fail(
            f"--host {options.host} can be reached from other machines; "
            "if you want that, add --allow-remote NAME, where NAME is the host name they use"
        )
    for name in options.allow_remote:
        if not host_name(name):
            return _fail(
                f"--allow-remote {name!r} is not a host name; give one such as sandbox.example.com or [fd00::1]"
            )
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s")
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    umask = os.umask(0o077)  # state, logs and credentials are for their owner only
    try:
        return _serve(options, stop)
    finally:
        os.umask(umask)


def _serve(options: argparse.Namespace, stop: threading.Event) -> int:
    try:
        sandbox = Sandbox(data_dir=options.data_dir, port=options.port, **_settings(options))
    except OSError as error:
        return _fail(
            f"port {options.port} on {options.host} is not available ({error.strerror}); choose another --port"
        )
    s3: S3Server | None = None
    try:
        _arm(sandbox, options)
        if not options.no_s3:
            s3 = _start_s3(options)
        sandbox.start()
        variables = env_file.environment(sandbox.config, sandbox.url, s3)
        env_file.write(options.env_file, variables)
        _announce(options, sandbox, s3)
        stop.wait()
    except (OSError, RuntimeError, ValueError) as error:
        return _fail(str(error))
    finally:
        sandbox.close()
        if s3 is not None:
            s3.close()
    return 0


def _arm(sandbox: Sandbox, options: argparse.Namespace) -> None:
    if options.fault_seed is not None:
        sandbox.account.faults.seed(options.fault_seed)
    for text in options.fault:
        kind, settings = _fault(text)
        sandbox.account.faults.add(kind, **settings)


def _start_s3(options: argparse.Namespace) -> S3Server:
    try:
        server = S3Server(options.data_dir.resolve() / "s3", options.s3_port)
    except OSError as error:
        raise RuntimeError(
            f"port {options.s3_port} is not available for S3 ({error.strerror}); choose another --s3-port or --no-s3"
        ) from error
    try:
        server.start()
        if not options.no_samples:
            SampleMedia(options.data_dir / "samples").put(server.client)
    except BaseException:
        server.close()
        raise
    return server


def _announce(options: argparse.Namespace, sandbox: Sandbox, s3: S3Server | None) -> None:
    lines = [
        f"Kaltura  {sandbox.url}  (API {sandbox.service_url}, page at /)",
        f"         partner id {sandbox.partner_id}, admin secret {sandbox.admin_secret}",
    ]
    if s3 is not None:
        lines.append(f"S3       {s3.url}  (access key {s3.access_key}, secret key {s3.secret_key})")
        if not options.no_samples:
            lines.append(f"         sample media in s3://{DEMO_BUCKET}/incoming/")
    lines.append(f"Settings {options.env_file}  (set -a; . {options.env_file}; set +a)")
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    sys.exit(main())
