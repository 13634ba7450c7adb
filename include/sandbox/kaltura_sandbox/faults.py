"""Faults on demand: what goes wrong, for which calls and how often. Random faults are seeded."""

from __future__ import annotations

import difflib
import itertools
import random
import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.errors import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["KINDS", "Fault", "Faults"]

# kind -> what it does; the control API shows this table.
KINDS = {
    "latency": "answer only after `seconds`",
    "reset_before": "cut the connection before the body is read: nothing was done",
    "reset_during": "cut the connection after `bytes` of the body: nothing was done",
    "reply_lost": "do the work, then cut the connection instead of replying",
    "html_error": "answer `status` (502) with an HTML page, as a proxy does: nothing was done",
    "unavailable": "answer 503 with Retry-After `retry_after` (1): nothing was done",
    "slow_body": "read the body at `bytes_per_second` (a bandwidth cap)",
    "slow_reply": "send the reply at `bytes_per_second`",
    "delay": "let one action, inside a multirequest too, take `seconds` longer before it works",
    "error": "answer the API error `code` instead of doing the work",
    "error_after": "do the work, then answer the API error `code` all the same",
    "action_blocked": "answer ACTION_BLOCKED, as a rate limit does",
    "expire_ks": "from this call on the session it used is expired",
    "final_delay": "let the final chunk of an upload take `seconds` longer; with `done` the token is full meanwhile",
    "second_final": "what the loser of two final chunks does to an attached token: `outcome` deleted or full",
    "conversion_failure": "the conversion of the next entry fails",
    "stuck_import": "the next import by URL never ends",
    "import_failure": "the next attempt of an import by URL fails",
    "virus": "the next source gets the status virusScan.Infected",
    "stale_list": "list and count do not see what was written since; remove the fault to end it",
}

# What the kinds above take besides a fault's own settings.
PARAMETERS = frozenset(
    {"args", "bytes", "bytes_per_second", "code", "done", "outcome", "retry_after", "seconds", "status"}
)


@dataclass(slots=True)
class Fault:
    """One fault. ``service`` and ``action`` narrow it (``*`` = any), ``after`` skips the first matches,
    ``times`` bounds how often it strikes (None = always), ``probability`` leaves each match to chance.
    ``element`` narrows a fault of single actions to the calls of a multirequest: the number of one, or ``*``.
    """  # noqa: D205

    kind: str
    service: str = "*"
    action: str = "*"
    times: int | None = 1
    after: int = 0
    probability: float = 1.0
    element: int | str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    id: int = 0
    struck: int = 0

    def number(self, name: str, default: float) -> float:
        """Return a numeric parameter."""
        return float(self.parameters.get(name, default))

    def matches(self, service: str, action: str, element: int | None = None) -> bool:
        """Whether a call falls under this fault; ``element`` is its number within a multirequest, from 1."""
        named = self.service.lower() in ("*", service.lower()) and self.action.lower() in ("*", action.lower())
        return named and (self.element is None or (element is not None and self.element in ("*", element)))


class Faults:
    """The active faults. Thread-safe."""

    def __init__(self, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)
        self._random = random.Random(seed)  # noqa: S311 - chance for tests, not secrets

    def seed(self, seed: int | None) -> None:
        """Restart chance from a seed."""
        with self._lock:
            self._random.seed(seed)

    def add(self, kind: str, **settings: Any) -> Fault:
        """Activate a fault; settings that are not a Fault's own become its parameters.

        :raises ValueError: unknown kind, setting or error ``code``.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(sorted(KINDS))}")
        if "code" in settings and settings["code"] not in CATALOGUE:
            near = ", ".join(difflib.get_close_matches(str(settings["code"]), CATALOGUE, 3, 0.5))
            raise ValueError(
                f"unknown error code {settings['code']!r}; give one of Kaltura's{f', such as {near}' if near else ''}"
            )
        own = {
            name: settings.pop(name)
            for name in ("service", "action", "times", "after", "probability", "element")
            if name in settings
        }
        if unknown := settings.keys() - PARAMETERS:
            raise ValueError(f"unknown setting {min(unknown)!r} of a fault; known: {', '.join(sorted(PARAMETERS))}")
        fault = Fault(kind, **own, parameters=settings, id=next(self._numbers))
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(
        self, kinds: Iterable[str], service: str = "*", action: str = "*", element: int | None = None
    ) -> list[Fault]:
        """Return the faults of these kinds that strike this call now; counts them as having struck."""
        wanted = frozenset(kinds)
        if not self._faults:
            return []
        with self._lock:
            return [
                fault
                for fault in self._faults
                if fault.kind in wanted and self._strikes(fault, service, action, element)
            ]

    def _strikes(self, fault: Fault, service: str, action: str, element: int | None) -> bool:
        if not fault.matches(service, action, element) or (fault.times is not None and fault.struck >= fault.times):
            return False
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.probability < 1.0 and self._random.random() >= fault.probability:
            return False
        fault.struck += 1
        return True

    def active(self, kind: str) -> bool:
        """Whether a fault of this kind is active, without counting it."""
        with self._lock:
            return any(fault.kind == kind for fault in self._faults)

    def remove(self, fault_id: int | None = None) -> None:
        """End one fault, or all."""
        with self._lock:
            self._faults = [] if fault_id is None else [f for f in self._faults if f.id != fault_id]

    def show(self) -> list[Mapping[str, Any]]:
        """All faults as JSON-like maps."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]
