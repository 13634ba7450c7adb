"""`make demo`, `make up` and `make down`: run the whole project on this machine, on loopback, inside the checkout."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from typing import TYPE_CHECKING

from demo import DemoFailed, run_demo
from deployment import ROOT, Deployment, free_port, is_free
from postgres import PostgresUnusable
from processes import ProcessEnded

if TYPE_CHECKING:
    from collections.abc import Mapping

PORTS = {"airflow": 8080, "kaltura": 8765, "s3": 8333}
PORT_OWNERS = {"airflow": "Airflow's UI", "kaltura": "the Kaltura sandbox", "s3": "the S3 server"}


class PortTaken(RuntimeError):
    """A requested port is in use."""


def main() -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python include/local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="ingest three days of sample media, show the result, and stop everything")
    up = commands.add_parser("up", help="start Airflow and the sandbox, and keep them running")
    for name, usual in PORTS.items():
        up.add_argument(
            f"--{name}-port",
            type=int,
            metavar="PORT",
            help=f"port of {PORT_OWNERS[name]} (default: {usual}, or a free one when that is in use)",
        )
    commands.add_parser("down", help="stop what `up` started")
    options = parser.parse_args()
    try:
        if options.command == "demo":
            return demo()
        return start(options) if options.command == "up" else stop()
    except (DemoFailed, PortTaken, PostgresUnusable, ProcessEnded) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def demo() -> int:
    """Run the demo in a folder of its own, on free ports."""
    home = ROOT / ".demo"
    old = Deployment(home, 0, 0, 0, home / "env")
    if old.processes.recorded():
        raise DemoFailed("another demo is running; wait until it ends, or stop it with Ctrl-C")
    shutil.rmtree(home, ignore_errors=True)
    deployment = Deployment(home, free_port(), free_port(), free_port(), home / "env")
    started = time.monotonic()
    with deployment.processes.stopped_at_exit():
        deployment.start(print)
        print(f"ready after {time.monotonic() - started:.0f} s: Airflow {deployment.page}")
        run_demo(deployment, print)
        seconds = time.monotonic() - started
        print(f"\nEverything is READY, and every byte in Kaltura equals that in S3 ({seconds:.0f} s in total).")
        print("Run `make up` to keep the deployment running and to open Airflow's UI.")
    return 0


def start(options: argparse.Namespace) -> int:
    """Start the deployment and keep it running."""
    if running := _standing(PORTS).processes.recorded():
        print(f"already running ({', '.join(sorted(running))}); stop it with `make down`")
        return 0
    deployment = _standing({name: choose_port(name, getattr(options, f"{name}_port")) for name in PORTS})
    try:
        deployment.start(print)
    except BaseException:
        deployment.processes.stop()
        raise
    env = deployment.sandbox_env()
    print(
        f"""
  board            {deployment.page}/plugin/kaltura
  Airflow          {deployment.page}   (no login; this machine only)
  Kaltura sandbox  {env["KALTURA_SERVICE_URL"].removesuffix("/api_v3")}
  S3               {env["S3_ENDPOINT_URL"]}
  command line     . {deployment.airflow_env_file.relative_to(ROOT)}; .venv/bin/airflow dags list
  credentials      {deployment.env_file.relative_to(ROOT)}
  logs             {deployment.processes.directory.relative_to(ROOT)}/

A program that ends or is unhealthy is restarted; its log says so.
Open the UI, unpause kaltura_feed_demo and backfill 2024-03-01 to 2024-03-03, or trigger kaltura_ingest.
`make down` stops everything and keeps the content of Kaltura and S3 in {deployment.home.relative_to(ROOT)}/."""
    )
    return 0


def choose_port(name: str, asked: int | None) -> int:
    """Return the port for a server: the requested one, or its usual one, or a free one if that is in use.

    :raises PortTaken: the requested port is in use.
    """
    port = PORTS[name] if asked is None else asked
    if is_free(port):
        return port
    if asked is not None:
        raise PortTaken(
            f"--{name}-port {asked} is in use by another program; "
            f"choose another port, or omit the option: make up UP='--{name}-port {free_port()}'"
        )
    chosen = free_port()
    print(f"port {port} is in use by another program, so {PORT_OWNERS[name]} uses port {chosen}")
    return chosen


def stop() -> int:
    """Stop what `up` started."""
    processes = _standing(PORTS).processes
    if not processes.recorded():
        print("nothing is running")
        return 0
    processes.stop()
    print("stopped")
    return 0


def _standing(ports: Mapping[str, int]) -> Deployment:
    env_file = ROOT / ".sandbox" / "env"
    return Deployment(ROOT / ".airflow", ports["airflow"], ports["kaltura"], ports["s3"], env_file, supervised=True)


if __name__ == "__main__":
    sys.exit(main())
