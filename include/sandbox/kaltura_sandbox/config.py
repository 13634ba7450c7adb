"""Every knob of the sandbox, with the value a real Kaltura installation ships as default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ADMIN_SECRET", "DEFAULT_PORT", "PARTNER_ID", "USER_SECRET", "Config"]

DEFAULT_PORT = 8765
PARTNER_ID = 102
# Fixed on purpose: a sandbox answers on loopback only, and fixed secrets make a connection reusable between runs.
ADMIN_SECRET = "5a4e0b0c2d9f4c6f8b1a7e3d6c9f2b48"  # noqa: S105
USER_SECRET = "c1d7f2a94b3e4d0f9a6b8c5e2f7d1a30"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one sandbox; times are seconds.

    ``final_wait`` is how long the final chunk of an upload waits for missing chunks (Kaltura:
    ``upload_final_chunk_max_append_time``), ``final_time`` how long any final chunk takes (calls that overlap it
    find the token not yet full, as they do on the real server), ``max_resume_time`` how long a partly uploaded token
    may rest, ``index_lag`` how far list and count lag behind get, ``pickup_delay`` how long a job waits before a
    worker takes it. ``allowed_hosts`` are the host names, in lower case, that a ``Host`` header may hold besides
    127.0.0.1, localhost and [::1]. With ``run_jobs`` off nothing is imported or converted until the control API says
    so.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    allowed_hosts: frozenset[str] = frozenset()
    partner_id: int = PARTNER_ID
    admin_secret: str = field(default=ADMIN_SECRET, repr=False)
    user_secret: str = field(default=USER_SECRET, repr=False)
    ks_version: int = 2
    max_session_length: int = 86400
    final_wait: float = 45.0
    final_time: float = 0.05
    max_resume_time: int = 7 * 86400
    index_lag: float = 0.0
    restrict_file_types: bool = False
    replacement: bool = True
    replacement_approval: bool = False
    recycle_bin: bool = True
    moderate: bool = False
    entitlement: bool = False
    run_jobs: bool = True
    job_workers: int = 2
    pickup_delay: float = 0.0
    import_attempts: int = 3
    import_retry_delay: float = 300.0
    notification_retry_delay: float = 60.0
    conversion_delay: float = 0.0
    max_flavors: int = 3
    control: bool = True
    verbose: bool = False
