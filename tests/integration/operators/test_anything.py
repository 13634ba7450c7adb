"""The generic operators and upload tokens."""

from __future__ import annotations

import json
import os

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.api.errors import KalturaNotFoundError
from kaltura_provider.api.wire import Request, result
from kaltura_provider.operators.call import KalturaCallOperator, KalturaMultiRequestOperator
from kaltura_provider.operators.upload_tokens import (
    KalturaAddUploadTokenOperator,
    KalturaDeleteUploadTokenOperator,
    KalturaGetUploadTokenOperator,
    KalturaListUploadTokensOperator,
)

NO_TOKEN = "0_" + "0" * 32


def test_a_dag_of_them(deployed, clip) -> None:
    ran = deployed.dag("anything", source=str(clip), name="Hello")
    assert [part["name"] for part in ran["made"]] == ["Hello", "Hello"]
    assert ran["made"][0]["id"] == ran["made"][1]["id"]
    assert (ran["name"], ran["shouted"]) == ("Hello", "HELLO")
    assert ran["full"]["status"] == "full_upload"
    assert ran["full"]["uploaded"] == os.path.getsize(clip)
    assert [token["token_id"] for token in ran["listed"]] == [ran["token"]["token_id"]]
    assert ran["deleted"] == {"token_id": ran["token"]["token_id"], "deleted": True}
    assert deployed.run(KalturaListUploadTokensOperator, statuses=["pending", 1, "full_upload"]) == []


def test_part_and_fields_of_an_answer(kaltura) -> None:
    entry_id = kaltura.entry("One")
    call = {"service": "baseEntry", "action": "list"}
    parameters = {"filter": {"idEqual": entry_id}}
    assert kaltura.run(KalturaCallOperator, **call, parameters=parameters, result_path="objects.0.id") == entry_id
    listed = kaltura.run(KalturaCallOperator, **call, parameters=parameters, fields=["id", "name"])
    assert listed["objects"] == [{"id": entry_id, "name": "One"}]
    with pytest.raises(
        AirflowFailException,
        match=r"result_path 'objects\.3\.id' is not in the answer \('3' is missing\): choose from what objects",
    ):
        kaltura.run(KalturaCallOperator, **call, parameters=parameters, result_path="objects.3.id")


def test_a_path_does_not_lead_around_what_hides_secrets(kaltura) -> None:
    form = {"objectType": "KalturaAppToken", "hashType": "SHA256"}
    call = {"service": "appToken", "action": "add", "parameters": {"appToken": form}}
    made = kaltura.run(KalturaCallOperator, **call)
    assert made["token"] == "***"
    assert kaltura.run(KalturaCallOperator, **call, result_path="token") == "***"


def test_parameters_have_to_be_a_mapping(kaltura) -> None:
    call = {"service": "media", "action": "get", "parameters": "entryId=1"}
    assert "parameters 'entryId=1' is not a mapping" in kaltura.refused(KalturaCallOperator, **call)


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv"])
def test_a_long_answer_goes_to_a_file(kaltura, tmp_path, ending) -> None:
    for number in range(3):
        kaltura.entry(f"Entry {number}, \u00e9\n")
    path = tmp_path / "new" / f"entries.{ending}"
    arguments = {"parameters": {"filter": {"statusIn": "7", "orderBy": "+name"}}, "fields": ["name", "status"]}
    said = kaltura.run(
        KalturaCallOperator, service="media", action="list", **arguments, result_path="objects", output_uri=str(path)
    )
    assert said == {"output_uri": str(path), "count": 3}
    text = path.read_text()
    if ending == "csv":
        assert text.splitlines()[0] == "name,status"
        assert text.count("Entry") == 3
    else:
        rows = json.loads(text) if ending == "json" else [json.loads(line) for line in text.splitlines()]
        assert [row["name"].strip() for row in rows] == [f"Entry {number}, \u00e9" for number in range(3)]
    assert list(path.parent.iterdir()) == [path]


def test_a_long_answer_goes_to_an_object(kaltura, s3, s3_sandbox) -> None:
    kaltura.entry()
    kaltura.run(
        KalturaCallOperator, service="media", action="list", parameters={"filter": {"statusIn": "7"}},
        output_uri="s3://media/lists/all.jsonl",
    )  # fmt: skip
    assert s3.size("media", "lists/all.jsonl") > 100


def test_bad_arguments_are_refused_before_any_call(kaltura) -> None:
    refused = kaltura.refused
    call = {"service": "media", "action": "list"}
    assert "service 'media/list'" in refused(KalturaCallOperator, service="media/list", action="x")
    assert "returns a session" in refused(KalturaCallOperator, service="session", action="start")
    assert "output_uri 'here.csv' is not an address" in refused(KalturaCallOperator, **call, output_uri="here.csv")
    assert "does not have a known extension" in refused(KalturaCallOperator, **call, output_uri="/tmp/x.parquet")
    assert "KALTURA_ALLOWED_PATHS" in refused(KalturaCallOperator, **call, output_uri="/etc/kaltura/x.csv")
    assert "it contains '..'" in refused(KalturaCallOperator, **call, output_uri="file:///tmp/../etc/x.csv")
    assert "requests is empty" in refused(KalturaMultiRequestOperator, requests=[])
    late = {**call, "params": {"id": result(2, "id")}}
    assert "requests[2].params" in refused(KalturaMultiRequestOperator, requests=[call, late])
    assert "requests[1] is not a request" in refused(KalturaMultiRequestOperator, requests=[{**call, "param": {}}])
    assert "file_name 'a/b.mp4'" in refused(KalturaAddUploadTokenOperator, file_name="a/b.mp4")
    assert "file_size '-1'" in refused(KalturaAddUploadTokenOperator, file_name="b.mp4", file_size="-1")
    assert "token_id '0_ab'" in refused(KalturaGetUploadTokenOperator, token_id="0_ab")
    assert "statuses 'ful'" in refused(KalturaListUploadTokensOperator, statuses=["ful"])


def test_a_refusal_by_kaltura_fails_at_once(kaltura) -> None:
    with pytest.raises(AirflowFailException, match="UPLOAD_TOKEN_NOT_FOUND"):
        kaltura.run(KalturaGetUploadTokenOperator, token_id=NO_TOKEN)
    assert kaltura.run(KalturaDeleteUploadTokenOperator, token_id=NO_TOKEN) == {"token_id": NO_TOKEN, "deleted": False}


def test_a_failure_among_several_calls(kaltura) -> None:
    requests = [
        {"service": "baseEntry", "action": "get", "params": {"entryId": "0_abcdefgh"}},
        {"service": "system", "action": "ping"},
    ]
    with pytest.raises(AirflowFailException, match="ENTRY_ID_NOT_FOUND"):
        kaltura.run(KalturaMultiRequestOperator, requests=requests)
    results = kaltura.run(KalturaMultiRequestOperator, requests=requests, allow_failures=True)
    assert results[0]["error"] == "ENTRY_ID_NOT_FOUND"
    assert results[1] is True
    hooked = kaltura.hook.multirequest([Request("baseEntry", "get", {"entryId": "0_abcdefgh"})])
    assert isinstance(hooked[0], KalturaNotFoundError)


def test_no_secret_reaches_xcom(kaltura) -> None:
    made = kaltura.run(
        KalturaCallOperator, service="appToken", action="add",
        parameters={"appToken": {"objectType": "KalturaAppToken", "description": "d"}},
    )  # fmt: skip
    assert made["token"] == "***"
    assert made["description"] == "d"
