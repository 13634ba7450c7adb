"""Kill anything, at any time, and the library is right: seeded schedules with real processes.

``N`` schedules are drawn from ``SEED`` on (printed); each has a seed of its own and can be run alone with ``N=1``.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.chaos.schedule import Schedule

NUMBER = int(os.environ.get("N") or 12)
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))


@pytest.mark.parametrize("number", range(NUMBER))
def test_one_entry_with_exactly_the_bytes(number: int, tmp_path: Path) -> None:
    seed = SEED + number
    schedule = Schedule(seed, tmp_path)
    try:
        print(f"\nSEED={seed}: {schedule.run()}")
    except AssertionError as error:
        log = tmp_path / "workers.log"
        tail = log.read_text()[-3000:] if log.exists() else ""
        raise AssertionError(f"SEED={seed} N=1 shows it again: {error}\n{tail}") from error
