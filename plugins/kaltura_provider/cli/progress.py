"""The progress of uploads on standard error: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kaltura_provider.cli.running import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kaltura_provider.upload.progress import Milestones, Progress

__all__ = ["shown_progress"]


@contextmanager
def shown_progress() -> Iterator[Callable[[Progress], None]]:
    """Yield a function that shows the progress of an upload. Any thread may call it."""
    if sys.stderr.isatty():
        with _bars() as tell:
            yield tell
    else:
        yield _Lines().tell


@contextmanager
def _bars() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars

    from kaltura_provider.api.redaction import printable

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    tasks: dict[str, TaskID] = {}
    lock = threading.Lock()
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:

        def tell(progress: Progress) -> None:
            with lock:
                if progress.token_id not in tasks:
                    tasks[progress.token_id] = bars.add_task(escape(printable(progress.name, 40)), total=progress.size)
            bars.update(tasks[progress.token_id], completed=progress.sent)

        yield tell


class _Lines:
    """Writes a line every 10 seconds and after every 5 %."""

    def __init__(self) -> None:
        self._milestones: dict[str, Milestones] = {}
        self._lock = threading.Lock()

    def tell(self, progress: Progress) -> None:
        """Write a line, unless the last one is recent."""
        from kaltura_provider.api.redaction import printable
        from kaltura_provider.upload.progress import Milestones

        with self._lock:
            milestones = self._milestones.setdefault(progress.token_id, Milestones())
            if milestones.reached(time.monotonic(), progress.percent):
                say(printable(str(progress)))
