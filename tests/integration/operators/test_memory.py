"""What the task state store keeps: it outlives a clear, may name what is gone, and may fail; no task suffers."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.operators.add_from import KalturaAddDataOperator, KalturaAddFromUploadedFileOperator
from kaltura_provider.operators.attach import KalturaAttachOperator
from kaltura_provider.operators.bulk import KalturaBulkUploadOperator
from kaltura_provider.operators.content import KalturaAddContentOperator
from kaltura_provider.operators.entries import KalturaAddEntryOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.operators.upload_tokens import KalturaAddUploadTokenOperator


class Broken:
    """A task state store that cannot be reached."""

    def get(self, key: str, default: Any = None) -> Any:
        raise RuntimeError("the store is down")

    def set(self, key: str, value: Any, **_: Any) -> None:
        raise RuntimeError("the store is down")


# Operator, what it is asked first, what else it is asked after a clear, and the field that tells what was made.
ASKED: list[tuple[type, dict[str, Any], dict[str, Any], str]] = [
    (KalturaAddDataOperator, {"text": "first"}, {"text": "second"}, "entry_id"),
    (KalturaAddEntryOperator, {"metadata": {"name": "A", "media_type": "video"}}, {"metadata": {"name": "B", "media_type": "video"}}, "entry_id"),  # noqa: E501
    (KalturaAddUploadTokenOperator, {"file_name": "a.mp4"}, {"file_name": "a.mp4", "file_size": 7}, "token_id"),
]  # fmt: skip
each = pytest.mark.parametrize(
    ("operator", "first", "second", "field"), ASKED, ids=lambda value: getattr(value, "__name__", "")
)


@each
def test_what_was_asked_before_is_found_and_what_else_is_asked_is_made(
    kaltura, store, operator, first, second, field
) -> None:
    made = kaltura.run(operator, store=store, **first)
    assert kaltura.run(operator, store=store, **first) == made
    other = kaltura.run(operator, store=store, **second)
    assert other[field] != made[field]
    assert kaltura.run(operator, store=store, **first) == made


@each
def test_what_is_gone_is_made_anew(kaltura, store, operator, first, second, field) -> None:
    made = kaltura.run(operator, store=store, **first)[field]
    if field == "token_id":
        kaltura.hook.call("uploadToken", "delete", uploadTokenId=made)
    else:
        kaltura.hook.call("baseEntry", "delete", entryId=made)
    again = kaltura.run(operator, store=store, **first)[field]
    assert again != made
    assert kaltura.run(operator, store=store, **first)[field] == again


@each
def test_a_store_that_fails_fails_no_task(kaltura, operator, first, second, field) -> None:
    assert kaltura.run(operator, store=Broken(), **first)[field]


def test_the_connection_is_part_of_what_is_asked(kaltura, store, monkeypatch) -> None:
    import os

    monkeypatch.setenv("AIRFLOW_CONN_OTHER", os.environ["AIRFLOW_CONN_KALTURA_DEFAULT"])
    made = kaltura.run(KalturaAddDataOperator, store=store, text="x")["entry_id"]
    other = kaltura.run(KalturaAddDataOperator, store=store, text="x", kaltura_conn_id="other")["entry_id"]
    assert made != other


def test_an_attached_entry_that_is_gone_is_made_anew(kaltura, store) -> None:
    token = kaltura.run(KalturaAddUploadTokenOperator, file_name="a.mp4")
    made = kaltura.run(KalturaAttachOperator, store=store, token_id=token)["entry_id"]
    assert kaltura.run(KalturaAttachOperator, store=store, token_id=token)["entry_id"] == made
    kaltura.hook.call("baseEntry", "delete", entryId=made)
    # The token died with its entry: the task says so, and does not ask for an entry that is gone.
    with pytest.raises(AirflowFailException, match="token"):
        kaltura.run(KalturaAttachOperator, store=store, token_id=token)
    given = kaltura.run(KalturaAddUploadTokenOperator, file_name="b.mp4")
    assert kaltura.run(KalturaAttachOperator, store=Broken(), token_id=given)["entry_id"]


def test_an_uploaded_file_s_entry_is_found_again(kaltura, store, clip) -> None:
    token = kaltura.run(KalturaUploadOperator, source=str(clip))
    made = kaltura.run(KalturaAddFromUploadedFileOperator, store=store, token_id=token)
    assert kaltura.run(KalturaAddFromUploadedFileOperator, store=store, token_id=token)["entry_id"] == made["entry_id"]
    with pytest.raises(AirflowFailException, match="upload the file to a new token"):
        kaltura.run(KalturaAddFromUploadedFileOperator, store=store, token_id=token, metadata={"name": "Other"})


def test_an_uploaded_file_of_which_the_entry_is_gone_is_uploaded_again(kaltura, store, clip) -> None:
    token = kaltura.run(KalturaUploadOperator, store=store, source=str(clip))
    made = kaltura.run(KalturaAddFromUploadedFileOperator, store=store, token_id=token)["entry_id"]
    again = kaltura.run(KalturaUploadOperator, store=store, source=str(clip))
    assert again["token_id"] != token["token_id"], "a used token was handed out again"
    kaltura.hook.call("baseEntry", "delete", entryId=made)
    assert kaltura.run(KalturaAddFromUploadedFileOperator, store=store, token_id=again)["entry_id"] != made


def test_other_rows_are_another_bulk_job(kaltura, store) -> None:
    rows = ["https://cdn.example.com/a.mp4", "https://cdn.example.com/b.mp4"]

    def job(**arguments: Any) -> str:
        return str(kaltura.run(KalturaBulkUploadOperator, store=store, **arguments)[0]["bulk_upload_id"])

    first = job(rows=rows)
    assert job(rows=rows) == first
    assert (
        len({first, job(rows=rows[:1]), job(rows=rows, file_format="xml"), job(rows=rows, conversion_profile_id=0)})
        == 4
    )
    assert kaltura.run(KalturaBulkUploadOperator, store=Broken(), rows=rows)[0]["bulk_upload_id"] != first


def test_a_bulk_job_that_is_gone_is_sent_anew(kaltura, store) -> None:
    rows = ["https://cdn.example.com/a.mp4"]
    kaltura.run(KalturaBulkUploadOperator, store=store, rows=rows)
    (key,) = store["kaltura_bulk"]
    store["kaltura_bulk"][key] = "99999999"
    (job,) = kaltura.run(KalturaBulkUploadOperator, store=store, rows=rows)
    assert job["bulk_upload_id"] != "99999999"


def test_another_address_is_other_content(kaltura, store) -> None:
    entry_id = kaltura.entry()
    address = "https://cdn.example.com/get?id={}"
    kaltura.run(KalturaAddContentOperator, store=store, entry_id=entry_id, url=address.format(1))
    with pytest.raises(AirflowFailException, match="already has content"):
        kaltura.run(KalturaAddContentOperator, store=store, entry_id=entry_id, url=address.format(2))
    entry_id = kaltura.entry()
    assert kaltura.run(KalturaAddContentOperator, store=Broken(), entry_id=entry_id, url=address.format(1))


def test_what_is_kept_shows_nothing_of_what_was_asked(store) -> None:
    memory = TaskMemory({"task_state_store": store}, "k", enabled=True)  # type: ignore[typeddict-item]
    memory.remember(request_key("https://host/a?sig=SECRET", {"text": "private"}), "0_x")
    assert "SECRET" not in repr(store)
    assert "private" not in repr(store)
    assert request_key({"a": 1, "b": 2}) == request_key({"b": 2, "a": 1})
    assert request_key("a", "b") != request_key("ab")
