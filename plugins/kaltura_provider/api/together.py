"""Several calls in one exchange in such a way that no answer is overlooked.

Kaltura runs every call of a multirequest, whatever the others answer. Reads may share one, and so may changes that do
not depend on each other. A change that depends on another one is a call of its own, made when the other has succeeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kaltura_provider.api.errors import KalturaAPIError, KalturaNotFoundError
from kaltura_provider.api.wire import is_repeatable, referred_results

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.api.wire import Request

__all__ = ["Changes", "change_each", "read_together"]

Key = TypeVar("Key")


def read_together(
    client: KalturaClient,
    requests: Sequence[Request],
    *,
    may_miss: Collection[int] = (),
    may_fail: Collection[int] = (),
) -> list[Any]:
    """Make several reads in one exchange and return their values in order.

    :param may_miss: positions (from 0) whose object may not exist: the value is ``None`` then.
    :param may_fail: positions whose value is ``None`` after any error.
    :raises ValueError: a request is no read.
    :raises KalturaAPIError: the first error of another request. :raises KalturaError: as ``KalturaClient.call``.
    """
    for request in requests:
        if not is_repeatable(request.service, request.action):
            raise ValueError(f"{request.service}.{request.action} is no read")
    values: list[Any] = []
    for position, value in enumerate(client.multirequest(requests, repeatable=True)):
        if not isinstance(value, KalturaAPIError):
            values.append(value)
        elif position in may_fail or (position in may_miss and isinstance(value, KalturaNotFoundError)):
            values.append(None)
        else:
            raise value
    return values


@dataclass(frozen=True, slots=True)
class Changes(Generic[Key]):
    """What came of changes: the values of those that were made, the errors of those that were not."""

    done: dict[Key, Any]
    refused: dict[Key, KalturaAPIError]


def change_each(client: KalturaClient, changes: Mapping[Key, Request], *, repeatable: bool) -> Changes[Key]:
    """Make changes that do not depend on each other in one exchange; a refusal stops no other.

    :param changes: requests by whatever tells them apart, such as the entry's id.
    :param repeatable: whether each may be made twice without harm.
    :raises ValueError: a request uses the result of another one. :raises KalturaError: as ``KalturaClient.call``.
    """
    for request in changes.values():
        if referred_results(request.params):
            raise ValueError(f"{request.service}.{request.action} depends on another change: call it after that one")
    made: Changes[Key] = Changes({}, {})
    if not changes:
        return made
    for key, value in zip(changes, client.multirequest([*changes.values()], repeatable=repeatable), strict=True):
        if isinstance(value, KalturaAPIError):
            made.refused[key] = value
        else:
            made.done[key] = value
    return made
