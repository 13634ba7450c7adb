"""A sandbox of its own for a replay: set up as the recorded account was, its jobs waiting to be driven."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from conformance.sessions import Account
from kaltura_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["sandbox_account"]

PARTNER_ID = 102


@contextmanager
def sandbox_account(folder: Path, *, final_wait: float = 1.0) -> Iterator[Account]:
    """Run a sandbox with its state in a folder, for as long as the context lasts."""
    settings = {"restrict_file_types": True, "run_jobs": False, "max_flavors": 7, "final_wait": final_wait}
    with Sandbox(data_dir=folder, partner_id=PARTNER_ID, **settings) as sandbox:
        yield Account(sandbox.url, sandbox.partner_id, sandbox.admin_secret, sandbox.user_secret)
