"""`make demo`, `make up` and `make down`: the whole product on this machine, on loopback, inside the checkout."""

from __future__ import annotations

import argparse
import shutil
import sys
import time

from demo import DemoFailed, run_demo
from deployment import ROOT, Deployment, free_port
from postgres import PostgresUnusable
from processes import ProcessEnded

AIRFLOW_PORT, KALTURA_PORT, S3_PORT = 8080, 8765, 8333


def main() -> int:
    """Run one command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python include/local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="ingest three days of sample media, show the result, leave nothing running")
    up = commands.add_parser("up", help="start Airflow and the sandbox and leave them running")
    up.add_argument("--airflow-port", type=int, default=AIRFLOW_PORT, help="port of Airflow's page (%(default)s)")
    up.add_argument("--kaltura-port", type=int, default=KALTURA_PORT, help="port of the sandbox (%(default)s)")
    up.add_argument("--s3-port", type=int, default=S3_PORT, help="port of the S3 server (%(default)s)")
    commands.add_parser("down", help="stop what `up` started")
    options = parser.parse_args()
    try:
        if options.command == "demo":
            return demo()
        return start(options) if options.command == "up" else stop()
    except (DemoFailed, PostgresUnusable, ProcessEnded) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def demo() -> int:
    """Run the demo in a home of its own, on free ports, beside whatever else runs."""
    home = ROOT / ".demo"
    old = Deployment(home, 0, 0, 0, home / "env")
    if old.processes.recorded():
        raise DemoFailed("a demo is running already; wait for it, or stop it with Ctrl-C")
    shutil.rmtree(home, ignore_errors=True)
    deployment = Deployment(home, free_port(), free_port(), free_port(), home / "env")
    started = time.monotonic()
    with deployment.processes.stopped_at_exit():
        deployment.start(print)
        print(f"ready after {time.monotonic() - started:.0f} s: Airflow {deployment.page}")
        run_demo(deployment, print)
        print(f"\nEverything is READY and byte for byte what S3 holds ({time.monotonic() - started:.0f} s in all).")
        print("`make up` keeps it running and shows the page.")
    return 0


def start(options: argparse.Namespace) -> int:
    """Start the deployment and leave it running."""
    deployment = _standing(options.airflow_port, options.kaltura_port, options.s3_port)
    if running := deployment.processes.recorded():
        print(f"already running ({', '.join(sorted(running))}); `make down` stops it")
        return 0
    try:
        deployment.start(print)
    except BaseException:
        deployment.processes.stop()
        raise
    env = deployment.sandbox_env()
    print(
        f"""
  Airflow          {deployment.page}   (no login; this machine only)
  Kaltura sandbox  {env["KALTURA_SERVICE_URL"].removesuffix("/api_v3")}
  S3               {env["S3_ENDPOINT_URL"]}
  command line     . {deployment.airflow_env_file.relative_to(ROOT)}; .venv/bin/airflow dags list
  credentials      {deployment.env_file.relative_to(ROOT)}
  logs             {deployment.processes.directory.relative_to(ROOT)}/

Open the page, unpause kaltura_feed_demo and backfill 2024-03-01 to 2024-03-03, or trigger kaltura_ingest.
`make down` stops everything; what is in Kaltura and S3 is kept in {deployment.home.relative_to(ROOT)}/."""
    )
    return 0


def stop() -> int:
    """Stop what `up` started."""
    processes = _standing(AIRFLOW_PORT, KALTURA_PORT, S3_PORT).processes
    if not processes.recorded():
        print("nothing is running")
        return 0
    processes.stop()
    print("stopped")
    return 0


def _standing(airflow_port: int, kaltura_port: int, s3_port: int) -> Deployment:
    return Deployment(ROOT / ".airflow", airflow_port, kaltura_port, s3_port, ROOT / ".sandbox" / "env")


if __name__ == "__main__":
    sys.exit(main())
