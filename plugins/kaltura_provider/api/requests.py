"""Requests written as plain mappings, as DAG files and XCom hold them, checked and made into a multirequest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.wire import Request, referred_results

__all__ = ["check_call", "read_requests"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Their results are sessions, which must not be stored where a task's results are.
_GIVE_SESSIONS = frozenset(
    {"session.start", "session.impersonate", "session.impersonatebyks", "session.startwidgetsession"}
    | {"apptoken.startsession", "user.login", "user.loginbyloginid", "user.loginbyks", "adminuser.login"}
)


def check_call(service: str, action: str, *, name: str = "") -> None:
    """Check the names of a call.

    :param name: what the call is named in errors, such as ``requests[2]``.
    :raises KalturaConfigurationError: they are no names, or the call's result is a session.
    """
    at = f"{name}." if name else ""
    for field, value in (("service", service), ("action", action)):
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise KalturaConfigurationError(
                f"{at}{field}", value, "is no name", "give Kaltura's name, such as media or caption_captionAsset"
            )
    if f"{service}.{action}".lower() in _GIVE_SESSIONS:
        raise KalturaConfigurationError(
            f"{at}action", f"{service}.{action}", "gives a session, which is a secret",
            "leave sessions to the connection; in Python code use KalturaHook.get_conn().ks()",
        )  # fmt: skip


def read_requests(requests: Sequence[Request | Mapping[str, Any]]) -> list[Request]:
    """Return the requests of a multirequest.

    :raises KalturaConfigurationError: one is malformed, or refers to itself or a later one; names it.
    """
    if not requests:
        raise KalturaConfigurationError("requests", None, "are empty", "give at least one")
    return [_request(item, number) for number, item in enumerate(requests, 1)]


def _request(item: Any, number: int) -> Request:
    name = f"requests[{number}]"
    if isinstance(item, Request):
        service, action, params = item.service, item.action, item.params
    elif isinstance(item, Mapping) and not set(item) - {"service", "action", "params"}:
        service, action, params = item.get("service", ""), item.get("action", ""), item.get("params") or {}
    else:
        raise KalturaConfigurationError(name, None, "is no request", "give a mapping of service, action, params")
    check_call(service, action, name=name)
    if not isinstance(params, Mapping):
        raise KalturaConfigurationError(f"{name}.params", None, "is no mapping", "give names and values")
    for referred in referred_results(params):
        if not 1 <= referred < number:
            raise KalturaConfigurationError(
                f"{name}.params", f"{{{referred}:result}}", "refers to no earlier request", "requests count from 1"
            )
    return Request(service, action, params)
