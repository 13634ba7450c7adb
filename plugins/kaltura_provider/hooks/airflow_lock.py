"""A lock for code that calls Airflow from several threads of one task.

Connections, XComs, the state store and the masking of secrets all go through one object of the process. In a worker,
that object has its own lock. ``dag.test()`` replaces the object during each call, so a second thread would not find it.
"""

from __future__ import annotations

import threading

__all__ = ["AIRFLOW"]

AIRFLOW = threading.RLock()
"""Hold this lock while calling Airflow from code that runs in several threads."""
