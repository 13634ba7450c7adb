"""The Airflow pool that tasks of feeds and of the trigger form run in.

A pool of its own leaves worker slots to other DAGs while a large run is under way.
"""

from __future__ import annotations

import os

__all__ = ["default_pool", "pool_slots", "run_share"]

_USUAL = "kaltura"


def default_pool() -> str:
    """Return the pool of tasks whose feed or DAG does not name one: ``KALTURA_POOL``, or ``kaltura``.

    The plugin creates it. ``KALTURA_POOL=default_pool`` turns the separate pool off.
    """
    return os.environ.get("KALTURA_POOL", "").strip() or _USUAL


def pool_slots() -> int:
    """Return the number of slots of a pool that the plugin creates: three quarters of ``[core] parallelism``."""
    from airflow.sdk.configuration import conf

    return max(2, int(conf.getint("core", "parallelism")) * 3 // 4)


def run_share(wanted: int) -> int:
    """Return how many long tasks of one run may be active: ``wanted``, but at most two thirds of the pool's slots.

    The rest of the pool is for other runs.
    """
    return max(1, min(wanted, pool_slots() * 2 // 3))
