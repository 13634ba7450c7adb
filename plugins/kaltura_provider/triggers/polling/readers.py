"""How the state of many objects is read in few calls, as plans that a sync or an async client carries out."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from kaltura_provider.api import KalturaAPIError, KalturaNotFoundError, Request
from kaltura_provider.triggers.evaluate import JobSnapshot, Snapshot, TokenSnapshot

__all__ = ["JobReader", "Plan", "Reader", "TokenReader", "batches", "pages"]

T = TypeVar("T")
Plan: TypeAlias = Generator[Request | list[Request], Any, T]
"""Yields a call (and is sent its value) or several at once (and is sent the list of values and errors)."""

PAGE: Final = 500
"""The most objects Kaltura puts on a page, and the most ids it reads from an ``idIn``."""


class Reader(Protocol):
    """Reads objects of one kind; may remember what it read to spare calls."""

    batch: int

    def read(self, wanted: Mapping[str, Sequence[Any]], now: float) -> Plan[dict[str, Snapshot]]:
        """Plan the reading of at most ``batch`` objects; every one of them is in the result."""

    def keep(self, ids: Iterable[str]) -> None:
        """Forget all objects but these."""


def batches(wanted: Mapping[str, T], size: int) -> Iterator[dict[str, T]]:
    """Cut ``wanted`` into parts of at most ``size``."""
    items = list(wanted.items())
    for start in range(0, len(items), size):
        yield dict(items[start : start + size])


def pages(service: str, filter_: Mapping[str, Any], fields: str | None = None) -> Plan[list[dict[str, Any]]]:
    """Plan a ``list`` over all its pages, oldest first."""
    objects: list[dict[str, Any]] = []
    number = 1
    while True:
        params: dict[str, Any] = {
            "filter": {"orderBy": "+createdAt", **filter_},
            "pager": {"pageSize": PAGE, "pageIndex": number},
        }
        if fields:
            params["responseProfile"] = {"type": 1, "fields": fields}
        answer = yield Request(service, "list", params)
        found = answer.get("objects") or []
        objects += found
        if len(found) < PAGE:
            return objects
        number += 1


class TokenReader:
    """Reads upload tokens, 500 in a call; a token the list lacks is asked for by its id before it counts as gone."""

    batch = PAGE

    def read(self, wanted: Mapping[str, Sequence[Any]], now: float) -> Plan[dict[str, Snapshot]]:
        """Plan the reading of these tokens."""
        listed = yield from pages("uploadToken", {"idIn": ",".join(wanted)})
        found: dict[str, Snapshot] = {str(answer["id"]): TokenSnapshot.parse(answer) for answer in listed}
        missing = [token_id for token_id in wanted if token_id not in found]
        if missing:
            answers = yield [Request("uploadToken", "get", {"uploadTokenId": one}) for one in missing]
            for token_id, answer in zip(missing, answers, strict=True):
                found[token_id] = TokenSnapshot(token_id, None) if _not_found(answer) else TokenSnapshot.parse(answer)
        return found

    def keep(self, ids: Iterable[str]) -> None:
        """Nothing is remembered."""


class JobReader:
    """Reads bulk upload jobs, which Kaltura gives only one by one; several share one multirequest."""

    batch = 50

    def read(self, wanted: Mapping[str, Sequence[Any]], now: float) -> Plan[dict[str, Snapshot]]:
        """Plan the reading of these jobs."""
        answers = yield [Request("bulkUpload_bulk", "get", {"id": job_id}) for job_id in wanted]
        return {
            job_id: JobSnapshot(job_id, None) if _not_found(answer) else JobSnapshot.parse(answer)
            for job_id, answer in zip(wanted, answers, strict=True)
        }

    def keep(self, ids: Iterable[str]) -> None:
        """Nothing is remembered."""


def _not_found(answer: Any) -> bool:
    """Tell whether an element of a multirequest says "no such object".

    :raises KalturaAPIError: it is another error.
    """
    if isinstance(answer, KalturaNotFoundError):
        return True
    if isinstance(answer, KalturaAPIError):
        raise answer
    return False
