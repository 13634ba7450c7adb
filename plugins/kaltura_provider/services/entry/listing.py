"""Listing every entry that a filter finds, each once, also beyond the 10,000 that Kaltura lists.

Kaltura lists at most 10,000 results. So each request starts at the second in which the last page ended, and leaves out
the entries that were seen. A second with more entries than fit on a page is read on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.services.paging import PAGE_SIZE, list_request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["UnsteadyListError", "walk"]

_WINDOW = 10_000
_READS = 4
_SINCE, _UNTIL = "createdAtGreaterThanOrEqual", "createdAtLessThanOrEqual"


class UnsteadyListError(KalturaError):
    """The entries of one second keep changing, or are too many to list: no list of them would be reliable."""

    retry_helps = True


def walk(
    client: KalturaClient,
    wanted: Mapping[str, Any] | None = None,
    *,
    service: str = "baseEntry",
    fields: Sequence[str] | None = None,
    page_size: int = PAGE_SIZE,
    window: int = _WINDOW,
) -> Iterator[dict[str, Any]]:
    """Yield the entries that a filter finds, oldest first, each once, however many there are.

    No entry is missed because others are made or deleted at the same time.

    :param wanted: the filter, as :func:`~kaltura_provider.services.entry.filters.entry_filter` returns it.
    :param service: ``baseEntry``, ``media``, ``document_documents`` or ``data``.
    :param fields: the properties to fetch; all of them if ``None``.
    :param page_size: entries per request, at most 500.
    :param window: the maximum number of results that Kaltura lists.
    :raises UnsteadyListError: more entries share a second than can be read reliably.
    :raises KalturaError: Kaltura refuses the filter or cannot be asked.
    """
    walker = _Walker(client, service, dict(wanted or {}), fields, page_size, window)
    yield from walker.all()


class _Walker:
    def __init__(
        self,
        client: KalturaClient,
        service: str,
        wanted: dict[str, Any],
        fields: Sequence[str] | None,
        page_size: int,
        window: int,
    ) -> None:
        self._client = client
        self._service = service
        self._wanted = wanted
        self._fields = fields
        self._page_size = page_size
        self._window = window

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield every entry once."""
        since: int | None = self._wanted.get(_SINCE)
        seen: set[str] = set()
        while True:
            page = self._page({_SINCE: since})["objects"]
            yield from (self._shown(entry) for entry in page if entry["id"] not in seen)
            if len(page) < self._page_size:
                return
            last = int(page[-1]["createdAt"])
            if last != since:
                # Earlier entries of this second may also be on pages of an earlier request.
                since, seen = last, {entry["id"] for entry in page if int(entry["createdAt"]) == last}
                continue
            seen |= {entry["id"] for entry in page}
            rest = self._second(last)
            yield from (self._shown(entry) for entry in rest if entry["id"] not in seen)
            since, seen = last + 1, set()

    def _second(self, second: int) -> list[dict[str, Any]]:
        """Return all entries made in one second."""
        bounds: dict[str, Any] = {_SINCE: second, _UNTIL: second}
        return self._interval(bounds, 0, 0)

    def _interval(self, bounds: dict[str, Any], first: int, last: int) -> list[dict[str, Any]]:
        """Return all entries within bounds. If there are too many, split them by the second of their last change."""
        total = int(self._page(bounds)["totalCount"])
        if total <= self._window:
            return self._read(bounds)
        if not last:
            newest = self._page({**bounds, "orderBy": "-updatedAt"})["objects"][0]
            oldest = self._page({**bounds, "orderBy": "+updatedAt"})["objects"][0]
            first, last = int(oldest["updatedAt"]), int(newest["updatedAt"])
        if first >= last:
            raise UnsteadyListError(
                f"{total} entries were made in the second {bounds[_SINCE]} and changed in the same second: Kaltura "
                f"lists no more than {self._window} of them; narrow the filter"
            )
        middle = (first + last) // 2
        found = []
        for low, high in ((first, middle), (middle + 1, last)):
            part = {"updatedAtGreaterThanOrEqual": low, "updatedAtLessThanOrEqual": high}
            found += self._interval(bounds | part, low, high)
        return found

    def _read(self, bounds: dict[str, Any]) -> list[dict[str, Any]]:
        """Return all entries within bounds, read again until none was missed between pages."""
        found: dict[str, dict[str, Any]] = {}
        for _ in range(_READS):
            number, total = 1, 0
            while True:
                reply = self._page(bounds, number)
                found.update((entry["id"], entry) for entry in reply["objects"])
                total = max(total, int(reply["totalCount"]))
                if len(reply["objects"]) < self._page_size or number * self._page_size >= self._window:
                    break
                number += 1
            if len(found) >= total:
                return list(found.values())
        raise UnsteadyListError(f"the entries made in the second {bounds[_SINCE]} keep changing while they are listed")

    def _page(self, bounds: Mapping[str, Any], number: int = 1) -> dict[str, Any]:
        names = dict.fromkeys((*self._fields, "id", "createdAt", "updatedAt")) if self._fields else {}
        conditions = {**self._wanted, "orderBy": "+createdAt", **bounds}
        request = list_request(
            self._service, conditions, page=number, page_size=self._page_size, fields=",".join(names) or None
        )
        return dict(self._client.call(request.service, request.action, request.params))

    def _shown(self, entry: dict[str, Any]) -> dict[str, Any]:
        return {name: entry[name] for name in self._fields if name in entry} if self._fields else entry
