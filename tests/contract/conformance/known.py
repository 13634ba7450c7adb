"""The steps that cannot be replayed, and those known to differ: each with its reason."""

from __future__ import annotations

__all__ = ["DIFFERENT", "SKIPPED"]

# Step -> why it is not sent at all.
SKIPPED: dict[str, str] = {}

# Step -> why the sandbox answers otherwise.
DIFFERENT: dict[str, str] = {
    "01#30": "the real server's response cache answered with the error of the undecodable session sent just before",
    "12#40": "the stand-in worker reported 39 KB for a source of 150,000 bytes; the sandbox measures the file",
    "12#52": "the stand-in worker reported 146 KB for an import of 70,000 bytes; the sandbox measures the file",
}
