"""What is asked of Kaltura: plans carried out against a scripted server that answers as the real one does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kaltura_provider.api.errors import KalturaPermanentError, KalturaTransientError, api_error
from kaltura_provider.api.wire import Request
from kaltura_provider.waiting.conditions.bulk_job import BulkJobDone
from kaltura_provider.waiting.conditions.entry import EntryReady
from kaltura_provider.waiting.conditions.flavors import FlavorsReady
from kaltura_provider.waiting.conditions.upload_token import TokenFull
from kaltura_provider.waiting.polling.entries import EntryReader
from kaltura_provider.waiting.polling.readers import GETS, Calls, JobReader, TokenReader

Server = Callable[[Request], Any]


def carry_out(plan: Calls[Any], server: Server, log: list[str]) -> Any:
    value: Any = None
    while True:
        try:
            step = plan.send(value)
        except StopIteration as stop:
            return stop.value
        steps = step if isinstance(step, list) else [step]
        log.append("+".join(f"{one.service}.{one.action}" for one in steps))
        values = [server(one) for one in steps]
        value = values if isinstance(step, list) else values[0]


class Kaltura:
    """Entries and flavors in memory."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.flavors: list[dict[str, Any]] = []
        self.asked: list[Any] = []

    def __call__(self, request: Request) -> Any:
        params = request.params
        if request.action == "getByIds":
            ids = params["entryIds"].split(",")
            assert len(ids) <= 500
            return [self.entries[key] for key in ids if self.entries.get(key, {}).get("status", 3) != 3]
        if request.service == "baseEntry":
            found = self.entries.get(params["filter"]["idEqual"])
            return {"objects": [found] if found else [], "totalCount": int(bool(found))}
        if request.service == "flavorAsset":
            ids = params["filter"]["entryIdIn"].split(",")
            self.asked.append(ids)
            own = [flavor for flavor in self.flavors if flavor["entryId"] in ids]
            start = (params["pager"]["pageIndex"] - 1) * 500
            return {"objects": own[start : start + 500], "totalCount": len(own)}
        raise AssertionError(request)


def video(key: str, status: object, **more: Any) -> dict[str, Any]:
    return {"id": key, "status": status, "mediaType": 1, **more}


def test_entries_take_one_call_and_flavors_none_while_they_convert() -> None:
    kaltura, log = Kaltura(), list[str]()
    kaltura.entries = {f"e{n}": video(f"e{n}", 1) for n in range(500)}
    found = carry_out(EntryReader().read({key: [EntryReady()] for key in kaltura.entries}, 0), kaltura, log)
    assert log == ["baseEntry.getByIds"]
    assert len(found) == 500


def test_a_missing_entry_is_asked_for_by_its_id_before_it_is_called_deleted() -> None:
    kaltura, log = Kaltura(), list[str]()
    kaltura.entries = {"deleted": video("deleted", 3)}
    found = carry_out(EntryReader().read({"deleted": [EntryReady()], "unknown": [EntryReady()]}, 0), kaltura, log)
    assert log == ["baseEntry.getByIds", "baseEntry.list+baseEntry.list"]
    assert found["deleted"].status == 3
    assert found["unknown"].status is None


def test_flavors_are_read_for_what_changed_only_and_now_and_then() -> None:
    kaltura, log = Kaltura(), list[str]()
    kaltura.entries = {key: video(key, 1, updatedAt=1) for key in ("a", "b")}
    kaltura.flavors = [{"id": "f1", "entryId": "a", "status": 1, "flavorParamsId": 2}]
    reader = EntryReader()
    wanted = {"a": [FlavorsReady()], "b": [FlavorsReady()]}
    carry_out(reader.read(wanted, 0), kaltura, log)
    found = carry_out(reader.read(wanted, 5), kaltura, log)
    assert kaltura.asked == [["a", "b"]]
    assert [flavor.id for flavor in found["a"].flavors] == ["f1"]
    kaltura.entries["b"]["updatedAt"] = 2
    carry_out(reader.read(wanted, 10), kaltura, log)
    assert kaltura.asked[1:] == [["b"]]
    carry_out(reader.read(wanted, 61), kaltura, log)
    assert kaltura.asked[2:] == [["a"]]
    reader.keep(["b"])
    carry_out(reader.read({"a": [FlavorsReady()]}, 62), kaltura, log)
    assert kaltura.asked[3:] == [["a"]]


