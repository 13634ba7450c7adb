"""Run the benchmarks: ``run.py`` for all, ``run.py --part upload`` for one.

A part is a module ``part_<name>.py`` beside this file with ``run() -> Iterator[dict[str, float]]``, which yields
figures as soon as they are known. They are merged into ``build/bench.json`` at once, so nothing that was measured is
lost if a part breaks off, and one part can be measured again alone.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent.parent / "build" / "bench.json"


def main() -> int:
    """Run the parts that were asked for and say what they miss; figures depend on the machine, so that is no error."""
    parts = sorted(path.stem.removeprefix("part_") for path in HERE.glob("part_*.py"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", choices=parts, help="only this one")
    chosen = parser.parse_args().part
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")  # operators log a line an item
    missed: list[str] = []
    for part in [chosen] if chosen else parts:
        module = importlib.import_module(f"part_{part}")
        print(f"== {part}", flush=True)
        found: dict[str, float] = {}
        began = time.monotonic()
        for figures in module.run():
            _merge(figures)
            found |= figures
            print(f"{part}, {time.monotonic() - began:.0f} s: {', '.join(figures)}", file=sys.stderr, flush=True)
        missed += [f"{part}: {line}" for line in getattr(module, "missed", lambda _: [])(found)]
    print(f"written to {RESULTS}")
    for line in missed:
        print(f"MISSED {line}")
    return 0


def _merge(found: dict[str, float]) -> None:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    old = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(old | found, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
