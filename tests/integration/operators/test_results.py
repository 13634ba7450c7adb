"""What one operator returns, another takes: entries and upload tokens over all pairs; and results have one shape."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import BaseOperator

import kaltura_provider.operators
import kaltura_provider.sensors
from kaltura_provider.operators.add_from import (
    KalturaAddDataOperator,
    KalturaAddFromUploadedFileOperator,
    KalturaAddFromUrlOperator,
)
from kaltura_provider.operators.attach import KalturaAttachOperator
from kaltura_provider.operators.captions import KalturaAddCaptionOperator, KalturaGetCaptionUrlOperator
from kaltura_provider.operators.content import KalturaAddContentOperator, KalturaUpdateContentOperator
from kaltura_provider.operators.entries import (
    KalturaAddEntryOperator,
    KalturaGetEntryOperator,
    KalturaListEntriesOperator,
    KalturaUpdateEntryOperator,
)
from kaltura_provider.operators.flavors import KalturaGetFlavorUrlOperator, KalturaListFlavorsOperator
from kaltura_provider.operators.prepare import KalturaPrepareOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.operators.upload_tokens import (
    KalturaAddUploadTokenOperator,
    KalturaDeleteUploadTokenOperator,
    KalturaGetUploadTokenOperator,
)
from kaltura_provider.sensors.base import KalturaSensor
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

CONTENT = {"token_id": "0_" + "0" * 32}
OTHERS: dict[str, dict[str, Any]] = {
    "KalturaAddAttachmentOperator": {"text": "x", "file_name": "a.txt"},
    "KalturaAddCaptionOperator": {"text": "x", "file_name": "a.en.srt"},
    "KalturaAddContentOperator": CONTENT,
    "KalturaAddThumbnailOperator": {"second": 1},
    "KalturaAttachOperator": CONTENT,
    "KalturaCategorizeEntryOperator": {"add": [5]},
    "KalturaCheckDeliveryOperator": {"with_session": True},
    "KalturaModerateEntryOperator": {"decision": "approve"},
    "KalturaSetMetadataOperator": {"metadata_profile_id": 1, "values": {"a": 1}},
    "KalturaUpdateContentOperator": CONTENT,
    "KalturaUpdateEntryOperator": {"changes": {"name": "x"}},
}
FILLED_BY_ID = {"KalturaAddContentOperator", "KalturaUpdateContentOperator", "KalturaAttachOperator"}


class ReachedKalturaError(Exception):
    """An operator has read its arguments and calls Kaltura."""


class Nowhere:
    """A client whose every call stops the operator."""

    partner_id, account, observer = 1, None, None

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            raise ReachedKalturaError(f"{name} {args} {kwargs}")

        return call


LINKS = ("entry", "playback", "thumbnail", "source")


def takers(argument: str) -> Iterator[type[BaseOperator]]:
    """Yield the operators and sensors that have an argument."""
    for package in (kaltura_provider.operators, kaltura_provider.sensors):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, kind in inspect.getmembers(importlib.import_module(found.name), inspect.isclass):
                ours = kind.__module__ == found.name and name.startswith("Kaltura") and issubclass(kind, BaseOperator)
                if ours and argument in kind.template_fields:
                    yield kind


def reach(kind: type[BaseOperator], **arguments: Any) -> str:
    """Run an operator up to its first call, and return the call."""
    task: Any = kind(task_id="taker", **{**OTHERS.get(kind.__name__, {}), **arguments})
    if isinstance(task, KalturaSensor):
        return " ".join(task.subject().ids)
    account = SimpleNamespace(
        cdn_host="https://cdn.example", partner_id=1, **{f"{link}_url": lambda one: one for link in LINKS}
    )
    client = Nowhere()
    task.__dict__["hook"] = SimpleNamespace(get_conn=lambda: client, call=client.call, account=account, observer=None)
    ti = SimpleNamespace(xcom_push=lambda **_: None, dag_id="d", run_id="r", map_index=-1, try_number=1, max_tries=0)
    with pytest.raises(ReachedKalturaError) as reached:
        task.execute({"ti": ti})
    return str(reached.value)


@pytest.fixture
def source(tmp_path: Path) -> Callable[[], str]:
    """Write a file of other content each time."""
    made: list[Path] = []

    def write() -> str:
        path = tmp_path / f"clip{len(made)}.mp4"
        path.write_bytes(b"a" * (1000 + len(made)))
        made.append(path)
        return path.as_uri()

    return write


@pytest.fixture
def results(kaltura: Any, s3: Any, source: Callable[[], str]) -> dict[str, Any]:
    """What the operators that make, fill, read or change an entry or a token return."""
    run = kaltura.run
    s3.put_file("media", "in/film.mp4", Path(source().removeprefix("file://")))
    token = run(KalturaAddUploadTokenOperator, file_name="a.mp4")
    sent = run(KalturaUploadOperator, source=source())
    prepared = run(KalturaPrepareOperator, source=source())
    entry = run(KalturaAddEntryOperator, metadata={"name": "a", "media_type": "video"})
    text = run(KalturaAddDataOperator, text="{}")
    return {
        "add_token": token,
        "get_token": run(KalturaGetUploadTokenOperator, token_id=token),
        "upload to a token": sent,
        "prepare": prepared,
        "upload to an entry": run(KalturaUploadOperator, source=prepared),
        "attach": run(KalturaAttachOperator, token_id=token, metadata={"name": "b", "media_type": "video"}),
        "add_from_uploaded_file": run(KalturaAddFromUploadedFileOperator, token_id=sent),
        "add_from_url": run(KalturaAddFromUrlOperator, source="s3://media/in/film.mp4"),
        "add_entry": entry,
        "get_entry": run(KalturaGetEntryOperator, entry_id=entry),
        "add_data": text,
        "add_content": run(KalturaAddContentOperator, entry_id=text, text="[]"),
        "update_entry": run(KalturaUpdateEntryOperator, entry_id=entry, changes={"name": "c"}),
        "list_entries": run(KalturaListEntriesOperator, any_status=True, kind="data")[0],
    }


def test_entries_over_all_pairs(results: dict[str, Any]) -> None:
    kinds = list(takers("entry_id"))
    makers = {name: result for name, result in results.items() if "entry_id" in result or "id" in result}
    assert (len(makers), len(kinds)) == (11, 25)
    for maker, result in makers.items():
        entry_id = result.get("entry_id", result.get("id"))
        for kind in kinds:
            call = reach(kind, entry_id=result)
            if kind.__name__ not in FILLED_BY_ID | {"KalturaCategorizeEntryOperator", "KalturaCheckDeliveryOperator"}:
                assert entry_id in call, f"{maker} -> {kind.__name__}: {call}"


def test_tokens_over_all_pairs(results: dict[str, Any], source: Callable[[], str]) -> None:
    kinds = list(takers("token_id"))
    makers = {name: result for name, result in results.items() if "token_id" in result}
    assert (len(makers), len(kinds)) == (7, 11)
    uri, more = source(), {"KalturaAddCaptionOperator": {"language": "en", "format": "srt", "text": None}}
    for maker, result in makers.items():
        for kind in kinds:
            others: dict[str, Any] = {**OTHERS.get(kind.__name__, {}), **more.get(kind.__name__, {})}
            others |= {"second": None} if "Thumbnail" in kind.__name__ else {}
            others |= {"text": None} if "Attachment" in kind.__name__ else {}
            others |= {"source": uri} if kind is KalturaUploadOperator else {}
            needs_entry = "entry_id" in kind.template_fields
            call = reach(kind, **others | {"token_id": result} | ({"entry_id": "0_abcdefgh"} if needs_entry else {}))
            assert result["token_id"] in call or "0_abcdefgh" in call, f"{maker} -> {kind.__name__}: {call}"


def names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from names(item)
    elif isinstance(value, list):
        for item in value:
            yield from names(item)


def test_results_have_one_shape(kaltura: Any, film: str, results: dict[str, Any]) -> None:
    run = kaltura.run
    caption = run(KalturaAddCaptionOperator, entry_id=film, text="1\n00:00:00,000 --> 00:00:01,000\na\n",
                  file_name="a.en.srt")  # fmt: skip
    flavors = run(KalturaListFlavorsOperator, entry_id=film)
    shown = {
        **{name: result for name, result in results.items() if name != "get_entry"},
        "caption": caption,
        "flavors": flavors,
        "flavor URL": run(KalturaGetFlavorUrlOperator, entry_id=film),
        "caption URL": run(KalturaGetCaptionUrlOperator, asset_id=caption),
        "replacement": run(KalturaUpdateContentOperator, entry_id=film, url="https://cdn.example.com/a.mp4"),
        "deleted": run(KalturaDeleteUploadTokenOperator, token_id="0_" + "0" * 32),
        "waited": run(KalturaEntryReadySensor, entry_id={"entry_id": film}, replacement="ignore"),
    }
    for maker, result in shown.items():
        assert [name for name in names(result) if not re.fullmatch("[a-z0-9_]+", name)] == [], maker
        for item in result if isinstance(result, list) else [result]:
            assert "id" not in item, maker
            if "status" in item:
                assert isinstance(item["status"], str), maker
                assert item["status"] == item["status"].lower(), maker
                assert isinstance(item["status_number"], int), maker
    assert (shown["waited"]["status"], shown["waited"]["status_number"]) == ("ready", 2)
    assert shown["flavor URL"]["url"].startswith("http")
    assert shown["caption URL"].keys() == {"url", "asset_id"}
    assert shown["deleted"]["deleted"] is False
