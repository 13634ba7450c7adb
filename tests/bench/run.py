"""Run the benchmarks: ``run.py`` for all, ``run.py --part upload`` for one.

A part is a module ``part_<name>.py`` beside this file with ``run() -> dict[str, float]``. What the parts return is
merged into ``build/bench.json``, so that one part can be measured again alone.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
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
    missed: list[str] = []
    for part in [chosen] if chosen else parts:
        module = importlib.import_module(f"part_{part}")
        print(f"== {part}", flush=True)
        found = module.run()
        _merge(found)
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
