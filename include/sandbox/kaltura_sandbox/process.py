"""Child processes that never outlive the sandbox, even when it is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["start"]

# Run by a bare interpreter before the program itself: a preexec_fn would not be safe in a process with threads.
_LAUNCHER = """
import ctypes, os, sys
parent = int(sys.argv[1])
try:
    ctypes.CDLL(None).prctl(1, 9)
except (AttributeError, OSError):
    pass
if os.getppid() != parent:
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a program that the kernel kills when the thread that started it ends (Linux ``PR_SET_PDEATHSIG``)."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())]
    return subprocess.Popen([*launcher, *command], **options)
