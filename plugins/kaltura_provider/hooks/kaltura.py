"""The hook: a Kaltura client for an Airflow connection."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from kaltura_provider.hooks.named_connections import named_connection, no_connection, of_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Connection

    from kaltura_provider.api.async_client import AsyncKalturaClient
    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.api.observer import Observer
    from kaltura_provider.api.wire import Request
    from kaltura_provider.hooks.connection import KalturaAccount

__all__ = ["KalturaHook"]


class KalturaHook(BaseHook):
    """Call the API of one Kaltura account.

    :param kaltura_conn_id: the id of an Airflow connection of type *Kaltura*.
    :param observer: is notified of secrets, calls, chunks and ids. The default masks secrets and logs calls.
    """

    conn_name_attr = "kaltura_conn_id"
    default_conn_name = "kaltura_default"
    conn_type = "kaltura"
    hook_name = "Kaltura"

    def __init__(self, kaltura_conn_id: str = default_conn_name, *, observer: Observer | None = None) -> None:
        super().__init__()
        self.kaltura_conn_id = kaltura_conn_id
        self._observer = observer

    @cached_property
    def account(self) -> KalturaAccount:
        """The account that the connection describes.

        :raises KalturaConfigurationError: the connection does not exist, is of another type, or has a
            field that is missing or malformed.
        """
        from kaltura_provider.hooks.connection import read_connection

        return read_connection(named_connection(self.kaltura_conn_id, "kaltura_conn_id"))

    @cached_property
    def observer(self) -> Observer:
        """The observer of secrets, calls, chunks and ids."""
        if self._observer is not None:
            return self._observer
        from kaltura_provider.hooks.observer import AirflowObserver

        return AirflowObserver()

    @cached_property
    def _client(self) -> KalturaClient:
        from kaltura_provider.api.client import KalturaClient

        return KalturaClient(self.account.service_url, self.account.credentials, observer=self.observer)

    def get_conn(self) -> KalturaClient:
        """Return the client. There is one per hook; it is safe to use from several threads."""
        return self._client

    async def aget_conn(self) -> AsyncKalturaClient:
        """Return a new asynchronous client for a trigger, without blocking the event loop.

        The caller must close it, with ``await client.aclose()`` or ``async with``.

        :raises KalturaConfigurationError: the connection does not exist, is of another type, or has a
            field that is missing or malformed.
        """
        try:
            connection = await self.aget_connection(self.kaltura_conn_id)
        except AirflowNotFoundException:
            raise no_connection(self.kaltura_conn_id, "kaltura_conn_id") from None
        of_type(connection, "kaltura_conn_id")
        # Loading the HTTP library and the trusted certificates takes tens of milliseconds.
        return await asyncio.to_thread(self._async_client, connection)

    def _async_client(self, connection: Connection) -> AsyncKalturaClient:
        from kaltura_provider.api.async_client import AsyncKalturaClient
        from kaltura_provider.hooks.connection import read_connection

        account = read_connection(connection)
        return AsyncKalturaClient(account.service_url, account.credentials, observer=self.observer)

    def call(self, service: str, action: str, **params: Any) -> Any:
        """Call any action of Kaltura's API and return its result.

        >>> KalturaHook().call("media", "get", entryId="0_ab12cd34")  # doctest: +SKIP

        :param service: the service, such as ``media``, ``baseEntry`` or ``caption_captionAsset``.
        :param action: the action, such as ``get`` or ``list``.
        :param params: the parameters of the action, with Kaltura's names. Objects are dicts.
        :return: the decoded JSON value.
        :raises KalturaError: see :mod:`kaltura_provider.api.errors`.
        """
        return self.get_conn().call(service, action, params)

    def multirequest(self, requests: Sequence[Request | Mapping[str, Any]], *, repeatable: bool = False) -> list[Any]:
        """Make several calls in one HTTP request. ``{1:result:id}`` stands for a value of an earlier answer.

        >>> KalturaHook().multirequest(
        ...     [
        ...         {"service": "media", "action": "add", "params": {"entry": {"mediaType": 1, "name": "x"}}},
        ...         {"service": "baseEntry", "action": "get", "params": {"entryId": "{1:result:id}"}},
        ...     ]
        ... )  # doctest: +SKIP

        :param requests: a list of mappings with ``service``, ``action`` and ``params``.
        :param repeatable: whether it is safe to make all of the calls twice.
        :return: one element per request: its value, or the :class:`~.errors.KalturaAPIError` it ended
            with (not raised; the server still runs later requests).
        :raises KalturaConfigurationError: a request is malformed; names it.
        :raises KalturaError: the server did not answer.
        """
        from kaltura_provider.api.requests import read_requests

        return self.get_conn().multirequest(read_requests(requests), repeatable=repeatable)

    def test_connection(self) -> tuple[bool, str]:
        """Say in one line who the connection is to Kaltura, or what is wrong. Airflow's Test button calls this."""
        from kaltura_provider.api.errors import KalturaError
        from kaltura_provider.api.identity import whoami

        try:
            identity = whoami(self.get_conn())
        except KalturaError as error:
            return False, str(error)
        return identity.ok, identity.message
