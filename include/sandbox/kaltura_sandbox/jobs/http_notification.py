"""The job that sends an HTTP notification."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit

from kaltura_sandbox.job_queue import Retry
from kaltura_sandbox.jobs.handlers import handler
from kaltura_sandbox.wire.formats import XML, render

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["send_notification"]

log = logging.getLogger(__name__)

_METHODS = {1: "GET", 2: "POST", 3: "PUT", 4: "DELETE"}
_ALGORITHMS = {1: "sha1", 2: "sha256", 3: "sha512"}
_DELIVERED = (200, 204)
_ATTEMPTS, _TIMEOUT = 3, 30


class _Refused(Exception):
    """The receiver did not take the notification."""


@handler("http_notification")
def send_notification(account: Account, job: Record) -> None:
    """Send a notification; any answer but 200 or 204 is tried again, three times in all."""
    template = account.tables.notification_templates.get(job["template"])
    if template is None or template["status"] != 2:
        return
    try:
        _send(template, *_payload(template, job), secret=account.config.admin_secret)
    except (_Refused, OSError, ValueError) as error:
        if job["attempts"] < _ATTEMPTS:
            raise Retry(account.config.notification_retry_delay) from error
        log.warning("notification %s was not delivered: %s", job["id"], error)


def _payload(template: Record, job: Record) -> tuple[str, bytes]:
    """Return the Content-Type and the body."""
    data = template.get("data")
    notification = {
        "object": job["object"],
        "eventObjectType": template["eventObjectType"],
        "eventNotificationJobId": job["id"],
        "templateId": template["id"],
        "templateName": template.get("name"),
        "templateSystemName": template.get("systemName"),
        "eventType": job["event"],
        "objectType": "KalturaHttpNotification",
    }
    notification = {name: value for name, value in notification.items() if value is not None}
    if isinstance(data, dict) and str(data.get("format")) == str(XML):
        _, document = render(notification, XML, seconds=0)
        inner = document.partition(b"<result>")[2].partition(b"</result>")[0]
        return "application/xml", b"data=<notification>" + inner + b"</notification>"
    text = json.dumps(notification, separators=(",", ":"))
    # Templates made by older versions send a form field, under the same Content-Type.
    body = f"data={quote_plus(text)}" if template.get("_url_encode") else text
    return "application/json", body.encode()


def _send(template: Record, content_type: str, body: bytes, *, secret: str) -> None:
    algorithm = _ALGORITHMS[template.get("secureHashingAlgo") or 1]
    headers = {
        "Content-Type": content_type,
        "X-KALTURA-SIGNATURE": hashlib.new(algorithm, secret.encode() + body, usedforsecurity=False).hexdigest(),
        "X-KALTURA-HASH-ALGO": algorithm,
    }
    for item in template.get("customHeaders") or []:
        headers[str(item.get("key"))] = str(item.get("value"))
    if template.get("username"):
        pair = f"{template['username']}:{template.get('password') or ''}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    url, method = template["url"], _METHODS[template["method"]]
    if urlsplit(url).scheme not in ("http", "https"):
        raise _Refused(f"{url} is not an HTTP address")
    if method == "GET":
        url, content = f"{url}?{body.decode()}" if template.get("_url_encode") else f"{url}?{quote_plus(body)}", None
    else:
        content = body
    request = urllib.request.Request(url, data=content, headers=headers, method=method)  # noqa: S310 - checked above
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=template.get("timeout") or _TIMEOUT) as reply:
            status = reply.status
    except urllib.error.HTTPError as error:
        error.close()
        status = error.code
    if status not in _DELIVERED:
        raise _Refused(f"the receiver answered {status}")
