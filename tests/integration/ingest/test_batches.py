"""Batches share requests: few of them, and whatever fails in between, each item has one entry with its bytes."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.errors import KalturaError
from kaltura_provider.api.observer import CallRecord, Observer
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.ingest.confirmation import confirm_all
from kaltura_provider.ingest.item import ItemRef, ItemState, SourceItem
from kaltura_provider.ingest.marks import MADE_MARK
from kaltura_provider.ingest.send import Ingested, Outgoing, ingest, send_items
from kaltura_provider.ingest.settings import Transfer
from kaltura_provider.upload.settings import Patience, UploadSettings
from kaltura_provider.upload.uploader import Uploader
from tests.integration.ingest.conftest import client_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaltura_provider.upload.sources.base import Source
    from tests.integration.ingest.conftest import Library

RETRY = RetrySettings(attempts=2, base=0.001, cap=0.002)
PATIENCE = Patience(
    retry=RETRY, final_timeout=2.0, final_poll=0.1, single_poll=0.1, busy_after=0.1, busy_wait=0.5, poll=0.02
)
NAMES = ("a.mp4", "b.mp4", "c.png", "d.csv")
Pairs = list[tuple[SourceItem, "Callable[[], Source]"]]


class Died(BaseException):
    """The worker's process is gone."""


class Calls(Observer):
    """Counts the requests, and lets the worker die after some of them."""

    def __init__(self, die_after: int | None = None) -> None:
        self.names: Counter[str] = Counter()
        self._die_after = die_after

    def on_call(self, call: CallRecord) -> None:
        self.names[f"{call.service}.{call.action}"] += 1
        if self._die_after is not None and self.count >= self._die_after:
            raise Died

    @property
    def count(self) -> int:
        return self.names.total()


def batch(library: Library, names: Sequence[str] = NAMES, **values: Any) -> Pairs:
    pairs: Pairs = []
    for seed, name in enumerate(names):
        source = library.file(name, size=20_000 + seed, seed=seed)
        pairs.append((library.item(source, **values), lambda opened=source: opened))  # type: ignore[misc]
    return pairs


def run(library: Library, pairs: Pairs, observer: Calls | None = None, **settings: Any) -> list[Ingested]:
    observer = observer or Calls()
    credentials = Credentials(
        partner_id=library.sandbox.partner_id, auth=AuthMethod.SECRET, secret=library.sandbox.admin_secret
    )
    known = settings.pop("known", None)
    chosen = replace(library.settings, **({"run": "nightly"} | settings))

    def remember(ref: ItemRef) -> None:
        if known is not None and ref.token_id:
            known[ref.item_id] = ref.token_id

    with KalturaClient(
        library.sandbox.service_url,
        credentials,
        observer=observer,
        retry=RETRY,
        wall_clock=library.sandbox.account.clock.time,
    ) as client:
        uploader = Uploader(client, settings=UploadSettings(parallelism=1), observer=observer, patience=PATIENCE)
        return ingest(
            client, uploader, pairs, settings=chosen, observer=observer, known=dict(known or {}), on_ref=remember
        )


def check(library: Library, pairs: Pairs) -> None:
    """One entry an item, with exactly its bytes, and nothing else of ours."""
    for item, open_source in pairs:
        [entry] = library.entries(item)
        assert library.holds(entry["id"], open_source())
    ours = [entry for entry in library.sandbox.control.entries() if MADE_MARK in str(entry.get("adminTags")).split(",")]
    assert len(ours) == len(pairs), ours


def test_a_batch_needs_few_requests(library: Library) -> None:
    pairs = batch(library, [f"{number}.mp4" for number in range(20)])
    first = Calls()
    assert {one.ref.state for one in run(library, pairs, first)} == {ItemState.DONE}
    check(library, pairs)
    assert first.count <= 3 * len(pairs), first.names
    assert not first.names["uploadToken.get"]  # this process has just added them
    again = Calls()
    assert {one.ref.state for one in run(library, pairs, again)} == {ItemState.DONE}
    assert again.count <= 3, again.names


