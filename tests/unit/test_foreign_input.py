"""Whatever servers, files and people hand in, each reader returns a value or one error in words, and ends.

`pytest --hypothesis-profile=long tests/unit/test_foreign_input.py` tries fifty times as many examples.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from requests import Response

from kaltura_provider.api.errors import KalturaError
from kaltura_provider.api.wire import (
    HttpReply,
    HttpRequest,
    Request,
    check_redirect,
    read_file_reply,
    read_multi_reply,
    read_reply,
)
from kaltura_provider.feeds.form.s3_urls import plain_address
from kaltura_provider.feeds.sources import Found, Search, rendered_source
from kaltura_provider.feeds.sources.drop_folder import check_match, match_names
from kaltura_provider.hooks.inventory import open_inventory
from kaltura_provider.ingest.marks import EntryView
from kaltura_provider.services.bulk_upload.log import read_log
from kaltura_provider.services.entry.view import Entry
from kaltura_provider.services.flavor_asset import FlavorAsset
from kaltura_provider.services.upload_token import UploadToken
from kaltura_provider.upload.sources.errors import SourceError
from kaltura_provider.upload.sources.http_answer import size_of, slice_of, validator_of
from kaltura_provider.upload.sources.s3_address import bucket_and_key
from kaltura_provider.upload.token import read_answer
from tests.unit.feeds.s3_store import Store

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON = st.recursive(
    SCALARS | st.sampled_from(["1" * 5000, "1e999", "\ud800", "-", "0x1", "KalturaAPIException", 10**400]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TEXTS = st.text(max_size=60)
HEADERS = st.text(st.characters(max_codepoint=255), max_size=40)
DEEP = (b"[" * 100_000, b'{"a":' * 100_000)


def examples(number: int) -> settings:
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=number * settings().max_examples // 100, deadline=None, suppress_health_check=quiet)


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of an answer, in which any field may be missing or hold anything."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON | st.sampled_from(["0_a", 2, "2", 1.5])))


@contextmanager
def named(*kinds: type[Exception]) -> Iterator[None]:
    """Take an error of one of these types, if it is one line of words. A ``ValueError`` is meant without subclasses."""
    error = None
    try:
        yield
    except kinds as caught:
        error = caught
    if error is not None:
        assert type(error) is ValueError or not isinstance(error, ValueError), repr(error)
        assert str(error)
        assert str(error).isprintable(), repr(error)
        assert len(str(error)) < 3000


REPLIES = st.builds(
    HttpReply,
    st.sampled_from([200, 200, 200, 301, 404, 500, 999]),
    st.dictionaries(st.sampled_from(["retry-after", "x-kaltura", "x-kaltura-app", "location"]), HEADERS, max_size=3),
    st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()) | st.sampled_from(DEEP),
)


@examples(300)
@given(REPLIES, st.sampled_from(["get", "list", "add", "count"]))
def test_a_reply_is_a_value_or_an_error_of_kaltura(reply: HttpReply, action: str) -> None:
    calls = [Request("media", action), Request("media", "get")]
    for read in (
        lambda: read_reply(reply, "media", action),
        lambda: read_multi_reply(reply, calls),
        lambda: read_file_reply(reply, "media", action),
    ):
        with named(KalturaError):
            value = read()
            assert action != "list" or isinstance(value, list | bytes) or isinstance(value["objects"], list)


@examples(100)
@given(HEADERS | st.text(max_size=20).map("http://[{}".format), st.sampled_from([301, 302, 307, 399]))
def test_a_redirect_is_refused_in_one_line(location: str, status: int) -> None:
    with named(KalturaError):
        check_redirect(HttpRequest("https://k/api_v3", {}, b""), HttpReply(status, {"location": location}, b""))
        pytest.fail("it was followed")


@examples(100)
@given(objects("id", "status", "adminTags", "createdAt", "displayInSearch", "duration", "msDuration", "type", "name"))
def test_an_entry_is_read_or_named_as_wrong(values: Mapping[str, Any]) -> None:
    for kind in (Entry, EntryView):
        with named(KalturaError):
            kind.of(values)


@examples(100)
@given(objects("id", "status", "fileSize", "uploadedFileSize", "createdAt", "fileName") | JSON)
def test_an_upload_token_is_read_or_named_as_wrong(values: Any) -> None:
    with named(KalturaError):
        assert isinstance(read_answer(values), UploadToken)


@examples(100)
@given(objects("id", "status", "tags", "sizeInBytes", "height", "flavorParamsId", "isOriginal"))
def test_a_flavor_is_read_or_named_as_wrong(values: Mapping[str, Any]) -> None:
    with named(KalturaError):
        FlavorAsset.of(values)


XML = st.lists(
    st.sampled_from(["<mrss>", "<channel>", "<item>", "<entryId>", "0_a", "</item>", "<status>", "x", "&a;"])
)


@examples(200)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | XML.map(lambda parts: "".join(parts).encode()))
@example(b"<" + b"a><" * 50_000)
@example(b'a,"' + b"x" * 200_000)
def test_a_log_of_a_bulk_upload_is_read_or_named_as_wrong(content: bytes) -> None:
    with named(KalturaError):
        read_log(content)


@examples(200)
@given(HEADERS, HEADERS | st.sampled_from(["bytes 0-1/" + "9" * 5000, "bytes 5-1/9"]), st.sampled_from([200, 206, 416]))
def test_headers_of_a_source_say_a_size_or_nothing(length: str, content_range: str, status: int) -> None:
    answer = Response()
    answer.status_code = status
    answer.headers.update({"Content-Length": length, "Content-Range": content_range, "ETag": length})
    assert size_of(answer) is None or isinstance(size_of(answer), int)
    assert slice_of(answer) is None or str(slice_of(answer)).startswith("bytes ")
    assert isinstance(validator_of(answer), str)


SEARCH = Search()
ROW = st.dictionaries(
    st.sampled_from(["url", "action", "title", "tags", "entry_id", "duration", "start_date", "x", ""]),
    JSON | st.sampled_from(["https://a.example/b.mp4", "s3://b/k.mp4", "s3://", "http://[", "2024-13-01", "delete"]),
    max_size=5,
)


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    names = sorted({name for row in rows for name in row})
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(errors="replace")


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


@examples(150)
@given(
    st.lists(ROW, max_size=3),
    st.sampled_from([(as_csv, "csv"), (lambda rows: json.dumps(rows).encode(), "json"), (as_jsonl, "jsonl")]),
    st.sampled_from(["plain", "gz", "cut"]),
)
def test_a_manifest_is_read_or_named_as_wrong(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], form: tuple[Any, str], packed: str
) -> None:
    write, ending = form
    content = write(rows)
    if packed != "plain":
        content = gzip.compress(content)[: None if packed == "gz" else -9]
    path = tmp_path_factory.getbasetemp() / f"list.{ending}{'' if packed == 'plain' else '.gz'}"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KALTURA_ALLOWED_PATHS", str(path.parent))
        with named(ValueError, SourceError):
            found = rendered_source({"type": "manifest", "uri": str(path), "allow": ["delete", "update"]}).find(SEARCH)
            assert isinstance(found, Found)


MANIFESTS = st.fixed_dictionaries(
    {"sourceBucket": st.just("b") | JSON, "destinationBucket": st.just("arn:aws:s3:::b"), "fileFormat": st.just("CSV")},
    optional={
        "files": st.just([{"key": "rows"}]) | JSON,
        "fileSchema": st.just("Bucket, Key, Size, LastModifiedDate, IsLatest, ETag") | JSON,
        "creationTimestamp": st.just("1709341200000") | JSON,
    },
)
CELLS = st.lists(
    st.sampled_from(["b", "k.mp4", "10", "9" * 30, "-1", "2024-03-01T10:00:00Z", "0001-01-01", "%ff", '"', ""])
)


@examples(150)
@given(MANIFESTS | JSON, st.lists(CELLS, max_size=3) | st.binary(max_size=60))
def test_an_inventory_is_read_or_named_as_wrong(
    tmp_path_factory: pytest.TempPathFactory, manifest: Any, rows: list[list[str]] | bytes
) -> None:
    plain = rows if isinstance(rows, bytes) else "\n".join(",".join(cells) for cells in rows).encode()
    store = Store()
    store.objects = defaultdict(lambda: gzip.compress(plain), {"manifest.json": json.dumps(manifest).encode()})
    with named(ValueError, SourceError):
        inventory = open_inventory(store, "s3://i/manifest.json", tmp_path_factory.mktemp("inventory"))
        assert all(found.size is not None for found in inventory.objects(""))


ADDRESSES = (
    "https:// s3:// arn:aws:s3::: s3. console.aws.amazon.com amazonaws.com /s3/object/ b / ?prefix= eu-west-1. //"
)
PLACES = st.lists(
    st.sampled_from([*ADDRESSES.split(), *"%[]@:#\n", "%2F", "\ud800"]),
    max_size=9,
).map("".join)


@examples(300)
@given(PLACES | TEXTS)
def test_any_typed_address_is_read(line: str) -> None:
    place = plain_address(line)
    assert place == line or place.startswith("s3://")
    bucket, key = bucket_and_key(place)
    assert isinstance(bucket, str)
    assert isinstance(key, str)


PIECES = [
    "(",
    ")",
    "(?P<referenceId>",
    "(?P<x>",
    "a",
    ".*",
    "+",
    "[",
    "]",
    "\\",
    "(?i)",
    "/",
    "$",
    "{9999999}",
    "|",
    "\n",
]


@pytest.mark.filterwarnings("ignore:Possible")  # of Python, about brackets whose meaning may change
@examples(200)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | TEXTS)
def test_a_pattern_is_taken_or_named_as_wrong(text: str) -> None:
    with named(ValueError):
        check_match(text)


@examples(8)
@given(st.lists(TEXTS, max_size=5))
def test_any_file_name_is_matched_or_not(names: list[str]) -> None:
    assert len(match_names(r"(?P<referenceId>\w+)_.*", names)) == len(names)
