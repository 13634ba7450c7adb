"""The settings of an ingest: what an author can choose, and the times behind it."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum

__all__ = ["AdoptBy", "Clock", "IfExists", "IngestSettings", "Redo", "Transfer"]


class IfExists(StrEnum):
    """What to do with an item whose entry holds other content."""

    SKIP = "skip"
    REPLACE = "replace"
    FAIL = "fail"


class AdoptBy(StrEnum):
    """How to recognize an entry that somebody else made for this item."""

    REFERENCE = "reference"
    NAME = "name"


class Redo(StrEnum):
    """What is done again only on request."""

    DELETED = "deleted"
    """An item whose entry was deleted in Kaltura."""
    REFUSED = "refused"
    """A file whose type Kaltura refused."""
    FAILED = "failed"
    """An import by Kaltura that failed for good. A new entry is made."""


class Transfer(StrEnum):
    """Who moves the bytes."""

    UPLOAD = "upload"
    """A worker streams them."""
    IMPORT = "import"
    """Kaltura fetches them from a URL."""
    BULK = "bulk"
    """The same, and the entries are made by bulk uploads."""


class Clock:
    """Time, sleep and random numbers. Tests replace it."""

    def time(self) -> float:
        """UNIX time of this machine."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of a monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def uniform(self, low: float, high: float) -> float:
        """Return a random number."""
        return random.uniform(low, high)  # noqa: S311 spreads racers, protects nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """How an ingest decides and waits. Times are in seconds.

    :param grace: how long a claim without an entry, a full token whose entry is still in IMPORT, or a token that gets
        no bytes counts as work in progress.
    :param poll: pause between two checks of the claim of another process.
    :param backoff: longest random pause after the first collision of two claims.
    :param claim_timeout: how long an item waits for other processes before it fails; a retry can help.
    :param max_resume_age: an upload that was interrupted for longer is not resumed. Kaltura refuses it after 7 days.
    :param run: the name of this run, the same in all its attempts. An entry that got its first content under this name
        counts as made by this run. Without a name, each call of ``prepare`` or ``ingest`` is a run.
    :param attempts: number of consecutive server errors after which an item fails.
    :raises ValueError: a time is not positive.
    """

    if_exists: IfExists = IfExists.SKIP
    adopt_by: AdoptBy | None = None
    redo: frozenset[Redo] = frozenset()
    transfer: Transfer = Transfer.UPLOAD
    grace: float = 120.0
    poll: float = 5.0
    backoff: float = 3.0
    claim_timeout: float = 600.0
    max_resume_age: float = 6.5 * 86400
    attempts: int = 5
    run: str | None = None
    clock: Clock = field(default_factory=Clock, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "if_exists", IfExists(self.if_exists))
        object.__setattr__(self, "adopt_by", AdoptBy(self.adopt_by) if self.adopt_by else None)
        object.__setattr__(self, "redo", frozenset(Redo(item) for item in self.redo))
        object.__setattr__(self, "transfer", Transfer(self.transfer))
        object.__setattr__(self, "run", self.run or None)
        for name in ("grace", "poll", "backoff", "claim_timeout", "max_resume_age"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} {getattr(self, name)!r} must be positive")

    def of_one_run(self) -> IngestSettings:
        """Return these settings with a name for the run."""
        return self if self.run else replace(self, run=secrets.token_hex(8))
