"""Reading the ``list`` of any service page by page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.values import reading
from kaltura_provider.api.wire import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kaltura_provider.api.caller import Caller

__all__ = ["PAGE_SIZE", "Pager", "list_all", "list_request"]

PAGE_SIZE = 500
"""The maximum number of objects on a page."""


def list_request(
    service: str,
    conditions: Mapping[str, Any],
    *,
    page: int = 1,
    page_size: int = PAGE_SIZE,
    fields: str | None = None,
) -> Request:
    """Return the call for one page of a list, oldest first unless the conditions say otherwise.

    :param conditions: the filter, under Kaltura's names.
    :param fields: the properties to fetch, separated by commas; all of them if ``None``.
    """
    params: dict[str, Any] = {
        "filter": {"orderBy": "+createdAt", **conditions},
        "pager": {"pageSize": page_size, "pageIndex": page},
    }
    if fields:
        params["responseProfile"] = {"objectType": "KalturaDetachedResponseProfile", "type": 1, "fields": fields}
    return Request(service, "list", params)


@dataclass(slots=True)
class Pager:
    """The pages of one list. The caller sends :attr:`request` and passes the reply to :meth:`take`, until ``done``.

    An object that moves to a later page while the pages are read is returned once.
    """

    service: str
    conditions: Mapping[str, Any]
    fields: str | None = None
    page_size: int = PAGE_SIZE
    done: bool = field(default=False, init=False)
    _page: int = field(default=1, init=False)
    _seen: set[str] = field(default_factory=set, init=False)

    @property
    def request(self) -> Request:
        """The call for the next page."""
        return list_request(
            self.service, self.conditions, page=self._page, page_size=self.page_size, fields=self.fields
        )

    def take(self, reply: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the objects of a reply that were not on an earlier page.

        :raises KalturaTransportError: an object has no id.
        """
        found = reply.get("objects") or []
        self.done = len(found) < self.page_size
        self._page += 1
        with reading(f"a list of {self.service}"):
            new = [dict(item) for item in found if str(item["id"]) not in self._seen]
            self._seen.update(str(item["id"]) for item in new)
        return new


def list_all(
    client: Caller, service: str, conditions: Mapping[str, Any], *, fields: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield every object that a service lists, each once.

    Kaltura lists at most 10,000 entries for one filter; for more use
    :func:`kaltura_provider.services.entry.listing.walk`.

    :raises KalturaError: Kaltura refuses the filter, or cannot be asked.
    """
    pager = Pager(service, conditions, fields)
    while not pager.done:
        request = pager.request
        yield from pager.take(client.call(request.service, request.action, request.params))
