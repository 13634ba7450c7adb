"""Parameters in, formats out."""

from __future__ import annotations

import json
import random
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from kaltura_sandbox.server.message import BodyTruncated
from kaltura_sandbox.server.multipart import Part, boundary_of, read_parts
from kaltura_sandbox.store.files import append_at
from kaltura_sandbox.wire import php
from kaltura_sandbox.wire.formats import render
from kaltura_sandbox.wire.params import decode_json, merge, nest, parse_query, path_pairs


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("entry[name]", "x")], {"entry": {"name": "x"}}),
        ([("entry:name", "x"), ("entry:tags", "y")], {"entry": {"name": "x", "tags": "y"}}),
        ([("1:entry[name]", "x")], {"1": {"entry": {"name": "x"}}}),
        ([("a[]", "x"), ("a[]", "y")], {"a": {"0": "x", "1": "y"}}),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a[-]", "")], {"a": {"-": ""}}),
        ([("a", "1"), ("a[b]", "2")], {"a": {"b": "2"}}),
    ],
)
def test_names_become_nested_maps(pairs: list[tuple[str, str]], expected: dict[str, Any]) -> None:
    assert nest(pairs) == expected


def test_later_sources_win_and_maps_are_merged() -> None:
    body = {"entry": {"name": "body", "tags": "t"}, "ks": "body"}
    merge(body, {"entry": {"name": "query"}, "ks": "query"})
    assert body == {"entry": {"name": "query", "tags": "t"}, "ks": "query"}


def test_path_pairs_skip_the_script() -> None:
    assert path_pairs("/api_v3/index.php/service/media/action/get/entryId/0_x") == (
        "api_v3",
        [("service", "media"), ("action", "get"), ("entryId", "0_x")],
    )


def test_bytes_that_are_not_utf8_become_question_marks() -> None:
    assert parse_query("name=%ff%61&x=%C3%A4+b&y=%fe%ff%C3") == [("name", "?a"), ("x", "\u00e4 b"), ("y", "???")]


@pytest.mark.parametrize("text", ["", "[]", '"x"', '{"a":', "{} x"])
def test_what_is_no_json_object_counts_as_no_body(text: str) -> None:
    assert decode_json(text) == {}


def test_json_understands_the_colon_form() -> None:
    assert decode_json('{"entry:name": "x", "1": {"a:b": 2}}') == {"entry": {"name": "x"}, "1": {"a": {"b": 2}}}


@pytest.mark.parametrize(
    ("raw", "expected"), [("12abc", 12), ("abc", 0), ("1e3", 1000), (" 7", 7), (True, 1), ("-1.9", -1)]
)
def test_int_casts_like_php(raw: Any, expected: int) -> None:
    assert php.to_int(raw) == expected


@pytest.mark.parametrize(("raw", "expected"), [("FALSE", False), ("0", False), ("", False), ("no", True), (1, True)])
def test_bool_casts_like_the_server(raw: Any, expected: bool) -> None:
    assert php.to_bool(raw) is expected


VALUE = {
    "id": "0_x",
    "ok": True,
    "n": 3,
    "list": [{"a": '<&\u00e4"', "objectType": "KalturaA"}],
    "objectType": "KalturaB",
}


def test_json_escapes_like_php() -> None:
    content_type, body = render({"url": "http://a/b", "name": "\u00e4"}, 1, seconds=0)
    assert content_type == "application/json"
    assert body == b'{"url":"http:\\/\\/a\\/b","name":"\\u00e4"}'
    assert json.loads(render(VALUE, 1, seconds=0)[1]) == VALUE


def test_xml_round_trips_special_characters() -> None:
    content_type, body = render(VALUE, 2, seconds=0.5)
    assert content_type == "text/xml;charset=UTF-8"
    result = ElementTree.fromstring(body).find("result")
    assert result is not None
    assert result.findtext("objectType") == "KalturaB"
    assert result.findtext("ok") == "1"
    assert result.findtext("list/item/a") == '<&\u00e4"'


def test_xml_errors_inside_lists_are_error_nodes() -> None:
    error = {"code": "X", "message": "m", "objectType": "KalturaAPIException", "args": {"ID": "7"}}
    body = render([None, error], 2, seconds=0)[1]
    root = ElementTree.fromstring(body)
    assert root.findtext("result/item[2]/error/code") == "X"
    assert root.findtext("result/item[2]/error/args/item/value") == "7"


