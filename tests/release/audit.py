"""Look up known vulnerabilities of all libraries with pip-audit: ``make audit``.

The package index tells them, at an address of its own that mirrors often lack. Where nothing can be looked up, the last
line says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"


def main() -> int:
    """Print what is known, and return 1 if a library has a vulnerability."""
    found = look_up(LOCK)
    lines, affected = report(found)
    print("\n".join(lines))
    return int(affected)


def look_up(lock: Path) -> list[dict[str, Any]]:
    """Return what the package index knows about each library of a lock file.

    :raises RuntimeError: pip-audit failed.
    """
    command = [
        Path(sys.executable).with_name("pip-audit"),
        *("--vulnerability-service=pypi", "--format=json", "--desc=off", "--progress-spinner=off"),
        *("--require-hashes", "--disable-pip", "--requirement", lock),
    ]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, LookupError):
        raise RuntimeError(f"pip-audit failed with code {done.returncode}: {done.stderr[-2000:]}") from None


def report(found: Sequence[Mapping[str, Any]]) -> tuple[list[str], bool]:
    """Return lines for people, and whether a library has a vulnerability."""
    known = [one for one in found if "skip_reason" not in one]
    affected = [one for one in known if one["vulns"]]
    lines = [
        f"{one['name']} {one['version']}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'no version'}"
        for one in affected
        for found in one["vulns"]
    ]
    if not known:
        return ["NOT CHECKED: the package index of this machine tells no vulnerabilities"], False
    lines.append(f"{len(known)} of {len(found)} libraries looked up: {len(affected)} with known vulnerabilities")
    return lines, bool(affected)


if __name__ == "__main__":
    sys.exit(main())