def test_flavor_pages_are_all_read() -> None:
    kaltura, log = Kaltura(), list[str]()
    kaltura.entries = {"a": video("a", 2)}
    kaltura.flavors = [{"id": f"f{n}", "entryId": "a", "status": 2, "flavorParamsId": n} for n in range(501)]
    found = carry_out(EntryReader().read({"a": [FlavorsReady()]}, 0), kaltura, log)
    assert len(found["a"].flavors) == 501
    assert log == ["baseEntry.getByIds", "flavorAsset.list", "flavorAsset.list"]


def test_flavors_are_read_only_for_conditions_that_want_them() -> None:
    kaltura, log = Kaltura(), list[str]()
    kaltura.entries = {
        "empty": video("empty", 2),
        "full": video("full", 2, flavorParamsIds="0,2"),
        "broken": video("broken", -1),
        "replaced": video("replaced", 2, replacementStatus=4, replacingEntryId="new"),
    }
    kaltura.flavors = [{"id": "f", "entryId": "new", "status": -1, "flavorParamsId": 2}]
    found = carry_out(EntryReader().read({key: [EntryReady()] for key in kaltura.entries}, 0), kaltura, log)
    assert kaltura.asked == [["broken", "empty", "new"]]
    assert found["full"].flavors is None
    assert [flavor.id for flavor in found["replaced"].flavors] == ["f"]


def test_tokens_are_listed_and_missing_ones_asked_for() -> None:
    tokens = {"t1": {"id": "t1", "status": 1}, "unlisted": {"id": "unlisted", "status": 2}}

    def server(request: Request) -> Any:
        if request.action == "list":
            return {"objects": [tokens["t1"]]}
        key = request.params["uploadTokenId"]
        return tokens.get(key) or api_error("UPLOAD_TOKEN_NOT_FOUND", "not found")

    log: list[str] = []
    wanted = {key: [TokenFull()] for key in ("t1", "unlisted", "gone")}
    found = carry_out(TokenReader().read(wanted, 0), server, log)
    assert log == ["uploadToken.list", "uploadToken.get+uploadToken.get"]
    assert [found[key].status for key in wanted] == [1, 2, None]


def test_jobs_share_a_multirequest_and_another_error_is_that_job_s_alone() -> None:
    def server(request: Request) -> Any:
        if request.params["id"] == "1":
            return {"id": 1, "status": 5}
        code = "BULK_UPLOAD_NOT_FOUND" if request.params["id"] == "2" else "SERVICE_FORBIDDEN"
        return api_error(code, "no")

    log: list[str] = []
    found = carry_out(JobReader().read({number: [BulkJobDone()] for number in "123"}, 0), server, log)
    assert log == ["bulkUpload_bulk.get+bulkUpload_bulk.get+bulkUpload_bulk.get"]
    assert (found["1"].status, found["2"].status) == (5, None)
    assert isinstance(found["3"], KalturaPermanentError)


def test_an_entry_or_token_that_cannot_be_read_is_alone_in_trouble() -> None:
    kaltura, log = Kaltura(), list[str]()
    kaltura.entries = {"good": video("good", 2)}
    trouble = api_error("INTERNAL_DATABASE_ERROR")

    def entries(request: Request) -> Any:
        return trouble if request.params.get("filter", {}).get("idEqual") == "bad" else kaltura(request)

    found = carry_out(EntryReader().read({key: [EntryReady()] for key in ("good", "bad", "gone")}, 0), entries, log)
    assert (found["good"].status, found["gone"].status, found["bad"]) == (2, None, trouble)

    def tokens(request: Request) -> Any:
        return {"objects": [{"id": "good", "status": 1}]} if request.action == "list" else trouble

    found = carry_out(TokenReader().read({key: [TokenFull()] for key in ("good", "bad")}, 0), tokens, log)
    assert (found["good"].status, found["bad"]) == (1, trouble)


def test_too_many_calls_are_everybody_s_trouble() -> None:
    with pytest.raises(KalturaTransientError, match="ACTION_BLOCKED"):
        carry_out(JobReader().read({"1": [BulkJobDone()]}, 0), lambda _: api_error("ACTION_BLOCKED"), [])


def test_few_are_asked_for_one_by_one_in_one_exchange() -> None:
    def server(request: Request) -> Any:
        return {"objects": []} if request.action == "list" else api_error("UPLOAD_TOKEN_NOT_FOUND")

    log: list[str] = []
    found = carry_out(TokenReader().read({f"t{n}": [TokenFull()] for n in range(500)}, 0), server, log)
    assert len(found) == 500
    assert max(line.count("uploadToken.get") for line in log) == GETS == 50
