"""Threads of one task take turns in asking Airflow.

Whatever a task asks of Airflow (connections, XComs, its state store, the masking of secrets) goes through one place of
the process. In a worker that place has a lock of its own; ``dag.test()`` replaces it while it answers, and a second
thread would find nothing there.
"""

from __future__ import annotations

import threading

__all__ = ["AIRFLOW"]

AIRFLOW = threading.RLock()
"""Hold it while asking Airflow from code that several threads run."""
