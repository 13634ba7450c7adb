"""Replay recordings of a real Kaltura server against a sandbox and print how well it agrees.

python tests/contract/replay.py                        # the recordings here, a sandbox of its own
python tests/contract/replay.py --recordings DIR       # other recordings
python tests/contract/replay.py --url http://127.0.0.1:8765   # a sandbox that is already running
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from conformance.known import SKIPPED
from conformance.player import play
from conformance.recording import load_recordings
from conformance.score import agreement, report
from conformance.server import sandbox_account
from conformance.sessions import Account

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description="Replay recordings against a sandbox and print the score.")
    parser.add_argument("--recordings", type=Path, default=HERE / "recordings", help="folder of *.json files")
    parser.add_argument("--url", help="a running sandbox (default: start one with jobs that wait to be driven)")
    parser.add_argument("--partner-id", type=int, default=102)
    parser.add_argument("--admin-secret", default="")
    parser.add_argument("--user-secret", default="")
    parser.add_argument("--least", type=float, default=0.97, help="share of steps that must agree")
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.url:
            secrets = (options.admin_secret, options.user_secret)
            account = Account(options.url.removesuffix("/api_v3"), options.partner_id, *secrets)
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            account = stack.enter_context(sandbox_account(Path(folder)))
        verdicts = play(load_recordings(options.recordings), account, skipped=frozenset(SKIPPED))
    print(report(verdicts, SKIPPED))
    return 0 if agreement(verdicts) >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
