"""Turn plain mappings, as in DAG files and XCom, into the checked requests of a multirequest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.wire import Request, referred_results

__all__ = ["check_call", "read_requests"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Their results are sessions, which must not be stored in XCom.
_GIVE_SESSIONS = frozenset(
    {"session.start", "session.impersonate", "session.impersonatebyks", "session.startwidgetsession"}
    | {"apptoken.startsession", "user.login", "user.loginbyloginid", "user.loginbyks", "adminuser.login"}
)


def check_call(service: str, action: str, *, name: str = "") -> None:
    """Check the names of a call.

    :param name: how errors name the call, such as ``requests[2]``.
    :raises KalturaConfigurationError: a name is not valid, or the result of the call is a session.
    """
    at = f"{name}." if name else ""
    for field, value in (("service", service), ("action", action)):
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise KalturaConfigurationError(
                f"{at}{field}",
                value,
                "is not the name of a service or action",
                "use Kaltura's name, such as media or caption_captionAsset",
            )
    if f"{service}.{action}".lower() in _GIVE_SESSIONS:
        raise KalturaConfigurationError(
            f"{at}action", f"{service}.{action}", "returns a session, which is a secret",
            "leave sessions to the connection; in Python code use KalturaHook.get_conn().ks()",
        )  # fmt: skip


def read_requests(requests: Sequence[Request | Mapping[str, Any]]) -> list[Request]:
    """Return the requests of a multirequest.

    :raises KalturaConfigurationError: a request is malformed, or refers to itself or a later request; names it.
    """
    if not requests:
        raise KalturaConfigurationError("requests", None, "is empty", "give at least one request")
    return [_request(item, number) for number, item in enumerate(requests, 1)]


def _request(item: Any, number: int) -> Request:
    name = f"requests[{number}]"
    if isinstance(item, Request):
        service, action, params = item.service, item.action, item.params
    elif isinstance(item, Mapping) and not set(item) - {"service", "action", "params"}:
        service, action, params = item.get("service", ""), item.get("action", ""), item.get("params") or {}
    else:
        raise KalturaConfigurationError(
            name, None, "is not a request", "give a mapping with service, action and params"
        )
    check_call(service, action, name=name)
    if not isinstance(params, Mapping):
        raise KalturaConfigurationError(f"{name}.params", None, "is not a mapping", "give a mapping of names to values")
    for referred in referred_results(params):
        if not 1 <= referred < number:
            raise KalturaConfigurationError(
                f"{name}.params",
                f"{{{referred}:result}}",
                "does not refer to an earlier request",
                "use a lower number; requests are counted from 1",
            )
    return Request(service, action, params)
