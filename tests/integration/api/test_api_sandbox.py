"""The API layer against the sandbox: every way to authenticate, what goes over the wire, and what goes wrong."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest

from kaltura_provider.api.async_client import AsyncKalturaClient
from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import Credentials
from kaltura_provider.api.enums import EntryStatus, MediaType, SessionType, UploadTokenStatus, parse_status
from kaltura_provider.api.errors import (
    KalturaConfigurationError,
    KalturaNotFoundError,
    KalturaPermanentError,
    KalturaTransientError,
    KalturaTransportError,
)
from kaltura_provider.api.identity import whoami
from kaltura_provider.api.multipart import FilePart
from kaltura_provider.api.observer import Observer
from kaltura_provider.api.params import NULL
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.api.wire import Request, first_error, result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaltura_sandbox import Sandbox

QUICK = RetrySettings(attempts=4, base=0.01)


@pytest.fixture
def admin(kaltura_sandbox: Sandbox) -> Credentials:
    return Credentials(kaltura_sandbox.partner_id, "secret", kaltura_sandbox.admin_secret)


@pytest.fixture
def client(kaltura_sandbox: Sandbox, admin: Credentials) -> Iterator[KalturaClient]:
    with KalturaClient(kaltura_sandbox.service_url, admin, retry=QUICK) as made:
        yield made


def _add(client: KalturaClient, **properties: object) -> dict:
    entry = {"objectType": "KalturaMediaEntry", "mediaType": MediaType.VIDEO, "name": "x", **properties}
    return client.call("media", "add", {"entry": entry})


class TestSessions:
    def test_minted_here(self, client, kaltura_sandbox):
        identity = whoami(client)
        assert identity.ok, identity.message
        assert (identity.partner_id, identity.user_id, identity.session_type) == (
            kaltura_sandbox.partner_id, "airflow", SessionType.ADMIN,
        )  # fmt: skip
        assert "disableentitlement,sessionkey:" in identity.privileges

    @pytest.mark.parametrize("session_type", SessionType)
    def test_by_session_start(self, kaltura_sandbox, session_type):
        secret = kaltura_sandbox.admin_secret if session_type is SessionType.ADMIN else kaltura_sandbox.user_secret
        credentials = Credentials(kaltura_sandbox.partner_id, "session_start", secret, session_type=session_type)
        with KalturaClient(kaltura_sandbox.service_url, credentials) as client:
            assert _add(client)["userId"] == "airflow"
            assert whoami(client).ok

    def test_a_user_secret_is_enough_for_a_user_session(self, kaltura_sandbox):
        credentials = Credentials(
            kaltura_sandbox.partner_id, "secret", kaltura_sandbox.user_secret, session_type=SessionType.USER
        )
        with KalturaClient(kaltura_sandbox.service_url, credentials) as client:
            assert _add(client)["status"] == EntryStatus.NO_CONTENT
            assert "ADMIN session" in whoami(client).message

    @pytest.mark.parametrize("hash_type", ["SHA1", "MD5", "SHA256", "SHA512"])
    def test_by_app_token(self, client, kaltura_sandbox, hash_type):
        token = client.call(
            "appToken",
            "add",
            {"appToken": {"objectType": "KalturaAppToken", "sessionType": SessionType.ADMIN, "hashType": hash_type}},
        )
        credentials = Credentials(
            kaltura_sandbox.partner_id, "app_token", token["token"], app_token_id=token["id"], user_id="someone"
        )
        with KalturaClient(kaltura_sandbox.service_url, credentials) as by_token:
            assert _add(by_token)["userId"] == "someone"
            kaltura_sandbox.account.faults.add("expire_ks", service="media", action="get")
            with pytest.raises(KalturaNotFoundError):
                by_token.call("media", "get", {"entryId": "0_missing0"})

    def test_a_given_session(self, client, kaltura_sandbox):
        given = Credentials(kaltura_sandbox.partner_id, "ks", client.ks())
        with KalturaClient(kaltura_sandbox.service_url, given) as other:
            assert whoami(other).ok

    @pytest.mark.parametrize(
        ("partner", "secret", "words"),
        [
            (None, "f" * 32, "The secret does not belong to partner"),
            (None, "user", "is the user secret of partner"),
            (999_999, "f" * 32, "Partner 999999 is unknown or blocked"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(self, kaltura_sandbox, partner, secret, words):
        secret = kaltura_sandbox.user_secret if secret == "user" else secret
        credentials = Credentials(partner or kaltura_sandbox.partner_id, "secret", secret)
        with KalturaClient(kaltura_sandbox.service_url, credentials) as client:
            identity = whoami(client)
            with pytest.raises(KalturaConfigurationError, match=words) as caught:
                client.call("media", "list")
        assert not identity.ok
        assert words in identity.message
        assert secret not in identity.message + str(caught.value)

    def test_an_ended_session_is_renewed(self, client):
        before = client.ks()
        client.call("session", "end")
        assert _add(client)["status"] == EntryStatus.NO_CONTENT
        assert client.ks() != before


class TestTheWire:
    def test_properties_arrive_as_they_were_sent(self, client):
        entry = _add(
            client, name="Größe & 50% [x]=ß;日本", description="two\nlines", tags="bb, AA,bb", partnerSortValue=-7
        )
        read = client.call("media", "get", {"entryId": entry["id"]})
        assert (read["name"], read["description"], read["tags"]) == ("Größe & 50% [x]=ß;日本", "two\nlines", "bb, aa")
        assert read["partnerSortValue"] == -7

    def test_null_empties_a_property_and_none_leaves_it(self, client):
        entry = _add(client, referenceId="abc", description="d")
        client.call(
            "media", "update", {"entryId": entry["id"], "mediaEntry": {"description": NULL, "referenceId": None}}
        )
        read = client.call("media", "get", {"entryId": entry["id"]})
        assert read["referenceId"] == "abc"
        assert not read.get("description")

    def test_one_exchange_with_references(self, client, kaltura_sandbox):
        resource = {"objectType": "KalturaUploadedFileTokenResource", "token": result(1, "id")}
        entry = {"objectType": "KalturaMediaEntry", "mediaType": MediaType.VIDEO, "name": "x"}
        results = client.multirequest(
            [
                Request("uploadToken", "add", {"uploadToken": {"fileName": "a.mp4"}}),
                Request("media", "add", {"entry": entry}),
                Request("media", "addContent", {"entryId": result(2, "id"), "resource": resource}),
                Request("media", "get", {"entryId": "0_missing0"}),
                Request("uploadToken", "get", {"uploadTokenId": result(1, "id")}),
            ]
        )
        assert results[2]["id"] == results[1]["id"]
        assert parse_status(EntryStatus, results[2]["status"]) is EntryStatus.IMPORT
        assert results[4]["attachedObjectType"] == "flavorAsset"
        error = first_error(results)
        assert isinstance(error, KalturaNotFoundError)
        assert (error.service, error.action, error.details) == ("media", "get", {"ENTRY_ID": "0_missing0"})

    def test_lists_and_bare_values(self, client):
        ids = [_add(client)["id"] for _ in range(3)]
        found = client.call("baseEntry", "getByIds", {"entryIds": ",".join([*ids, "0_missing0"])})
        assert {entry["id"] for entry in found} == set(ids)
        profile = {"objectType": "KalturaDetachedResponseProfile", "type": 1, "fields": "id,status"}
        trimmed = client.call("baseEntry", "getByIds", {"entryIds": ids[0], "responseProfile": profile})
        assert "name" not in trimmed[0]
        assert client.call("media", "count", {"filter": {"statusEqual": EntryStatus.NO_CONTENT}}) == 3
        assert client.call("media", "delete", {"entryId": ids[0]}) is None
        assert client.call("system", "ping") is True

    def test_errors_tell_what_the_server_said(self, client):
        with pytest.raises(KalturaPermanentError) as caught:
            client.call("media", "add", {"entry": {"objectType": "KalturaMediaEntry", "mediaType": 77}})
        assert caught.value.code == "INVALID_ENUM_VALUE"
        assert caught.value.details["ENUM_VAL"] == "77"
        assert caught.value.request_id

    def test_a_file_arrives_whole(self, client, kaltura_sandbox):
        data = bytes(range(256)) * 8192
        token = client.call("uploadToken", "add", {"uploadToken": {"fileName": "a.mp4", "fileSize": len(data)}})
        middle = len(data) // 2 + 17
        for offset, end, final in ((0, middle, False), (middle, len(data), True)):
            view = memoryview(data)[offset:end]
            answer = client.send_file(
                "uploadToken",
                "upload",
                {"uploadTokenId": token["id"], "resume": offset > 0, "resumeAt": offset, "finalChunk": final},
                FilePart("a.mp4", len(view), lambda view=view: [view[:1000], view[1000:]]),
            )
        assert parse_status(UploadTokenStatus, answer["status"]) is UploadTokenStatus.FULL_UPLOAD
        assert int(answer["uploadedFileSize"]) == len(data)
        media = {"objectType": "KalturaMediaEntry", "mediaType": MediaType.VIDEO, "name": "x"}
        entry = client.call("media", "addFromUploadedFile", {"mediaEntry": media, "uploadTokenId": token["id"]})
        held = kaltura_sandbox.control.entry(entry["id"])
        assert hashlib.sha256(data).hexdigest() in str(held)


class TestTrouble:
    @pytest.mark.parametrize("kind", ["reset_before", "reply_lost", "html_error", "unavailable", "action_blocked"])
    def test_reading_goes_on(self, client, kaltura_sandbox, kind):
        entry = _add(client)
        kaltura_sandbox.account.faults.add(kind, service="media", action="get", times=2, retry_after=0)
        assert client.call("media", "get", {"entryId": entry["id"]})["id"] == entry["id"]

    @pytest.mark.parametrize("kind", ["unavailable", "action_blocked"])
    def test_add_goes_on_when_it_was_not_done(self, client, kaltura_sandbox, kind):
        kaltura_sandbox.account.faults.add(kind, service="media", action="add", times=2, retry_after=0)
        _add(client)
        assert client.call("media", "count", {"filter": {"statusEqual": 7}}) == 1

    def test_add_whose_answer_is_lost_is_done_once(self, client, kaltura_sandbox):
        kaltura_sandbox.account.faults.add("reply_lost", service="media", action="add")
        with pytest.raises(KalturaTransportError) as caught:
            _add(client)
        assert caught.value.ambiguous
        assert client.call("media", "count", {"filter": {"statusEqual": 7}}) == 1

    def test_a_file_is_sent_again_with_a_new_session(self, client, kaltura_sandbox):
        token = client.call("uploadToken", "add", {"uploadToken": {"fileName": "a.mp4"}})
        before = client.ks()
        kaltura_sandbox.account.faults.add("expire_ks", service="uploadToken", action="upload")
        part = FilePart("a.mp4", 3, lambda: [b"abc"])
        params = {"uploadTokenId": token["id"], "resume": False, "finalChunk": True}
        assert client.send_file("uploadToken", "upload", params, part)["status"] == UploadTokenStatus.FULL_UPLOAD
        assert client.ks() != before

    def test_a_whole_multirequest_is_repeated_with_a_new_session(self, client, kaltura_sandbox):
        entry = _add(client)
        kaltura_sandbox.account.faults.add("expire_ks", service="media", action="get")
        get = Request("media", "get", {"entryId": entry["id"]})
        assert first_error(client.multirequest([get, get, get])) is None

    def test_one_new_session_for_many_threads(self, kaltura_sandbox, admin):
        class Secrets(Observer):
            seen: list[str] = []  # noqa: RUF012 - one test, one list

            def on_secret(self, value: str) -> None:
                self.seen.append(value)

        with KalturaClient(kaltura_sandbox.service_url, admin, observer=Secrets(), retry=QUICK) as client:
            entry = _add(client)
            kaltura_sandbox.account.faults.add("expire_ks", service="media", action="get")
            errors: list[Exception] = []

            def work() -> None:
                try:
                    for _ in range(5):
                        client.call("media", "get", {"entryId": entry["id"]})
                except Exception as error:
                    errors.append(error)

            threads = [threading.Thread(target=work) for _ in range(8)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
        assert errors == []
        # The secret, the first session and the one after it.
        assert len(Secrets.seen) == 3

    def test_server_errors_end_adding_at_once(self, client, kaltura_sandbox):
        kaltura_sandbox.account.faults.add("error", service="media", action="add", code="INTERNAL_SERVERL_ERROR")
        with pytest.raises(KalturaTransientError) as caught:
            _add(client)
        assert caught.value.ambiguous


class TestAsynchronous:
    async def test_calls_and_trouble(self, kaltura_sandbox, admin):
        async with AsyncKalturaClient(kaltura_sandbox.service_url, admin, retry=QUICK) as client:
            entry = await client.call(
                "media", "add", {"entry": {"objectType": "KalturaMediaEntry", "mediaType": 1, "name": "x"}}
            )
            for kind in ("reply_lost", "html_error", "expire_ks", "reset_before"):
                kaltura_sandbox.account.faults.add(kind, service="baseEntry", action="getByIds")
                found = await client.call("baseEntry", "getByIds", {"entryIds": entry["id"]})
                assert [read["id"] for read in found] == [entry["id"]]
            results = await client.multirequest([Request("media", "get", {"entryId": entry["id"]})] * 2)
            assert first_error(results) is None
