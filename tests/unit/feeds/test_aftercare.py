"""What happens to the objects of a run at their source: nothing is lost, whatever else happens to them."""

from __future__ import annotations

import hashlib
import io
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kaltura_provider.feeds.outcome import aftercare
from kaltura_provider.feeds.outcome.aftercare import Aftercare, care_for
from kaltura_provider.hooks.s3_changes import S3Changes
from kaltura_provider.ingest.identity import content_id, item_id

HOME = "s3://media/in/"


class Bucket:
    """A client of S3 with objects in memory. It has what the code asks for, conditions of requests included."""

    def __init__(self, **objects: bytes) -> None:
        self.objects: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.refused: set[str] = set()
        """Requests that are answered with AccessDenied."""
        self.handlers: dict[str, Any] = {}
        self.meta = SimpleNamespace(events=SimpleNamespace(register=self.handlers.__setitem__))
        for name, content in objects.items():
            self.put(f"in/{name}", content)

    def put(self, key: str, content: bytes, *, parts: int = 0) -> None:
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        self.objects[key] = content
        self.etags[key] = f'"{hashlib.md5(digest.encode()).hexdigest()}-{parts}"' if parts else f'"{digest}"'

    def etag(self, key: str) -> str:
        return self.etags[key].strip('"')

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - the names of boto3
        if Key not in self.objects:
            raise _error("404", 404)
        return {"ContentLength": len(self.objects[Key]), "ETag": self.etags[Key]}

    def get_object(self, Bucket: str, Key: str, Range: str, IfMatch: str) -> dict[str, Any]:  # noqa: N803
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        assert self.etags[Key] == IfMatch
        return {"Body": io.BytesIO(self.objects[Key][first : last + 1])}

    def copy(self, source: dict[str, str], Bucket: str, Key: str, ExtraArgs: dict[str, Any]) -> None:  # noqa: N803
        self._check("copy")
        params: dict[str, Any] = {}
        shape = SimpleNamespace(members=["IfNoneMatch"])
        self.handlers["provide-client-params.s3.CopyObject"](params, SimpleNamespace(input_shape=shape))
        if params.get("IfNoneMatch") == "*" and Key in self.objects:
            raise _error("PreconditionFailed", 412)
        assert self.etags[source["Key"]] == ExtraArgs["CopySourceIfMatch"]
        self.objects[Key], self.etags[Key] = self.objects[source["Key"]], self.etags[source["Key"]]

    def delete_object(self, Bucket: str, Key: str, IfMatch: str) -> None:  # noqa: N803
        self._check("delete")
        if Key not in self.objects or self.etags[Key] != IfMatch:
            raise _error("PreconditionFailed", 412)
        del self.objects[Key]

    def get_object_tagging(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"TagSet": []}

    def put_object_tagging(self, Bucket: str, Key: str, Tagging: dict[str, Any]) -> None:  # noqa: N803
        self.tags[Key] = {tag["Key"]: tag["Value"] for tag in Tagging["TagSet"]}

    def _check(self, request: str) -> None:
        if request in self.refused:
            raise _error("AccessDenied", 403)


