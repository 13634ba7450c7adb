"""Flavors, categories and moderation of many entries: in batches, all of them, whatever one of them answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from kaltura_provider.api.errors import KalturaAPIError, KalturaPermanentError, api_error
from kaltura_provider.services.category import change_categories
from kaltura_provider.services.entry.durations import durations
from kaltura_provider.services.flavor_asset import FlavorAsset, list_flavors, narrowed, shown_flavor
from kaltura_provider.services.moderation import Decision, FlagType, moderate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.api.wire import Request

IDS = [f"0_entry{number:05d}" for number in range(120)]


class Client:
    """Answers as it is told, and keeps what was asked."""

    def __init__(self, answer: Callable[[str, Mapping[str, Any]], Any]) -> None:
        self.answer = answer
        self.batches: list[list[Request]] = []
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def call(self, service: str, action: str, params: Mapping[str, Any]) -> Any:
        self.calls.append((f"{service}.{action}", params))
        result = self.answer(f"{service}.{action}", params)
        if isinstance(result, KalturaAPIError):
            raise result
        return result

    def multirequest(self, requests: Sequence[Request], *, repeatable: bool) -> list[Any]:
        self.batches.append(list(requests))
        return [self.answer(f"{request.service}.{request.action}", request.params) for request in requests]


def as_client(made: Client) -> KalturaClient:
    return cast("KalturaClient", made)


def entry_of(params: Mapping[str, Any]) -> str:
    flag = params.get("moderationFlag") or params.get("categoryEntry") or params
    return str(flag.get("flaggedEntryId") or flag["entryId"])


def test_flavors_of_many_entries() -> None:
    def answer(_: str, params: Mapping[str, Any]) -> dict[str, Any]:
        asked = params["filter"]["entryIdIn"].split(",")
        assert len(asked) <= 100
        return {"objects": [{"id": f"{entry}f", "entryId": entry, "status": 2} for entry in asked]}

    client = Client(answer)
    assert list(list_flavors(as_client(client), IDS)) == IDS
    assert len(client.calls) == 2


def test_durations_of_more_entries_than_a_page_holds() -> None:
    ids = [f"0_entry{number:05d}" for number in range(1203)]

    def answer(_: str, params: Mapping[str, Any]) -> dict[str, Any]:
        size, page = params["pager"]["pageSize"], params["pager"]["pageIndex"]
        asked = params["filter"]["idIn"].split(",")[size * (page - 1) : size * page]
        return {"objects": [{"id": entry, "status": 2, "msDuration": 1500} for entry in asked]}

    assert durations(as_client(Client(answer)), ids) == dict.fromkeys(ids, 1.5)
    assert durations(as_client(Client(answer)), []) == {}


def test_flavors_with_all_that_a_table_needs() -> None:
    said = {
        "id": "0_flavor01", "containerFormat": "isom", "videoCodecId": "avc1", "frameRate": 25, "language": "English",
        "description": "it failed", "status": -1, "partnerData": "x", "entryId": IDS[0],
    }  # fmt: skip
    client = Client(lambda *_: {"objects": [said]})
    (flavor,) = list_flavors(as_client(client), IDS[:1])[IDS[0]]
    assert shown_flavor(flavor) == {
        "asset_id": "0_flavor01", "entry_id": IDS[0], "status": "error", "status_number": -1,
        "container_format": "isom", "video_codec_id": "avc1", "frame_rate": 25, "language": "English",
        "description": "it failed",
    }  # fmt: skip


def test_statuses_and_tags_as_text() -> None:
    known = [{"id": "a", "status": 2, "tags": "web, mbr"}, {"id": "b", "status": -1, "tags": "web"}]
    flavors = [FlavorAsset.of(flavor) for flavor in known]
    assert [flavor.id for flavor in narrowed(flavors, "ready, error", "web")] == ["a", "b"]
    assert [flavor.id for flavor in narrowed(flavors, 2, "web,mbr")] == ["a"]
    assert [flavor.id for flavor in narrowed(flavors, "", "")] == ["a", "b"]


def test_categories_of_many_entries() -> None:
    def answer(call: str, params: Mapping[str, Any]) -> Any:
        if entry_of(params) == IDS[3]:
            return api_error("INVALID_ENTRY_ID", "no such entry", {"ID": IDS[3]})
        return api_error("CATEGORY_ENTRY_ALREADY_EXISTS") if entry_of(params) == IDS[5] else {"id": 1}

    client = Client(answer)
    with pytest.raises(KalturaPermanentError, match=f"INVALID_ENTRY_ID.*{IDS[3]}"):
        change_categories(as_client(client), IDS, [7, 8], [9])
    assert [len(batch) for batch in client.batches] == [50] * 7 + [10]
    assert len({json.dumps([r.action, r.params], sort_keys=True) for batch in client.batches for r in batch}) == 360


def moderated(client: Client) -> list[str]:
    return [entry_of(request.params) for batch in client.batches for request in batch]


def test_a_refusal_stops_no_other_entry() -> None:
    def answer(call: str, params: Mapping[str, Any]) -> Any:
        if call == "baseEntry.getByIds":
            return []
        return api_error("ENTRY_CANNOT_BE_FLAGGED", "cannot") if entry_of(params) in (IDS[0], IDS[70]) else None

    client = Client(answer)
    with pytest.raises(KalturaPermanentError, match=f"ENTRY_CANNOT_BE_FLAGGED.*{IDS[0]}, {IDS[70]}"):
        moderate(as_client(client), IDS, Decision.FLAG, FlagType.COPYRIGHT)
    assert moderated(client) == IDS


def test_a_refusal_that_another_try_may_cure_is_the_one_raised() -> None:
    def answer(call: str, params: Mapping[str, Any]) -> Any:
        if call == "baseEntry.getByIds":
            return []
        codes = {IDS[0]: "ENTRY_ID_NOT_FOUND", IDS[1]: "INTERNAL_SERVERL_ERROR"}
        return api_error(codes[entry_of(params)], "no") if entry_of(params) in codes else None

    with pytest.raises(KalturaAPIError, match="INTERNAL_SERVERL_ERROR") as caught:
        moderate(as_client(Client(answer)), IDS[:3], Decision.APPROVE)
    assert not isinstance(caught.value, KalturaPermanentError)


@pytest.mark.parametrize(("decision", "there"), [(Decision.APPROVE, 2), (Decision.REJECT, "3"), (Decision.FLAG, 5)])
def test_an_entry_that_is_so_already_is_left_alone(decision: Decision, there: int | str) -> None:
    held = {IDS[0]: there, IDS[1]: 6, IDS[2]: 1}

    def answer(call: str, params: Mapping[str, Any]) -> Any:
        if call == "baseEntry.getByIds":
            return [
                {"id": i, "status": 2, "moderationStatus": held[i]} for i in params["entryIds"].split(",") if i in held
            ]
        return None

    client = Client(answer)
    moderate(as_client(client), IDS, decision, FlagType.COPYRIGHT if decision is Decision.FLAG else None)
    assert moderated(client) == IDS[1:]
    assert len(client.calls) == 3
    alone = Client(answer)
    moderate(as_client(alone), IDS[:1], decision)
    assert not alone.batches


def test_a_session_that_may_not_read_moderates_all() -> None:
    client = Client(lambda call, _: api_error("SERVICE_FORBIDDEN", "no") if call == "baseEntry.getByIds" else None)
    moderate(as_client(client), IDS[:3], Decision.APPROVE)
    assert moderated(client) == IDS[:3]
