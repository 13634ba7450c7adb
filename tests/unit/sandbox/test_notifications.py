"""HTTP notifications: what is sent, signed how, and tried again when."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from kaltura_sandbox import Sandbox

SERVICE = "eventNotification_eventNotificationTemplate"


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))  # type: ignore[attr-defined]
        answers = self.server.answers  # type: ignore[attr-defined]
        self.send_response(answers.pop(0) if answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.got, server.answers = [], []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def working() -> Iterator[Sandbox]:
    with Sandbox(notification_retry_delay=0.05) as sandbox:
        yield sandbox


@pytest.fixture
def api(working: Sandbox, client: Any) -> Any:
    working.account.reset()
    return client(working)


def template(api: Any, receiver: Any, event: int, **more: Any) -> int:
    wish = {"objectType": "KalturaHttpNotificationTemplate", "name": "Hook", "eventType": event, "eventObjectType": 1}
    wish |= {"url": f"http://127.0.0.1:{receiver.server_port}/hook", "method": 2}
    data = {"objectType": "KalturaHttpNotificationObjectData", "apiObjectType": "KalturaMediaEntry", "format": 1}
    return int(api(SERVICE, "add", eventNotificationTemplate=wish | {"data": data} | more)["id"])


@pytest.mark.parametrize(("number", "algorithm"), [(1, "sha1"), (2, "sha256"), (3, "sha512")])
def test_a_new_entry_is_told_and_signed(api: Any, working: Sandbox, receiver: Any, number: int, algorithm: str) -> None:
    hook = template(api, receiver, 2, secureHashingAlgo=number, customHeaders={"0": {"key": "X-Own", "value": "v"}})
    entry = api.media(name="told")
    working.control.wait_idle()
    ((headers, body),) = receiver.got
    sent = json.loads(body)
    assert (sent["object"]["id"], sent["object"]["name"], sent["object"]["status"]) == (entry, "told", 7)
    assert (sent["templateId"], sent["templateName"], sent["eventType"]) == (hook, "Hook", "2")
    assert "templateSystemName" not in sent
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Own"] == "v"
    assert headers["X-Kaltura-Hash-Algo"] == algorithm
    digest = hashlib.new(algorithm, working.admin_secret.encode() + body).hexdigest()
    assert headers["X-Kaltura-Signature"] == digest


def test_only_the_columns_a_condition_names_count(api: Any, working: Sandbox, receiver: Any) -> None:
    condition = {"objectType": "KalturaEventObjectChangedCondition", "modifiedColumns": "entry.STATUS"}
    template(api, receiver, 3, eventConditions={"0": condition})
    entry = api.media(name="one", mediaType=2)
    api("media", "update", entryId=entry, mediaEntry={"name": "two"})
    assert api.attach(entry, api.full_token(b"GIF89a" + b"\1\0" * 40, "a.gif"))["status"] == 2
    working.control.wait_idle()
    assert [json.loads(body)["object"]["status"] for _, body in receiver.got] == [2]


def test_a_deletion_is_told_and_a_disabled_template_is_silent(api: Any, working: Sandbox, receiver: Any) -> None:
    hook = template(api, receiver, 7)
    api("media", "delete", entryId=api.media())
    working.control.wait_idle()
    assert [json.loads(body)["object"]["status"] for _, body in receiver.got] == [3]
    api(SERVICE, "updateStatus", id=hook, status=1)
    api("media", "delete", entryId=api.media())
    working.control.wait_idle()
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("answers", "sent"), [([200], 1), ([204], 1), ([201, 200], 2), ([500, 202, 200], 3), ([500, 500, 500, 200], 3)]
)
def test_anything_but_200_and_204_is_tried_three_times(
    api: Any, working: Sandbox, receiver: Any, answers: list[int], sent: int
) -> None:
    template(api, receiver, 2)
    receiver.answers = answers
    api.media()
    working.control.wait_idle()
    assert len(receiver.got) == sent
    assert len({json.loads(body)["eventNotificationJobId"] for _, body in receiver.got}) == 1


def test_older_templates_send_a_form_field(api: Any, working: Sandbox, receiver: Any) -> None:
    hook = template(api, receiver, 2)
    working.control.request("PATCH", f"notificationTemplates/{hook}", {"_url_encode": True})
    entry = api.media()
    working.control.wait_idle()
    ((headers, body),) = receiver.got
    assert headers["Content-Type"] == "application/json"
    assert json.loads(parse_qs(body.decode())["data"][0])["object"]["id"] == entry


def test_a_template_has_a_life(api: Any, receiver: Any) -> None:
    hook = template(api, receiver, 3, systemName="HOOK")
    assert api(SERVICE, "list", filter={"systemNameEqual": "HOOK"})["objects"][0]["id"] == hook
    assert api(SERVICE, "update", id=hook, eventNotificationTemplate={"name": "New"})["name"] == "New"
    assert api(SERVICE, "get", id=hook)["type"] == "httpNotification.Http"
    assert api(SERVICE, "delete", id=hook) is None
    assert api.code(api(SERVICE, "get", id=hook)) == "EVENT_NOTIFICATION_TEMPLATE_NOT_FOUND"