def _error(code: str, status: int) -> ClientError:
    said = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "Request")  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def all_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kaltura holds every item."""
    monkeypatch.setattr(aftercare, "_held", lambda client, refs: list(refs))


def ref(bucket: Bucket, name: str, *files: str, **owners: list[str]) -> dict[str, Any]:
    """The reference of an item, with files that are as the bucket has them now."""
    uri = f"{HOME}{name}"
    known = item_id(uri)
    beside = {
        f"{HOME}{file}": {"etag": bucket.etag(f"in/{file}"), "owners": owners.get(file.replace(".", "_"), [])}
        for file in files
    }
    content = content_id(known, len(bucket.objects[f"in/{name}"]), bucket.etag(f"in/{name}"))
    return {"uri": uri, "item_id": known, "content_id": content, "entry_id": "0_abc", "files": beside}


def cared(
    bucket: Bucket, *good: dict[str, Any], failed: tuple[dict[str, Any], ...] = (), **care: Any
) -> tuple[int, dict[str, str]]:
    said = {"on_success": "move", "move_to": "s3://media/done/", "move_failed_to": "s3://media/bad/"}
    client: Any = None
    return care_for(Aftercare(prefix=HOME, **{**said, **care}), good, failed, client, S3Changes(bucket))


def test_an_object_of_equal_size_at_the_target_is_compared_byte_by_byte() -> None:
    bucket = Bucket()
    bucket.put("in/talk.wav", b"new 1", parts=2)
    bucket.put("done/talk.wav", b"old 1")
    count, named = cared(bucket, ref(bucket, "talk.wav"))
    assert (count, "holds something else" in named[f"{HOME}talk.wav"]) == (0, True)
    assert bucket.objects == {"in/talk.wav": b"new 1", "done/talk.wav": b"old 1"}
    # The copy of a move that was interrupted has another ETag, and the same bytes.
    bucket.put("done/talk.wav", b"new 1")
    assert cared(bucket, ref(bucket, "talk.wav")) == (1, {})
    assert bucket.objects == {"done/talk.wav": b"new 1"}


def test_of_two_objects_with_one_target_the_second_stays() -> None:
    bucket = Bucket(**{"a.mp4": b"one", "/a.mp4": b"two"})
    count, named = cared(bucket, ref(bucket, "a.mp4"), ref(bucket, "/a.mp4"))
    assert count == 1
    assert "in/a.mp4 has the same target, s3://media/done/a.mp4; rename one" in named[f"{HOME}/a.mp4"]
    assert bucket.objects == {"done/a.mp4": b"one", "in//a.mp4": b"two"}


def test_an_object_that_comes_to_the_target_in_the_meantime_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket(**{"a.mp4": b"one"})
    item = ref(bucket, "a.mp4")
    copy = bucket.copy

    def late(*args: Any, **kwargs: Any) -> None:
        bucket.put("done/a.mp4", b"of another run")
        copy(*args, **kwargs)

    monkeypatch.setattr(bucket, "copy", late)
    _, named = cared(bucket, item)
    assert "holds something else" in named[item["uri"]]
    assert bucket.objects == {"in/a.mp4": b"one", "done/a.mp4": b"of another run"}


def test_a_store_that_knows_no_condition_for_the_target_is_asked_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket(**{"a.mp4": b"one"})
    item = ref(bucket, "a.mp4")
    copy, seen = bucket.copy, []

    def strict(*args: Any, **kwargs: Any) -> None:
        params: dict[str, Any] = {}
        shape = SimpleNamespace(members=["IfNoneMatch"])
        bucket.handlers["provide-client-params.s3.CopyObject"](params, SimpleNamespace(input_shape=shape))
        seen.append(bool(params))
        if params:
            raise _error("NotImplemented", 501)
        copy(*args, **kwargs)

    monkeypatch.setattr(bucket, "copy", strict)
    assert cared(bucket, item) == (1, {})
    assert (seen, bucket.objects) == ([True, False], {"done/a.mp4": b"one"})


def test_nothing_of_an_item_is_moved_unless_all_of_it_can_be() -> None:
    bucket = Bucket(**{"a.mp4": b"one", "a.json": b"{}"})
    bucket.put("done/a.mp4", b"other")
    _, named = cared(bucket, ref(bucket, "a.mp4", "a.json"))
    assert list(named) == [f"{HOME}a.mp4"]
    assert set(bucket.objects) == {"in/a.mp4", "in/a.json", "done/a.mp4"}


@pytest.mark.parametrize("action", ["move", "delete"])
def test_a_file_of_two_items_goes_with_the_last_of_them(action: str) -> None:
    bucket = Bucket(**{"a.mp4": b"one", "a.mov": b"two", "a.srt": b"caption"})
    first = ref(bucket, "a.mp4", "a.srt", a_srt=[f"{HOME}a.mov"])
    second = ref(bucket, "a.mov", "a.srt", a_srt=[f"{HOME}a.mp4"])
    left = dict(bucket.objects)
    assert cared(bucket, first, on_success=action) == (1, {})
    assert {key: left[key] for key in bucket.objects if key.startswith("in/")} == {
        "in/a.mov": b"two",
        "in/a.srt": b"caption",
    }
    assert cared(bucket, first, second, on_success=action) == (2, {})
    assert not [key for key in bucket.objects if key.startswith("in/")]


def test_a_file_of_unknown_content_stays() -> None:
    bucket = Bucket(**{"a.mp4": b"one", "a.srt": b"caption"})
    item = ref(bucket, "a.mp4", "a.srt")
    item["files"][f"{HOME}a.srt"]["etag"] = ""
    _, named = cared(bucket, item, on_success="delete")
    assert "have the inventory list the field ETag" in named[item["uri"]]
    assert set(bucket.objects) == {"in/a.mp4", "in/a.srt"}


def test_an_object_that_came_after_the_failure_stays() -> None:
    bucket = Bucket(**{"a.mp4": b""})
    failed = {"uri": f"{HOME}a.mp4", "reason": "it is empty", "kind": "source", "retry_helps": False}
    failed |= {"files": {}, "etag": bucket.etag("in/a.mp4"), "content_id": ""}
    bucket.put("in/a.mp4", b"whole")
    care = {"on_success": "keep", "on_failure": "move"}
    _, named = cared(bucket, failed=(failed,), **care)
    assert "has changed" in named[f"{HOME}a.mp4"]
    assert bucket.objects == {"in/a.mp4": b"whole"}
    bucket.put("in/a.mp4", b"")
    assert cared(bucket, failed=(failed,), **care) == (1, {})
    assert bucket.objects == {"bad/a.mp4": b""}


def test_a_refusal_names_the_permission() -> None:
    bucket = Bucket(**{"a.mp4": b"one"})
    bucket.refused = {"delete"}
    _, named = cared(bucket, ref(bucket, "a.mp4"))
    assert "allow s3:DeleteObject" in named[f"{HOME}a.mp4"]
    bucket.refused = {"copy"}
    del bucket.objects["done/a.mp4"]
    _, named = cared(bucket, ref(bucket, "a.mp4"))
    assert "s3:PutObject on s3://media/done/a.mp4" in named[f"{HOME}a.mp4"]
