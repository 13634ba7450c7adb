"""Bulk upload: rows become entries, each with its result."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from support import Api

from kaltura_sandbox import Sandbox
from kaltura_sandbox.bulk.rows import RowError, entry_values, parse_csv
from tests.until import until

if TYPE_CHECKING:
    from pathlib import Path

BUSY = (0, 1, 2, 8, 11)


def send(api: Api, text: str, name: str = "bulk.csv", **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.call("media", "bulkUploadAdd", files={"fileData": (name, text.encode())}, **fields)
    return made


def wait(api: Api, number: int) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        bulk: dict[str, Any] = api.call("bulkUpload_bulk", "get", id=number)
        return None if bulk["status"] in BUSY else bulk

    return until(ended, "the end of the bulk upload") or {}


def log(api: Api, number: int) -> list[list[str]]:
    return list(csv.reader(io.StringIO(api.raw("bulkUpload_bulk", "serveLog", id=number).text)))


def test_rows_become_entries_with_results(api: Api, web: str) -> None:
    text = (
        "\ufeff*title,description,tags,url,contentType,referenceId,category\n"
        f'"One, first",d,"a,b",{web}/picture.png,image,row-1,Bulk>Rows\n'
        "# a comment\n\n,,,,,,\n"
        f"Two,d,t,{web}/none.png,image,row-2,\n"
        "Three,d,t,not a url,video,row-3,\n"
    )
    made = send(api, text)
    assert (made["status"], made["bulkUploadType"]) == (11, "bulkUploadCsv.CSV")
    done = wait(api, made["id"])
    assert (done["status"], done["numOfObjects"]) == (12, 3)
    first, second, third = log(api, made["id"])
    assert api.get(done["logFileUrl"]).text == api.raw("bulkUpload_bulk", "serveLog", id=made["id"]).text
    assert (first[0], first[7], first[9]) == ("One, first", "2", "2")
    assert (second[7], second[9]) == ("1", "-2")
    assert (third[7], third[8]) == ("1", "")
    assert "not a url" in third[10]
    entry = api.call("media", "get", entryId=first[8])
    assert (entry["name"], entry["tags"], entry["referenceId"]) == ("One, first", "", "row-1")
    assert (entry["mediaType"], entry["categories"]) == (2, "Bulk>Rows")


@pytest.mark.parametrize(("name", "status"), [("picture.png", 5), ("none.png", 6)])
def test_the_final_status_sums_the_rows_up(api: Api, web: str, name: str, status: int) -> None:
    made = send(api, f"Title,d,t,{web}/{name},image\n")
    assert wait(api, made["id"])["status"] == status


XML = {"bulkUploadData__objectType": "KalturaBulkUploadXmlJobData"}


def item(web: str, name: str = "picture.png", *, before: str = "", after: str = "") -> str:
    return (
        f"<item><action>add</action><type>1</type><name>X</name>{before}<media><mediaType>2</mediaType></media>{after}\
<contentAssets><content><urlContentResource url='{web}/{name}'/></content></contentAssets></item>"
    )


def mrss(*items: str) -> str:
    return f"<mrss version='1.0'><channel>{''.join(items)}</channel></mrss>"


def test_xml_needs_its_type(api: Api, web: str) -> None:
    as_xml = send(api, mrss(item(web)), "b.xml", **XML)
    assert as_xml["bulkUploadType"] == "bulkUploadXml.XML"
    assert wait(api, as_xml["id"])["status"] == 5
    as_csv = send(api, mrss(item(web)), "b.xml")
    assert wait(api, as_csv["id"])["status"] == 6
    broken = send(api, "<mrss>", "b.xml", **XML)
    assert "Could not load xml" in wait(api, broken["id"])["error"]


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        ("", "<partnerData>p</partnerData>", "'partnerData': This element is not expected"),
        ("", "<templateEntryId>0_abcdefgh</templateEntryId>", "'templateEntryId': This element is not expected"),
        ("<mediaKind>1</mediaKind>", "", "'mediaKind': This element is not expected"),
        ("<name>Y</name>", "", "'name': This element is not expected"),
        (f"<partnerData>{'p' * 4001}</partnerData>", "", "The value has a length of '4001'"),
        ("<startDate>soon</startDate>", "", "'soon' is not a valid value"),
        ("<accessControlId>one</accessControlId>", "", "'one' is not a valid value"),
    ],
)
def test_one_item_that_breaks_the_schema_fails_the_file(
    api: Api, web: str, before: str, after: str, wrong: str
) -> None:
    made = send(api, mrss(item(web), item(web, before=before, after=after)), "b.xml", **XML)
    done = wait(api, made["id"])
    assert (done["status"], done.get("numOfObjects", 0)) == (6, 0)
    assert done["error"].startswith(f"Validate files failed on job [{made['id']}], ")
    assert wrong in done["error"]
    log = api.raw("bulkUpload_bulk", "serveLog", id=made["id"]).text
    assert log.endswith(f'<mrss version="2.0"><error>Log file is not ready: {done["error"]}</error></mrss>')


def test_the_schema_does_not_take_every_url(api: Api, web: str) -> None:
    made = send(api, mrss(item(web, "p{1}.png")), "b.xml", **XML)
    assert "is not accepted by the pattern" in wait(api, made["id"])["error"]


def test_the_log_of_an_xml_file_is_xml(api: Api, web: str) -> None:
    fine = "<referenceId>r1</referenceId>"
    text = mrss(item(web).replace("<name>", f"{fine}<name>"), item(web, "none.png"))
    made = send(api, text, "b.xml", **XML)
    assert wait(api, made["id"])["status"] == 12
    reply = api.raw("bulkUpload_bulk", "serveLog", id=made["id"])
    assert reply.headers["Content-Type"] == "text/xml; charset=UTF-8"
    good, bad = ElementTree.fromstring(reply.content).iterfind("channel/item")
    assert [child.tag for child in good][:4] == ["result", "action", "entryId", "referenceID"]
    assert (good.findtext("status"), good.findtext("referenceID")) == ("2", "r1")
    assert (bad.findtext("result/errorDescription"), bad.findtext("status")) == ("", "-2")


def test_what_is_refused_at_once(api: Api) -> None:
    assert api.code("media", "bulkUploadAdd") == "MISSING_MANDATORY_PARAMETER"
    abstract = send(api, "x", bulkUploadData__objectType="KalturaBulkUploadJobData")
    assert abstract["code"] == "OBJECT_TYPE_ABSTRACT"
    assert send(api, "<!DOCTYPE x [<!ENTITY y 'z'>]><mrss/>")["code"] == "FILE_CONTENT_NOT_SECURE"
    assert api.code("bulkUpload_bulk", "get", id=99999) == "BULK_UPLOAD_NOT_FOUND"


def test_abort_list_and_the_file_itself(api: Api) -> None:
    text = "Title,d,t,http://127.0.0.1:9/none.png,image\n"
    made = send(api, text)
    api.call("bulkUpload_bulk", "abort", id=made["id"])
    assert wait(api, made["id"])["status"] in (6, 7)
    newest = api.call("bulkUpload_bulk", "list", pager__pageSize=1)
    assert newest["objects"][0]["id"] == made["id"]
    assert api.raw("bulkUpload_bulk", "serve", id=made["id"]).text == text


def test_a_restart_goes_on_where_the_rows_stopped(tmp_path: Path) -> None:
    text = "".join(f"Row {number},d,t,http://127.0.0.1:9/x.mp4,video\n" for number in range(5))
    with Sandbox(data_dir=tmp_path, run_jobs=False) as before:
        caller = Api(before)
        number = send(caller, text)["id"]
        first = str(caller.call("media", "add", entry__mediaType=1, entry__name="Row 0")["id"])
        # As if the sandbox had been killed after the first row.
        results = [{"raw": ["Row 0"], "entry": first, "error": ""}]
        before.account.tables.bulk_uploads.change(number, status=2, _done=1, _results=results)
        caller.http.close()
    with Sandbox(data_dir=tmp_path) as after:
        until(lambda: len(after.control.entries()) >= 5, "five entries")
        assert sorted(entry["name"] for entry in after.control.entries()) == [f"Row {row}" for row in range(5)]


def test_columns_by_version() -> None:
    one = parse_csv(b"T,D,a,http://h/x.mp4,audio\n")
    assert entry_values(one[0])["mediaType"] == 5
    two = parse_csv(b"T,D,a,http://h/x.mp4,video,15,2,A>B,2024-03-01T00:00:00,2025-03-01T00:00:00,,pd\n")
    values = entry_values(two[0])
    assert (values["startDate"], values["partnerData"], values["categories"]) == (1709251200, "pd", "A>B")
    assert parse_csv(b"only,three,values\n")[0].error.startswith("wrong number of values")
    unknown = parse_csv(b"*title,url,mediaType\nT,http://h/x.mp4,5\n")
    assert entry_values(unknown[0])["mediaType"] == 1


@pytest.mark.parametrize("row", [b"T,D,a,http:/x,video\n", b"T,D,a,,video\n"])
def test_a_row_without_a_usable_url_is_an_error(row: bytes) -> None:
    with pytest.raises(RowError, match="url"):
        entry_values(parse_csv(row)[0])


def test_update_and_delete_rows_are_passed_over() -> None:
    rows = parse_csv(b"*action,title,url\n2,T,http://h/x\ndelete,T,http://h/x\nadd,T,http://h/x\n7,T,http://h/x\n")
    assert [row.action for row in rows] == ["2", "3", "1", "7"]
