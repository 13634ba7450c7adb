"""Find, check and run one sub-request, with checks in the real server's order."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from kaltura_sandbox.api.call import Call, FileReply
from kaltura_sandbox.api.profile import trim
from kaltura_sandbox.api.registry import REQUIRED, Action, Level, find_action, find_service
from kaltura_sandbox.errors import KalturaError, ServerCrash
from kaltura_sandbox.server.message import CloseConnection
from kaltura_sandbox.sessions.keeper import not_owner
from kaltura_sandbox.wire import php

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.faults import Fault
    from kaltura_sandbox.server.message import Request

__all__ = ["run"]

log = logging.getLogger(__name__)

_API_FAULTS = ("delay", "error", "action_blocked", "expire_ks")


def run(
    account: Account, request: Request, params: dict[str, Any], headers: dict[str, str], element: int | None = None
) -> Any:
    """Run one call and return its value, a :class:`FileReply` or a :class:`KalturaError` (not raised).

    :param element: its number within a multirequest, from 1.
    """
    service = php.to_str(params.get("service", ""))
    action = php.to_str(params.get("action", ""))
    started, error = time.perf_counter(), None
    try:
        return _run(account, request, params, headers, element)
    except KalturaError as failure:
        error = failure.code
        _mark(headers, failure)
        return failure
    except (CloseConnection, ServerCrash):
        error = "ServerCrash"
        raise
    except Exception:
        log.exception("%s.%s failed", service, action)
        error = "INTERNAL_SERVERL_ERROR"
        return KalturaError(error)
    finally:
        seconds = time.perf_counter() - started
        tag = php.to_str(params.get("clientTag", ""))
        account.journal.call(service, action, error, seconds, account.clock.time(), tag)


def _mark(headers: dict[str, str], failure: KalturaError) -> None:
    if failure.code == "SERVICE_FORBIDDEN":
        headers["X-Kaltura"] = f"error-{failure.code}"
        headers["X-Kaltura-App"] = f"exiting on error {failure.code} - {failure.message}"


def _run(
    account: Account, request: Request, params: dict[str, Any], headers: dict[str, str], element: int | None
) -> Any:
    action = _find(params)
    call = Call(
        account=account,
        service=action.service,
        action=action.name,
        session=_session(account, params),
        partner_id=0,
        base_url=request.base_url,
        client=request.client,
        path=request.path,
        arrived=request.arrived,
        headers=headers,
        params=params,
    )
    _strike(call, element)
    values = _load(action, params, call.now)
    if call.session is not None:
        account.sessions.check(call.session, request.path, request.client)
    call.partner_id = _partner(call)
    if action.owner:
        _check_owner(call, php.to_str(params.get(action.owner, "")))
    _check_permission(call, action)
    result = action.handler(call, *values)
    for fault in account.faults.take(("error_after",), call.service, call.action, element):
        raise _error(fault)
    if isinstance(result, FileReply):
        return result
    return trim(result, params.get("responseProfile"))


def _find(params: dict[str, Any]) -> Action:
    service_name = php.to_str(params.get("service", ""))
    action_name = php.to_str(params.get("action", ""))
    if not service_name:
        raise KalturaError("SERVICE_NOT_SPECIFIED")
    service = find_service(service_name)
    if service is None:
        raise KalturaError("SERVICE_DOES_NOT_EXISTS", service_name)
    action = find_action(service, action_name)
    if action is None:
        raise KalturaError("ACTION_DOES_NOT_EXISTS", action_name, service_name)
    return action


def _session(account: Account, params: dict[str, Any]) -> Any:
    text = php.to_str(params.get("ks", ""))
    return account.sessions.open(text) if text else None


def _error(fault: Fault) -> KalturaError:
    code = str(fault.parameters.get("code", "INTERNAL_SERVERL_ERROR"))
    return KalturaError(code, **fault.parameters.get("args", {}))


def _strike(call: Call, element: int | None) -> None:
    """Apply the faults of the API level to this call before it runs."""
    for fault in call.account.faults.take(_API_FAULTS, call.service, call.action, element):
        if fault.kind == "delay":
            time.sleep(fault.number("seconds", 1))
        elif fault.kind == "expire_ks" and call.session is not None:
            call.account.sessions.expire(call.session.text)
        elif fault.kind == "action_blocked":
            raise KalturaError("ACTION_BLOCKED", call.action, call.service)
        elif fault.kind == "error":
            raise _error(fault)


def _load(action: Action, params: dict[str, Any], now: int) -> list[Any]:
    values = []
    for declared in action.params:
        raw = params.get(declared.name)
        if raw is not None or (declared.type.takes_null and declared.name in params):
            values.append(declared.type.load(raw, declared.name, now))
        elif declared.default is REQUIRED:
            raise KalturaError("MISSING_MANDATORY_PARAMETER", declared.name)
        else:
            values.append(declared.default)
    return values


def _partner(call: Call) -> int:
    """Return the partner a call acts on."""
    asked = php.to_str(call.params.get("partnerId", call.params.get("p", "")))
    if asked and not asked.lstrip("-").isdigit():
        raise _forbidden(call)
    number = int(asked or 0)
    if asked and not call.account.sessions.knows_partner(number):
        raise KalturaError("SERVICE_FORBIDDEN_CONTENT_BLOCKED")
    if call.session is None:
        return number
    if asked and number not in (0, call.session.partner_id):
        raise _forbidden(call)
    return call.session.partner_id


def _forbidden(call: Call) -> KalturaError:
    return KalturaError("SERVICE_FORBIDDEN", f"{call.service}->{call.action}")


def _check_owner(call: Call, entry_id: str) -> None:
    if call.session is None or call.may("edit", entry_id):
        return
    entry = call.tables.entries.get(entry_id)
    if entry is not None and entry.get("userId") != call.user_id:
        raise not_owner()


def _check_permission(call: Call, action: Action) -> None:
    if action.level == Level.NONE:
        return
    if call.session is None:
        # Never MISSING_KS: without a session the real server acts for partner 0, which every installation has.
        raise _forbidden(call)
    if action.level == Level.ADMIN and not call.is_admin:
        raise _forbidden(call)
    if action.level == Level.USER and call.session.is_widget:
        raise _forbidden(call)