def test_a_token_is_read_first_once_another_process_may_have_sent_to_it(library: Library) -> None:
    """It takes an upload that does not begin for abandoned after ``grace``."""
    pairs = batch(library, ["a.mp4"])
    (ref,) = library.prepare(*[item for item, _ in pairs])
    library.settings.clock.sleep(library.settings.grace)
    other = run(library, pairs)
    assert [one.ref.state for one in other] == [ItemState.DONE]
    before = library.sandbox.control.state()["calls"]
    outgoing = Outgoing(ref, lambda: nullcontext(pairs[0][1]()))
    (late,) = send_items(library.client, library.uploader, [outgoing], settings=library.settings)
    assert late.ref.state is ItemState.DONE
    calls = library.sandbox.control.state()["calls"]
    assert calls["uploadToken.get"] > before.get("uploadToken.get", 0)
    assert calls["uploadToken.upload"] == before["uploadToken.upload"]
    check(library, pairs)


def test_only_the_first_upload_to_a_token_does_without_reading_it(library: Library) -> None:
    pairs = batch(library, ["a.mp4"])
    (ref,) = library.prepare(*[item for item, _ in pairs])
    assert ItemRef.from_dict(ref.to_dict()).claimed_at is None is not ref.claimed_at
    out = Outgoing(ref, lambda: nullcontext(pairs[0][1]()))
    library.sandbox.control.fault("error", action="upload", times=100, after=1)
    client = client_of(library.sandbox)
    (failed,) = send_items(client, Uploader(client, patience=PATIENCE), [out], settings=library.settings)
    assert (failed.ref.state, failed.ref.claimed_at) == (ItemState.FAILED, None)
    library.sandbox.control.clear_faults()
    assert [one.ref.state for one in run(library, pairs, known={ref.item_id: ref.token_id})] == [ItemState.DONE]
    check(library, pairs)


def test_imports_of_a_batch_need_less_than_a_request_each(library: Library) -> None:
    pairs = [
        (replace(item, import_url=f"http://127.0.0.1:9/{item.name}"), source)
        for item, source in batch(library, [f"{number}.mp4" for number in range(25)])
    ]
    calls, settings = Calls(), {"transfer": Transfer.IMPORT}
    refs = [one.ref for one in run(library, pairs, calls, **settings)]
    assert {ref.state for ref in refs} == {ItemState.IMPORTING}
    assert calls.count < len(pairs), calls.names
    for ref in refs:
        library.sandbox.control.drive(str(ref.entry_id), "imported", size=ref.size)
    before = library.calls()
    assert {ref.state for ref in confirm_all(library.client, refs)} == {ItemState.DONE}
    assert library.calls() - before < len(pairs)
    assert all(len(library.entries(item)) == 1 for item, _ in pairs)


@pytest.mark.parametrize("kind", ["error", "error_after"])
@pytest.mark.parametrize("action", ["add", "addContent", "update", "list", "addFromUploadedFile"])
def test_a_call_that_fails_doubles_nothing(library: Library, kind: str, action: str) -> None:
    pairs = batch(library)
    library.sandbox.control.fault(kind, action=action, times=3, after=2)
    storm(library, pairs)
    library.sandbox.control.clear_faults()
    done = run(library, pairs)
    assert {(one.ref.state, one.ref.made) for one in done} == {(ItemState.DONE, True)}
    check(library, pairs)


def test_a_whole_request_whose_answer_is_lost_doubles_nothing(library: Library) -> None:
    """Kaltura carries it out for every item of the batch; whichever request it is."""
    for number in range(13):
        library.sandbox.control.reset()
        pairs = batch(library)
        library.sandbox.control.fault("reply_lost", service="multirequest", times=1, after=number)
        storm(library, pairs)
        [fault] = library.sandbox.account.faults.show()
        assert fault["struck"], f"request {number} was not made"
        library.sandbox.control.clear_faults()
        done = run(library, pairs)
        assert {(one.ref.state, one.ref.made) for one in done} == {(ItemState.DONE, True)}, number
        check(library, pairs)


