"""Bulk uploads: checked, written, split, sent, waited for, read row by row, stopped."""

from __future__ import annotations

import base64
import csv
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.operators.bulk import (
    KalturaAbortBulkUploadOperator,
    KalturaBulkResultsOperator,
    KalturaBulkUploadOperator,
)

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def web(clip):
    (clip.parent / "thumb.png").write_bytes(PIXEL)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(clip.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_dag_of_them(deployed, web, clip, tmp_path) -> None:
    rows = [
        {"url": f"{web}/clip.mp4", "name": 'One, "two"', "tags": ["aa", "bb"], "categories": ["Courses>Physics"]},
        {"url": f"{web}/missing.mp4", "name": "Missing"},
        {"url": f"{web}/clip.mp4", "name": "# Three", "media_type": "audio", "start_date": "2026-01-01"},
    ]
    table = tmp_path / "rows.csv"
    ran = deployed.dag("bulk", rows=rows, output=str(table))
    assert [job["count"] for job in ran["sent"]] == [2, 1]
    assert {name: ran["results"][name] for name in ("ok", "failed", "in_progress")} == {
        "ok": 2, "failed": 1, "in_progress": 0
    }  # fmt: skip
    assert ran["results"]["failed_rows"] == [rows[1]]
    shown = list(csv.DictReader(table.read_text().splitlines()))
    assert [(row["row"], row["result"]) for row in shown] == [("1", "ok"), ("2", "failed"), ("3", "ok")]
    sha256 = hashlib.sha256(clip.read_bytes()).hexdigest()
    for entry_id in ran["results"]["entry_ids"]:
        assert deployed.sandbox.control.entry(entry_id)["content"]["sha256"] == sha256
    first = deployed.hook.call("baseEntry", "get", entryId=shown[0]["entry_id"])
    assert (first["name"], first["tags"], first["categories"]) == ('One, "two"', "aa, bb", "Courses>Physics")
    third = deployed.hook.call("baseEntry", "get", entryId=shown[2]["entry_id"])
    assert (third["name"], third["mediaType"], third["startDate"]) == ("# Three", 5, 1767225600)
    assert [job["status"] for job in ran["stopped"]] == ["finished_partially", "finished"]


def test_xml_says_the_same(kaltura, web) -> None:
    rows = [
        {
            "url": f"{web}/clip.mp4?a=1&b=2",
            "name": '<X> & \\"Y\\"',
            "tags": "cc",
            "description": "d",
            "reference_id": "r1",
            "partner_data": "p",
            "template_entry_id": kaltura.entry("Template"),
            "start_date": "2026-01-01",
            "thumbnail_url": f"{web}/thumb.png",
        },
        {"url": f"{web}/missing.mp4"},
    ]
    (job,) = kaltura.run(KalturaBulkUploadOperator, rows=rows, file_format="xml")
    kaltura.sandbox.control.wait_idle()
    assert kaltura.run(KalturaBulkResultsOperator, bulk_upload_id={"id": job["bulk_upload_id"]})["ok"] == 1
    said = kaltura.run(KalturaBulkResultsOperator, bulk_upload_id=job, rows=rows)
    assert (said["ok"], said["failed"], said["failed_rows"]) == (1, 1, [rows[1]]), said
    assert [(row["row"], row.get("status")) for row in said["results"]] == [(1, "ready"), (2, "error_importing")]
    entry = kaltura.hook.call("baseEntry", "get", entryId=said["results"][0]["entry_id"])
    assert (entry["name"], entry["tags"], entry["description"], entry["referenceId"], entry["partnerData"]) == (
        rows[0]["name"],
        "cc",
        "d",
        "r1",
        "p",
    )
    thumbnails = kaltura.hook.call("thumbAsset", "list", filter={"entryIdEqual": entry["id"]})["objects"]
    assert ["default_thumb" in thumbnail["tags"] for thumbnail in thumbnails] == [True]


def test_rows_update_and_delete_entries(kaltura, web, clip) -> None:
    made = [kaltura.entry(name, referenceId=f"ref-{name}") for name in ("one", "two", "three", "four")]
    rows = [
        {"action": "update", "entry_id": made[0], "name": "One changed", "tags": ["aa", "bb"]},
        {"*action": 2, "reference_id": "ref-two", "description": "told by its reference"},
        {"action": "delete", "entry_id": made[2]},
        {"*action": "3", "reference_id": "ref-four"},
        {"action": "1", "url": f"{web}/clip.mp4", "name": "Five"},
        {"action": "update", "entry_id": "0_nosuchid", "name": "Nobody"},
        {"action": "update", "entry_id": made[0], "url": f"{web}/clip.mp4"},
    ]
    (job,) = kaltura.run(KalturaBulkUploadOperator, rows=rows)
    kaltura.sandbox.control.wait_idle()
    said = kaltura.run(KalturaBulkResultsOperator, bulk_upload_id=job, rows=rows)
    results = [(row["result"], row.get("entry_id")) for row in said["results"]]
    five = results[4][1]
    good = [("ok", entry_id) for entry_id in (*made, five)]
    assert results == [*good, ("failed", None), good[0]], said
    assert said["failed_rows"] == [rows[5]]
    first, second = (kaltura.hook.call("baseEntry", "get", entryId=one) for one in made[:2])
    assert (first["name"], first["tags"], first["mediaType"], first["referenceId"]) == (
        "One changed", "aa, bb", 1, "ref-one"
    )  # fmt: skip
    assert (second["name"], second["description"]) == ("two", "told by its reference")
    sha256 = hashlib.sha256(clip.read_bytes()).hexdigest()
    assert kaltura.sandbox.control.entry(made[0])["content"]["sha256"] == sha256
    assert kaltura.sandbox.control.entry(five)["content"]["sha256"] == sha256
    gone = kaltura.hook.call("baseEntry", "list", filter={"idIn": ",".join(made), "statusIn": "3"})["objects"]
    assert {entry["id"] for entry in gone} == set(made[2:])


def test_rows_that_update_or_delete_say_what_is_wrong_before_any_call(kaltura) -> None:
    def refused(row: dict, **more: object) -> str:
        return kaltura.refused(KalturaBulkUploadOperator, rows=[row], **more)

    entry = "0_ab12cd34"
    csv_text = refused({"action": "delete", "entry_id": entry}, file_format="csv")
    assert "rows[1].action 'delete' is passed over by Kaltura in a CSV file: use the XML format" in csv_text
    assert "rows[1].action '7' is unknown: use one of add (1), update (2), delete (3)" in refused({"action": 7})
    assert "rows[1].entry_id is missing: an action update needs" in refused({"action": "update", "name": "x"})
    assert "rows[1].entry_id 'x' is not an entry id" in refused({"action": "update", "entry_id": "x"})
    assert "rows[1].name does not go with action delete" in refused({"action": 3, "entry_id": entry, "name": "x"})
    assert "goes with action update or delete only" in refused({"url": "https://h/a.mp4", "entry_id": entry})


def test_objects_in_s3_are_presigned_when_they_are_sent(kaltura, s3, clip) -> None:
    s3.put_file("media", "a/b c/film.mp4", clip)
    rows = [{"url": "s3://media/a/b c/film.mp4", "name": "From S3"}]
    sha256 = hashlib.sha256(clip.read_bytes()).hexdigest()
    for file_format in ("csv", "xml"):
        (job,) = kaltura.run(KalturaBulkUploadOperator, rows=rows, file_format=file_format)
        kaltura.sandbox.control.wait_idle()
        said = kaltura.run(KalturaBulkResultsOperator, bulk_upload_id=job, rows=rows)
        assert (said["ok"], said["results"][0]["url"]) == (1, "s3://media/a/b c/film.mp4")
        assert "Signature" not in str(said)
        assert kaltura.sandbox.control.entry(said["entry_ids"][0])["content"]["sha256"] == sha256


def test_a_key_that_an_import_would_change_is_refused(kaltura, s3) -> None:
    bulk = kaltura.refused(KalturaBulkUploadOperator, rows=[{"url": "s3://media/a//b.mp4"}])
    assert "s3://media/a//b.mp4: Kaltura's import replaces the double slash" in bulk


def test_a_job_that_failed_as_a_whole_says_why(kaltura, web) -> None:
    from kaltura_provider.api.multipart import FilePart

    content = b"<mrss><channel><item><title>no such element</title></item></channel></mrss>"
    part = FilePart("b.xml", len(content), lambda: [content], content_type="text/xml")
    xml = {"objectType": "KalturaBulkUploadXmlJobData"}
    job = kaltura.hook.get_conn().send_file("media", "bulkUploadAdd", {"bulkUploadData": xml}, part)["id"]
    kaltura.sandbox.control.wait_idle()
    with pytest.raises(AirflowFailException, match="failed as a whole: Validate files failed"):
        kaltura.run(KalturaBulkResultsOperator, bulk_upload_id=job)


def test_a_second_try_finds_the_job_of_the_first(kaltura, web) -> None:
    from kaltura_provider.services.bulk_upload.jobs import submit_bulk
    from kaltura_provider.services.bulk_upload.rows import read_rows

    rows = read_rows([{"url": f"{web}/clip.mp4"}])
    client = kaltura.hook.get_conn()
    first = submit_bulk(client, rows, purpose="a")
    assert submit_bulk(client, rows, purpose="a", look_first=True) == first
    assert submit_bulk(client, rows, purpose="b", look_first=True) != first


def test_bad_rows_are_refused_before_any_call(kaltura) -> None:
    refused, operator = kaltura.refused, KalturaBulkUploadOperator
    good = {"url": "https://a.example/x.mp4"}
    assert "rows are empty" in refused(operator, rows=[])
    assert "rows[2].url is not a URL" in refused(operator, rows=[good, {}])
    assert "rows[1].url 'gs://b/k'" in refused(operator, rows=[{"url": "gs://b/k"}])
    assert "rows[1].name has more than 256 characters" in refused(
        operator, rows=[{**good, "name": "n" * 257}], file_format="xml"
    )
    assert "presigned_seconds '5'" in refused(operator, rows=[good], presigned_seconds=5)
    assert "rows[1].mediaType is not a field" in refused(operator, rows=[{**good, "mediaType": 1}])
    assert "start_date 'soon' is not a date" in refused(operator, rows=[{**good, "start_date": "soon"}])
    assert "rows[1].media_type 'document'" in refused(operator, rows=[{**good, "media_type": "document"}])
    assert "backslash before a quote" in refused(operator, rows=[{**good, "name": 'a\\"b'}])
    assert "file_format 'json'" in refused(operator, rows=[good], file_format="json")
    assert "rows_per_job '5001'" in refused(operator, rows=[good], rows_per_job=5001)
    assert "bulk_upload_id 'x'" in refused(KalturaBulkResultsOperator, bulk_upload_id="x")
    assert "bulk_upload_id '0'" in refused(KalturaAbortBulkUploadOperator, bulk_upload_id=0)


def test_a_job_that_does_not_exist_cannot_be_stopped(kaltura) -> None:
    with pytest.raises(AirflowFailException, match="BULK_UPLOAD_NOT_FOUND"):
        kaltura.run(KalturaAbortBulkUploadOperator, bulk_upload_id=999_999_999)


def test_5001_rows_are_two_jobs(kaltura) -> None:
    from kaltura_provider.services.bulk_upload.jobs import MOST_ROWS, split_rows
    from kaltura_provider.services.bulk_upload.rows import read_rows

    rows = read_rows([{"url": f"https://a.example/{number}.mp4"} for number in range(5001)])
    assert [len(group) for group in split_rows(rows, MOST_ROWS)] == [5000, 1]
