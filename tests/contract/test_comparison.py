"""The comparison of replies finds what it has to find, and forgives only what depends on the run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conformance.compare import compare
from conformance.content import file_content
from conformance.mapping import IdMap
from conformance.recording import Step
from conformance.sender import Reply

ENTRY = {"id": "0_aaaaaaaa", "name": "x", "status": 2, "createdAt": 1795453240, "objectType": "KalturaMediaEntry"}


def differences(
    recorded: Any, actual: Any, *, ids: IdMap | None = None, fields: Any = None, status: int = 200
) -> list[str]:
    response = {"status": 200, "headers": {"Content-Type": "application/json"}, "json": recorded}
    request = {"method": "POST", "path": "/api_v3/service/media/action/get", "encoding": "form", "fields": fields or {}}
    step = Step("00", 0, "step", request, response)
    reply = Reply(status, {"content-type": "application/json"}, json.dumps(actual).encode())
    return compare(step, reply, ids or IdMap())


def test_ids_and_times_of_the_run_are_forgiven() -> None:
    assert differences(ENTRY, {**ENTRY, "id": "0_bbbbbbbb", "createdAt": 1800000000}) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"status": 1},
        {"status": "2"},
        {"name": "y"},
        {"name": None},
        {"objectType": "KalturaBaseEntry"},
        {"createdAt": "1800000000"},
        {"createdAt": 5},
        {"more": 1},
    ],
)
def test_a_changed_value_type_or_key_is_found(changed: dict[str, Any]) -> None:
    assert differences(ENTRY, {**ENTRY, **changed})


def test_a_missing_key_is_found() -> None:
    assert differences(ENTRY, {name: value for name, value in ENTRY.items() if name != "status"})


def test_another_http_status_is_found() -> None:
    assert differences(ENTRY, ENTRY, status=500)


def test_a_time_that_was_sent_must_come_back() -> None:
    recorded = {**ENTRY, "startDate": 1700000000}
    fields = {"entry:startDate": "1700000000"}
    assert differences(recorded, {**recorded, "startDate": 1700000001}, fields=fields)
    assert differences(recorded, recorded, fields=fields) == []


def test_an_id_stands_for_one_id_only() -> None:
    ids = IdMap()
    assert differences(ENTRY, {**ENTRY, "id": "0_bbbbbbbb"}, ids=ids) == []
    assert differences(ENTRY, {**ENTRY, "id": "0_bbbbbbbb"}, ids=ids) == []
    assert differences(ENTRY, {**ENTRY, "id": "0_cccccccc"}, ids=ids)


def test_errors_are_compared_by_code_and_arguments() -> None:
    error = {"code": "A", "message": "m", "objectType": "KalturaAPIException", "args": {"ID": "5"}}
    assert differences(error, error) == []
    assert differences(error, {**error, "code": "B"})
    assert differences(error, {**error, "args": []})
    assert differences(error, {**error, "args": {"OTHER": "5"}})


def test_a_list_of_known_objects_is_compared_as_a_whole() -> None:
    page = {"totalCount": 1, "objects": [ENTRY], "objectType": "KalturaMediaListResponse"}
    scope = {"filter:idEqual": "0_aaaaaaaa"}
    assert differences(page, page, fields=scope) == []
    assert differences(page, {**page, "objects": []}, fields=scope)
    assert differences(page, {**page, "totalCount": 2}, fields=scope)


def test_a_list_beyond_the_replay_is_compared_by_shape() -> None:
    page = {"totalCount": 9, "objects": [ENTRY], "objectType": "KalturaMediaListResponse"}
    other = {**ENTRY, "id": "0_dddddddd", "name": "other", "status": 7}
    assert differences(page, {**page, "totalCount": 3, "objects": [other]}) == []
    assert differences(page, {**page, "objects": [{**other, "name": 5}]})
    assert differences(page, {**page, "totalCount": "9"})


SIZES = [(name, size) for name in ("a.mp4", "a.pdf", "a.csv", "a.srt") for size in (0, 3, 100, 150000)]


@pytest.mark.parametrize(("name", "size"), [*SIZES, ("a.png", 140), ("a.png", 5000)])
def test_stand_in_files_have_the_recorded_size(name: str, size: int) -> None:
    assert len(file_content(name, size, "0" * 40)) == size