def storm(library: Library, pairs: Pairs) -> None:
    """Run, whatever comes of it; an item that fails says that a retry can help."""
    with suppress(KalturaError):  # the look at the whole batch may fail
        for one in run(library, pairs):
            assert one.ref.state is ItemState.DONE or (one.ref.error and one.ref.error.retry_helps), one.ref


@pytest.mark.parametrize("remembered", [True, False])
def test_a_worker_that_dies_after_any_request_is_followed_by_one_that_finishes(
    library: Library, remembered: bool
) -> None:
    """Each worker dies one request later than the one before, so every request is somebody's last one."""
    pairs = batch(library)
    known: dict[str, str] = {}
    deaths = 0
    for last in range(1, 60):
        with suppress(Died):
            run(library, pairs, Calls(die_after=last), known=known if remembered else {})
            break
        deaths += 1
        held = Counter(
            item.item_id for item, _ in pairs for entry in library.entries(item) if entry["status"] not in (0, 7)
        )
        assert all(count == 1 for count in held.values()), held
        library.sandbox.control.advance_clock(5 if last % 3 else 130)
    assert deaths > 10
    assert {one.ref.state for one in run(library, pairs)} == {ItemState.DONE}
    check(library, pairs)


@pytest.mark.parametrize("fetched", [True, False])
def test_the_next_try_waits_for_what_a_dead_one_may_have_begun(library: Library, fetched: bool) -> None:
    """Searches lag, and nothing fences a fetch, or an entry that is made of a full token."""
    settings: dict[str, Any] = {"transfer": Transfer.IMPORT} if fetched else {}
    for last in (7, 9, 10, 11) if fetched else (16, 17, 18):
        library.sandbox.control.reset()
        library.sandbox.account.search.lag = library.settings.grace / 4
        pairs = batch(library, ("a.mp4", "b.mp4") if fetched else ("a.csv", "b.csv"))
        if fetched:
            pairs = [(replace(item, import_url="http://127.0.0.1:9/a.mp4"), source) for item, source in pairs]
        known: dict[str, str] = {}
        with pytest.raises(Died):
            run(library, pairs, Calls(last), known=known, **settings)
        run(library, pairs, known=known, **settings)
        library.sandbox.control.advance_clock(library.settings.grace)
        assert [len(library.entries(item)) for item, _ in pairs] == [1, 1], f"after request {last}"


def test_one_that_fails_neither_stops_nor_repeats_the_others(library: Library) -> None:
    pairs = batch(library)
    bad = replace(pairs[1][0], metadata=replace(pairs[1][0].metadata, conversion_profile_id=999_999))
    refs = [one.ref for one in run(library, [pairs[0], (bad, pairs[1][1]), *pairs[2:]])]
    assert [ref.state for ref in refs] == [ItemState.DONE, ItemState.FAILED, ItemState.DONE, ItemState.DONE]
    before = library.changes()
    assert [one.ref.state for one in run(library, pairs)] == [ItemState.DONE] * 4
    made = {name: count - before.get(name, 0) for name, count in library.changes().items()}
    assert made.get("media.add") == 1
    check(library, pairs)


def test_a_name_that_looks_like_a_reference_is_only_a_name(library: Library) -> None:
    """A multirequest replaces ``{1:result:id}`` with the result of its first call."""
    pairs = batch(library)
    names = ["first", "{1:result:id}", "third", "{1:result:id} {2:result:name}"]
    named = [
        (replace(item, metadata=replace(item.metadata, name=name)), source)
        for (item, source), name in zip(pairs, names, strict=True)
    ]
    assert {one.ref.state for one in run(library, named)} == {ItemState.DONE}
    assert [library.entries(item)[0]["name"] for item, _ in named] == names


def test_two_workers_with_the_same_batch_make_one_entry_each(library: Library) -> None:
    pairs = batch(library)
    found: list[list[Ingested]] = []
    workers = [threading.Thread(target=lambda: found.append(run(library, pairs)), daemon=True) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(found) == 2
    assert {one.ref.state for one in run(library, pairs)} == {ItemState.DONE}
    check(library, pairs)
