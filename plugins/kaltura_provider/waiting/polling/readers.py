"""Reading many objects in few calls. Readers yield the calls, so that a sync or an async client can make them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from kaltura_provider.api.codes import NOT_DONE_CODES
from kaltura_provider.api.errors import KalturaAPIError, KalturaNotFoundError, KalturaSessionError
from kaltura_provider.api.wire import Request
from kaltura_provider.services.paging import Pager
from kaltura_provider.waiting.snapshot import JobSnapshot, Snapshot, TokenSnapshot

__all__ = [
    "BATCH",
    "GETS",
    "Answers",
    "JobReader",
    "Calls",
    "Reader",
    "TokenReader",
    "batches",
    "pages",
    "read_one_by_one",
]

T = TypeVar("T")
Calls: TypeAlias = Generator[Request | list[Request], Any, T]
"""Yields a call and receives its value, or yields several calls and receives a list of values and errors."""

Answers: TypeAlias = dict[str, Snapshot | KalturaAPIError]
"""Object id to the object, or to the error of this object's own call."""

GETS: Final = 50
"""Maximum number of objects in one multirequest that reads them one by one."""
BATCH: Final = 500
"""Maximum number of ids that Kaltura reads from an ``idIn``."""


class Reader(Protocol):
    """Reads objects of one kind. It may remember what it read, to save calls."""

    batch: int

    def read(self, wanted: Mapping[str, Sequence[Any]], now: float) -> Calls[Answers]:
        """Yield the calls that read at most ``batch`` objects, and return an answer for each of them.

        :raises KalturaError: a call for many of them failed. The caller throws it into the generator.
        """

    def keep(self, ids: Iterable[str]) -> None:
        """Forget all objects but these."""


def batches(wanted: Mapping[str, T], size: int) -> Iterator[dict[str, T]]:
    """Cut ``wanted`` into parts of at most ``size``."""
    items = list(wanted.items())
    for start in range(0, len(items), size):
        yield dict(items[start : start + size])


def pages(service: str, conditions: Mapping[str, Any], fields: str | None = None) -> Calls[list[dict[str, Any]]]:
    """Yield the calls that read all pages of a ``list``."""
    pager = Pager(service, conditions, fields)
    objects: list[dict[str, Any]] = []
    while not pager.done:
        objects += pager.take((yield pager.request))
    return objects


def read_one_by_one(requests: Mapping[str, Request]) -> Calls[dict[str, Any]]:
    """Yield a call for each object, at most :data:`GETS` per request; return values and errors by the same ids.

    :raises KalturaAPIError: Kaltura refuses the session or the number of calls, so the error concerns all objects.
    """
    found: dict[str, Any] = {}
    for part in batches(requests, GETS):
        answers = yield list(part.values())
        for one, answer in zip(part, answers, strict=True):
            if isinstance(answer, KalturaSessionError) or getattr(answer, "code", None) in NOT_DONE_CODES:
                raise answer
            found[one] = answer
    return found


class TokenReader:
    """Reads upload tokens, 500 per call. Tokens missing from the list are read by id before they count as deleted."""

    batch = BATCH

    def read(self, wanted: Mapping[str, Sequence[Any]], now: float) -> Calls[Answers]:
        """Yield the calls that read these tokens."""
        listed = yield from pages("uploadToken", {"idIn": ",".join(wanted)})
        found: Answers = {str(answer["id"]): TokenSnapshot.of(answer) for answer in listed}
        missing = [token_id for token_id in wanted if token_id not in found]
        answers = yield from read_one_by_one(
            {token_id: Request("uploadToken", "get", {"uploadTokenId": token_id}) for token_id in missing}
        )
        for token_id, answer in answers.items():
            found[token_id] = _refusal(answer) or (
                TokenSnapshot(token_id, None) if _not_found(answer) else TokenSnapshot.of(answer)
            )
        return found

    def keep(self, ids: Iterable[str]) -> None:
        """Nothing is remembered."""


class JobReader:
    """Reads bulk upload jobs. Kaltura only reads them one by one; several share a multirequest."""

    batch = GETS

    def read(self, wanted: Mapping[str, Sequence[Any]], now: float) -> Calls[Answers]:
        """Yield the calls that read these jobs."""
        answers = yield from read_one_by_one(
            {job_id: Request("bulkUpload_bulk", "get", {"id": job_id}) for job_id in wanted}
        )
        return {
            job_id: _refusal(answer) or (JobSnapshot(job_id, None) if _not_found(answer) else JobSnapshot.parse(answer))
            for job_id, answer in answers.items()
        }

    def keep(self, ids: Iterable[str]) -> None:
        """Nothing is remembered."""


def _not_found(answer: Any) -> bool:
    return isinstance(answer, KalturaNotFoundError)


def _refusal(answer: Any) -> KalturaAPIError | None:
    """Return the error of an object's own call, unless it says that the object does not exist."""
    return answer if isinstance(answer, KalturaAPIError) and not _not_found(answer) else None
