"""The same promise under a real scheduler and triggerer: kill any part of a deployment, and the library is right.

``RUNS`` schedules (2 unless told) run four at a time; their seed is printed.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

from tests.chaos.killing import Battlefield

RUNS = int(os.environ.get("RUNS") or 2)
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
AT_ONCE = 4


def test_a_deployment_that_is_killed_ends_with_one_entry_an_asset(tmp_path: Path) -> None:
    field = Battlefield(tmp_path / "airflow", SEED)
    kills: Counter[str] = Counter()
    print(f"\nSEED={SEED} RUNS={RUNS}")
    try:
        field.start()
        for first in range(0, RUNS, AT_ONCE):
            started = time.monotonic()
            wave = field.begin(min(AT_ONCE, RUNS - first), f"wave{first}")
            field.kill_for(wave, 5.0 + 10.0 * min(AT_ONCE, RUNS - first))
            field.settle(wave, 600)
            field.check(wave)
            kills.update(wave.kills)
            print(
                f"schedules {first + 1} to {min(first + AT_ONCE, RUNS)} hold: {len(wave.sources)} assets, "
                f"{len(wave.runs)} runs, killed {', '.join(wave.kills)}; {time.monotonic() - started:.0f} s"
            )
        print(f"{RUNS} schedules hold; killed {dict(kills)}")
    finally:
        field.stop()
