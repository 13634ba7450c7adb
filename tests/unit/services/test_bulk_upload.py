"""Bulk uploads without a server: rows, the files made of them, and the logs read back."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.bulk_upload.log import LogLine, read_log, results_by_row
from kaltura_provider.services.bulk_upload.rows import csv_file, read_rows, xml_file
from kaltura_provider.services.import_url import fetchable_url

FULL: dict[str, Any] = {
    "url": "https://a.example/x.mp4",
    "name": "N",
    "description": "d",
    "tags": ["aa"],
    "categories": ["A>B"],
    "media_type": "video",
    "reference_id": "rr",
    "user_id": "u",
    "access_control_id": 3,
    "conversion_profile_id": 5,
    "start_date": "2026-01-01",
    "end_date": "2027-01-01",
    "partner_data": "p",
    "template_entry_id": "0_abcdefgh",
    "thumbnail_url": "https://a.example/t.jpg",
}
# As schema.serve of type bulkUploadXml.bulkUploadXML has them.
ORDER = [
    "action", "type", "referenceId", "userId", "name", "description", "tags", "categories", "partnerData",
    "accessControlId", "conversionProfileId", "startDate", "endDate", "templateEntryId", "media", "contentAssets",
    "thumbnails",
]  # fmt: skip


def test_elements_stand_in_the_order_of_the_schema() -> None:
    (item,) = ElementTree.fromstring(xml_file(read_rows([FULL]))).iterfind("channel/item")
    assert [child.tag for child in item] == ORDER


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("name", "n" * 257, "256 characters"),
        ("reference_id", "r" * 2001, "2000 characters"),
        ("partner_data", "p" * 4001, "4000 characters"),
        ("categories", [f"C{number}" for number in range(33)], "32 categories"),
    ],
)
def test_what_is_too_long_for_the_schema_is_named(field: str, value: Any, what: str) -> None:
    rows = read_rows([FULL, {**FULL, field: value}])
    with pytest.raises(KalturaConfigurationError, match=rf"rows\[2\]\.{field} has more than {what}"):
        xml_file(rows)
    csv_file(rows)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("https://a.example/b c.mp4", "https://a.example/b%20c.mp4"),
        ('https://a.example/f\u00edlm{1}|"x".mp4', "https://a.example/f%C3%ADlm%7B1%7D%7C%22x%22.mp4"),
        (
            "https://a.example/b%20c.mp4?X-Amz-Signature=1&k=a%2Fb",
            "https://a.example/b%20c.mp4?X-Amz-Signature=1&k=a%2Fb",
        ),
        ("https://b\u00fccher.example:8443/a.mp4", "https://xn--bcher-kva.example:8443/a.mp4"),
        ("https://a.example/x.mp4?from=http://b/c", "https://a.example/x.mp4?from=http:%2F%2Fb/c"),
        ("sftp://user:pass@a.example/x.mp4", "sftp://user:pass@a.example/x.mp4"),
    ],
)
def test_addresses_are_written_as_kaltura_takes_them(given: str, written: str) -> None:
    assert fetchable_url(given, "url") == written


@pytest.mark.parametrize("given", ["", None, "/x.mp4", "s3://b/k", "https:///x.mp4", "https://a.example/x\n.mp4", 7])
def test_what_is_no_address_is_refused(given: Any) -> None:
    with pytest.raises(KalturaConfigurationError, match="is not a URL Kaltura can fetch"):
        fetchable_url(given, "url")


def test_s3_addresses_are_presigned_by_whoever_can() -> None:
    row = {"url": "s3://b/k.mp4", "thumbnail_url": "s3://b/t.jpg"}
    (read,) = read_rows([row], lambda uri: uri.replace("s3://", "https://s3.example/") + "?X-Amz-Signature=1")
    assert read.url == "https://s3.example/b/k.mp4?X-Amz-Signature=1"
    assert read.thumbnail_url == "https://s3.example/b/t.jpg?X-Amz-Signature=1"
    assert read.given == row
    with pytest.raises(KalturaConfigurationError, match=r"rows\[1\]\.url 's3://b/k.mp4' is not a URL"):
        read_rows([row])


def xml_log(*items: str) -> bytes:
    return f"<?xml version='1.0'?><mrss version='2.0'><channel>{''.join(items)}</channel></mrss>".encode()


def logged(status: str = "", error: str = "") -> str:
    entry = f"<entryId>0_abcdefgh</entryId><status>{status}</status>" if status else ""
    return f"<item><result><errorDescription>{error}</errorDescription></result><action>add</action>{entry}</item>"


def test_an_xml_log_tells_results_by_the_entries_status() -> None:
    states = ["2", "4", "3", "0", "1", "-2", "-1", "virusScan.Infected"]
    lines = read_log(xml_log(*map(logged, states), logged(error="no such profile"), logged("2", "no thumbnail")))
    assert lines is not None
    assert [line.result for line in lines] == [
        "ok", "ok", "ok", "in_progress", "in_progress", "failed", "failed", "failed", "failed", "failed"
    ]  # fmt: skip
    assert (lines[0].entry_id, lines[0].entry_status) == ("0_abcdefgh", "2")
    assert lines[8] == LogLine("failed", error="no such profile")


@pytest.mark.parametrize(
    "log", [b"Log file is not ready", b"<mrss><error>Log file is not ready</error></mrss>",
            b"<?xml version='1.0'?><mrss><error>Log file is not ready: Validate files failed</error></mrss>"]
)  # fmt: skip
def test_a_log_that_is_not_ready_is_no_log(log: bytes) -> None:
    assert read_log(log) is None


def test_a_row_may_be_the_url_alone() -> None:
    (row,) = read_rows(["https://a.example/x.mp3"])
    assert (row.url, row.kind.value, row.given) == (
        "https://a.example/x.mp3",
        "audio",
        {"url": "https://a.example/x.mp3"},
    )
    assert results_by_row([LogLine("ok")], ["https://a.example/x.mp3"])[0]["url"] == "https://a.example/x.mp3"
    with pytest.raises(KalturaConfigurationError, match=r"rows\[1\] '7' is neither a URL nor a mapping"):
        read_rows([7])  # type: ignore[list-item]
    with pytest.raises(KalturaConfigurationError, match=r"rows 'https://a\.example/x\.mp3' are text"):
        read_rows("https://a.example/x.mp3")


def test_lines_find_their_rows() -> None:
    rows = [{"url": f"https://a.example/{name}.mp4?X-Amz-Signature=secret"} for name in ("a", "b", "c")]
    ok = [LogLine("ok", "0_abcdefgh", "2", url=f"https://cdn.example/{name}.mp4") for name in ("a", "c")]
    found = results_by_row(ok, rows)
    assert [(row["row"], row["result"]) for row in found] == [(1, "ok"), (2, "failed"), (3, "ok")]
    assert "secret" not in str(found)
    assert [row["result"] for row in results_by_row([LogLine("ok")], rows)] == ["ok", "failed", "failed"]