def test_php_and_jsonp() -> None:
    assert (
        render({"a": "\u00e4", "b": [1, None]}, 3, seconds=0)[1].decode()
        == 'a:2:{s:1:"a";s:2:"\u00e4";s:1:"b";a:2:{i:0;i:1;i:1;N;}}'
    )
    assert render(True, 9, seconds=0, callback="cb")[1] == b"cb(true);"


class Trickle:
    """A body that arrives in pieces of random length."""

    def __init__(self, data: bytes, seed: int, most: int) -> None:
        self._data, self._random, self._most = data, random.Random(seed), most
        self.consumed = 0

    def readinto(self, window: memoryview) -> int:
        count = min(len(window), self._random.randint(1, self._most), len(self._data) - self.consumed)
        window[:count] = self._data[self.consumed : self.consumed + count]
        self.consumed += count
        return count


def encode(parts: list[tuple[str, str | None, bytes]], boundary: str) -> bytes:
    body = b""
    for name, filename, value in parts:
        extra = f'; filename="{filename}"' if filename is not None else ""
        body += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + value + b"\r\n"
        )
    return body + f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize("seed", range(8))
def test_multipart_survives_any_fragmentation(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    # Almost-boundaries inside the content are what a careless scanner trips over.
    noise = b"".join(chance.choice([b"\r\n--X", b"\r\n", b"--XYZ", b"a" * 70]) for _ in range(3000))
    parts = [
        ("ks", None, b"s"),
        ("fileData", "C:\\x\\movie.mp4", noise),
        ("empty", "e.bin", b""),
        ("after", None, b"\r\n"),
    ]
    paths = iter(tmp_path / str(number) for number in range(9))
    body = Trickle(encode(parts, "XYZW"), seed, chance.choice([7, 500, 1 << 20]))
    found = read_parts(body, b"XYZW", lambda: next(paths))
    assert [part.name for part in found] == ["ks", "fileData", "empty", "after"]
    assert found[1].filename == "movie.mp4"
    assert found[1].path is not None
    assert found[1].path.read_bytes() == noise
    assert found[1].size == len(noise)
    assert (found[2].size, found[3].value) == (0, b"\r\n")


def test_a_multipart_body_without_its_end_yields_what_has_come(tmp_path: Path) -> None:
    data = encode([("a", "a.bin", b"x" * 5000), ("b", "b.bin", b"y" * 5000)], "B")
    whole, cut = _parts(data, tmp_path / "whole"), _parts(data[:-3000], tmp_path / "cut")
    assert [part.whole for part in whole] == [True, True]
    assert [(part.name, part.whole) for part in cut] == [("a", True), ("b", False)]
    assert cut[1].path is not None
    assert (cut[1].path.read_bytes() + b"y" * 5000)[:5000] == b"y" * 5000
    assert cut[1].size < 5000
    assert [part.name for part in _parts(data[:5100], tmp_path / "headers")] == ["a"]


def test_a_connection_that_ends_in_a_part_leaves_no_file(tmp_path: Path) -> None:
    class Gone(Trickle):
        def readinto(self, window: memoryview) -> int:
            if (count := super().readinto(window)) == 0:
                raise BodyTruncated
            return count

    data = encode([("a", "a.bin", b"x" * 5000), ("b", "b.bin", b"y" * 5000)], "B")[:-3000]
    paths = iter(tmp_path / str(number) for number in range(9))
    with pytest.raises(BodyTruncated):
        read_parts(Gone(data, 1, 512), b"B", lambda: next(paths))
    assert list(tmp_path.iterdir()) == []


def _parts(data: bytes, folder: Path) -> list[Part]:
    folder.mkdir()
    paths = iter(folder / str(number) for number in range(9))
    return read_parts(Trickle(data, 1, 512), b"B", lambda: next(paths))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('multipart/form-data; boundary="a b"', b"a b"),
        ("multipart/form-data; boundary=xyz; q=1", b"xyz"),
        ("text/plain", None),
    ],
)
def test_boundary(header: str, expected: bytes | None) -> None:
    assert boundary_of(header) == expected


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_chunks_are_copied_with_and_without_the_kernels_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    data, source, target = random.Random(1).randbytes(3_000_000), tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    target.write_bytes(b"head" + bytes(100))
    append_at(source, target, 4)
    assert target.read_bytes() == b"head" + data
