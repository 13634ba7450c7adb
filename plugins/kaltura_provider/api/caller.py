"""What work on Kaltura's objects needs of a client: one call, or several in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaltura_provider.api.wire import Request

__all__ = ["Caller"]


class Caller(Protocol):
    """A :class:`~.client.KalturaClient`, or something that calls Kaltura like one."""

    def call(
        self, service: str, action: str, params: Mapping[str, Any] | None = None, *, repeatable: bool | None = None
    ) -> Any:
        """Call an action, as ``KalturaClient.call``."""

    def multirequest(self, requests: Sequence[Request], *, repeatable: bool = False) -> list[Any]:
        """Make several calls in one request, as ``KalturaClient.multirequest``."""
