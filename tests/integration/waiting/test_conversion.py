"""Entries that the sandbox really takes through import and conversion, seen by the triggers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from kaltura_provider.api.multipart import FilePart
from kaltura_provider.sensors.entry import KalturaEntryReadySensor
from kaltura_provider.triggers.entry import KalturaEntryReadyTrigger, KalturaFlavorReadyTrigger

COMMON: dict[str, Any] = {"kaltura_conn_id": "kaltura_waiting", "intervals": ((0.0, 0.3),)}


@pytest.fixture
def converting(entries: Any) -> str:
    """Give an entry content, analysed, so that its flavors are being made."""
    client = entries.client
    entry = client.call("media", "add", {"entry": {"objectType": "KalturaMediaEntry", "name": "a", "mediaType": 1}})
    token = client.call("uploadToken", "add", {"uploadToken": {"fileName": "a.mp4"}})
    data = b"\0" * 1000
    part = FilePart(file_name="a.mp4", length=len(data), body=lambda: [data])
    client.send_file("uploadToken", "upload", {"uploadTokenId": token["id"]}, part)
    resource = {"objectType": "KalturaUploadedFileTokenResource", "token": token["id"]}
    client.call("media", "addContent", {"entryId": entry["id"], "resource": resource})
    entries.control.drive(entry["id"], "analysed")
    return str(entry["id"])


async def test_ready_comes_first_and_all_flavors_later(entries: Any, triggerer: Any, converting: str) -> None:
    started = await triggerer.start(
        KalturaEntryReadyTrigger(ids=[converting], **COMMON),
        KalturaFlavorReadyTrigger(ids=[converting], **COMMON),
    )
    await triggerer.until(lambda: entries.calls()["flavorasset.list"] >= 1)
    flavors = [flavor for flavor in entries.control.entry(converting)["flavors"] if not flavor["isOriginal"]]
    moving = [flavor["flavorParamsId"] for flavor in flavors if flavor["status"] != 4]
    assert len(moving) > 1
    entries.control.drive(converting, "converted", flavorParamsId=moving[0])
    entries.control.drive(converting, "ready", flavorParamsId=moving[0])
    payload = (await triggerer.wait_for(started[0]))[0]
    assert payload["ready"] == {converting: 2}
    assert started[1] not in triggerer.events
    for number in moving[1:]:
        entries.control.drive(converting, "converted", flavorParamsId=number)
        entries.control.drive(converting, "ready", flavorParamsId=number)
    payload = (await triggerer.wait_for(started[1]))[0]
    assert len(payload["ready"][converting]["flavors"]) == len(moving) + 1


async def test_flavors_are_not_read_while_nothing_changes(entries: Any, triggerer: Any, converting: str) -> None:
    await triggerer.start(KalturaFlavorReadyTrigger(ids=[converting], **COMMON))
    await triggerer.until(lambda: entries.calls()["baseentry.getbyids"] >= 5)
    assert entries.calls()["flavorasset.list"] == 1


async def test_a_failed_conversion_says_which_flavors_and_why(entries: Any, triggerer: Any, converting: str) -> None:
    started = await triggerer.start(KalturaEntryReadyTrigger(ids=[converting], **COMMON))
    entries.control.drive(converting, "failed", reason="no video stream in the source")
    reason = (await triggerer.wait_for(*started))[0]["failed"][converting]
    assert "ERROR_CONVERTING" in reason
    assert "flavor params" in reason
    assert "no video stream in the source" in reason


def test_an_import_that_is_ready_is_confirmed(sandbox: Any, entries: Any) -> None:
    from kaltura_provider.ingest.item import ItemState, SourceItem
    from kaltura_provider.ingest.marks import content_mark
    from kaltura_provider.ingest.preparation import prepare
    from kaltura_provider.ingest.settings import IngestSettings, Transfer

    asset = SourceItem(uri="https://cdn.example.com/a.mp4", size=70000, import_url="https://cdn.example.com/a.mp4")
    reference = prepare(entries.client, [asset], settings=IngestSettings(transfer=Transfer.IMPORT))[0]
    assert reference.state is ItemState.IMPORTING
    for event in ("imported", "analysed", "converted", "ready"):
        entries.control.drive(reference.entry_id, event)
    sensor = KalturaEntryReadySensor(
        task_id="wait", entry_id=[reference.to_dict()], kaltura_conn_id="kaltura_waiting", deferrable=False
    )
    instance = SimpleNamespace(try_number=1, xcom_push=lambda key, value: None)
    found = sensor.execute({"ti": instance})  # type: ignore[typeddict-item]
    assert (found[0]["state"], found[0]["status"]) == ("done", "ready")
    assert content_mark(reference.content_id) in entries.control.entry(reference.entry_id)["adminTags"]
    again = prepare(entries.client, [asset], settings=IngestSettings(transfer=Transfer.IMPORT))[0]
    assert (again.state, again.entry_id) == (ItemState.DONE, reference.entry_id)


def test_a_deferred_wait_goes_to_the_triggerers_of_its_queue(
    sandbox: Any, entries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import structlog
    from airflow.sdk.execution_time.task_runner import _defer_task

    class Instance:
        dag_id = task_id = run_id = "wait"
        task = KalturaEntryReadySensor(
            task_id="wait",
            entry_id=entries.make(1),
            kaltura_conn_id="kaltura_waiting",
            deferrable=True,
            queue="media",
        )

        @staticmethod
        def xcom_push(key: str, value: Any) -> None: ...

    with pytest.raises(TaskDeferred) as deferred:
        Instance.task.execute({"ti": Instance})  # type: ignore[arg-type]
    monkeypatch.setenv("AIRFLOW__TRIGGERER__QUEUES_ENABLED", "True")
    message, _ = _defer_task(deferred.value, Instance, structlog.get_logger())  # type: ignore[arg-type]
    assert message.queue == "media"
    assert message.next_method == "execute_complete"
