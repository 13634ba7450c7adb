"""One round of reading for all waits. An error of one object does not affect the others."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kaltura_provider.api.codes import NOT_DONE_CODES
from kaltura_provider.api.errors import KalturaAPIError, KalturaError, KalturaSessionError, KalturaTransportError
from kaltura_provider.api.redaction import redact
from kaltura_provider.waiting.polling.failures import is_transient
from kaltura_provider.waiting.polling.readers import batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaltura_provider.waiting.polling.readers import Calls, Reader
    from kaltura_provider.waiting.snapshot import Snapshot

__all__ = ["Reading", "Suspects", "read_all"]

_FAILURES: Final = 24
"""Failed calls after which a round ends. It is enough to find one bad id among 500."""
_FAILURES_ONLY: Final = 7
"""Failed calls after which a round ends if none succeeded: the server is the cause, not an id."""


@dataclass(slots=True)
class Reading:
    """The outcome of one round.

    ``snapshots`` are the objects that were read, ``refused`` those whose own call failed while others
    succeeded, ``unread`` those that could not be read because of ``error``.
    """

    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    refused: dict[str, Exception] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    error: Exception | None = None

    def troubles(self, ids: Iterable[str]) -> Exception | None:
        """Return the error that prevents one of these objects from being read, if there is one."""
        for one in ids:
            if one in self.refused:
                return self.refused[one]
            if one in self.unread:
                return self.error
        return None

    def refused_for_good(self, ids: Iterable[str]) -> dict[str, str]:
        """Return why Kaltura refuses some of these objects, if it shows others and no later call can help."""
        wanted = list(ids)
        refused = {one: self.refused[one] for one in wanted if one in self.refused}
        if not self.snapshots or not self.unread.isdisjoint(wanted) or any(map(is_transient, refused.values())):
            return {}
        return {one: f"{one} cannot be read: {redact(str(error))}" for one, error in refused.items()}


class Suspects:
    """Objects that made a call for many objects fail. They are read alone until that succeeds."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def parts(self, wanted: Mapping[str, Any], size: int) -> list[dict[str, Any]]:
        """Cut ``wanted`` into parts of at most ``size``. Each suspect is a part of its own, at the end."""
        self._ids &= wanted.keys()
        rest = {one: conditions for one, conditions in wanted.items() if one not in self._ids}
        return [*batches(rest, size), *({one: wanted[one]} for one in wanted if one in self._ids)]

    def update(self, reading: Reading) -> None:
        """Add the objects that were refused, and remove those that were read."""
        self._ids |= reading.refused.keys()
        self._ids -= reading.snapshots.keys()


def read_all(reader: Reader, wanted: Mapping[str, Any], now: float, suspects: Suspects) -> Calls[Reading]:
    """Yield the calls that read all of ``wanted``, and return the result.

    If Kaltura refuses a call for many objects, it is repeated for each half of them, until the objects that cause the
    error are found. The caller sends the answers to this generator, and throws the errors of calls into it.
    """
    reading = Reading()
    lone: dict[str, Exception] = {}
    parts = deque(suspects.parts(wanted, reader.batch))
    failures = 0
    while parts:
        part = parts.popleft()
        try:
            answers = yield from reader.read(part, now)
        except Exception as error:
            failures += 1
            hopeless = failures >= (_FAILURES if reading.snapshots or reading.refused else _FAILURES_ONLY)
            if hopeless or not _is_of_single_objects(error):
                reading.error = error
                break
            if len(part) == 1:
                lone |= dict.fromkeys(part, error)
            else:
                parts.extend(batches(part, -(-len(part) // 2)))
            continue
        for one, answer in answers.items():
            if isinstance(answer, KalturaAPIError):
                reading.refused[one] = answer
            else:
                reading.snapshots[one] = answer
    if reading.snapshots:
        reading.refused |= lone
    elif lone and reading.error is None:
        # Nothing could be read, so the error says nothing about single objects.
        reading.error = next(iter(lone.values()))
    if reading.error is not None:
        reading.unread = frozenset(wanted.keys() - reading.snapshots.keys() - reading.refused.keys())
    suspects.update(reading)
    return reading


def _is_of_single_objects(error: Exception) -> bool:
    """Return whether one of the objects may have caused an error, rather than the connection to Kaltura."""
    if isinstance(error, KalturaAPIError):
        return error.code not in NOT_DONE_CODES and not isinstance(error, KalturaSessionError)
    if isinstance(error, KalturaTransportError):
        return error.status == 500
    return not isinstance(error, KalturaError | OSError)
