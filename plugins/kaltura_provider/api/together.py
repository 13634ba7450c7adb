"""Make several calls in one HTTP request, and check the answer of each.

Kaltura runs every call of a multirequest, even if others fail. Reads can share a multirequest, and so can changes that
do not depend on each other. A change that depends on another must be a call of its own, made after the other
succeeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kaltura_provider.api.errors import KalturaAPIError, KalturaNotFoundError
from kaltura_provider.api.wire import is_repeatable, referred_results

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kaltura_provider.api.caller import Caller
    from kaltura_provider.api.wire import Request

__all__ = ["Changes", "change_each", "read_together"]

Key = TypeVar("Key")


def read_together(
    client: Caller,
    requests: Sequence[Request],
    *,
    may_miss: Collection[int] = (),
    may_fail: Collection[int] = (),
) -> list[Any]:
    """Make several reads in one HTTP request and return their values in order.

    :param may_miss: positions (from 0) whose value is ``None`` if the object does not exist.
    :param may_fail: positions (from 0) whose value is ``None`` after any error.
    :raises ValueError: a request is not a read.
    :raises KalturaAPIError: the first error of another request. :raises KalturaError: as ``KalturaClient.call``.
    """
    for request in requests:
        if not is_repeatable(request.service, request.action):
            raise ValueError(f"{request.service}.{request.action} does not only read; use changes()")
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
    """The outcome of several changes: values of those that succeeded, errors of those that failed."""

    done: dict[Key, Any]
    refused: dict[Key, KalturaAPIError]


def change_each(client: Caller, changes: Mapping[Key, Request], *, repeatable: bool) -> Changes[Key]:
    """Make independent changes in one HTTP request. If one is refused, the others are still made.

    :param changes: requests by a key of your choice, such as the entry id.
    :param repeatable: whether it is safe to make every change twice.
    :raises ValueError: a request uses the result of another one. :raises KalturaError: as ``KalturaClient.call``.
    """
    for request in changes.values():
        if referred_results(request.params):
            raise ValueError(
                f"{request.service}.{request.action} uses the result of another change; make it in a later call"
            )
    made: Changes[Key] = Changes({}, {})
    if not changes:
        return made
    for key, value in zip(changes, client.multirequest([*changes.values()], repeatable=repeatable), strict=True):
        if isinstance(value, KalturaAPIError):
            made.refused[key] = value
        else:
            made.done[key] = value
    return made
