"""Replacement, import by Kaltura, adoption, entries without a profile: the same claim and the same marks."""

from __future__ import annotations

import threading
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.ingest.confirmation import confirm_all
from kaltura_provider.ingest.item import ItemRef, ItemState, SourceItem
from kaltura_provider.ingest.marks import content_mark
from kaltura_provider.ingest.preparation import prepare
from kaltura_provider.ingest.send import Outgoing, ingest, send_items
from kaltura_provider.ingest.settings import AdoptBy, Clock, IfExists, IngestSettings, Redo, Transfer
from kaltura_provider.upload.uploader import Uploader
from kaltura_sandbox import Sandbox
from tests.integration.ingest.conftest import Library, SandboxClock, client_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kaltura_provider.upload.sources.base import Source
    from tests.integration.ingest.conftest import Library


def finish(library: Library, entry_id: str) -> None:
    """Let everything that is converted become READY."""
    for event in ("analysed", "converted", "ready"):
        library.sandbox.control.drive(entry_id, event)


def ingested(library: Library, source: Source) -> ItemRef:
    done = library.ingest(source)
    finish(library, str(done.ref.entry_id))
    assert library.sandbox.control.entry(str(done.ref.entry_id))["status"] == 2
    return done.ref


def test_changed_content_is_kept_out_by_default(library: Library) -> None:
    first = ingested(library, library.file())
    changed = library.changes()
    second = library.ingest(library.file(seed=2, size=190_000)).ref
    assert (second.state, second.entry_id) == (ItemState.SKIPPED, first.entry_id)
    assert "changed at source" in str(second.note)
    assert library.changes() == changed


def test_changed_content_can_fail(library: Library) -> None:
    ingested(library, library.file())
    error = library.ingest(library.file(seed=2), if_exists=IfExists.FAIL).ref.error
    assert error is not None
    assert (error.kind, error.retry_helps) == ("changed", False)
    assert "if_exists: replace" in error.message


def test_changed_content_replaces_the_old_when_asked(library: Library) -> None:
    first = ingested(library, library.file())
    source = library.file(seed=2, size=190_000)
    item = library.item(source)
    sent = library.ingest(source, item, if_exists=IfExists.REPLACE).ref
    assert (sent.state, sent.entry_id) == (ItemState.REPLACING, first.entry_id)
    marks = library.entries(item)[0]["adminTags"]
    assert content_mark(first.content_id) in marks
    assert content_mark(item.content_id) not in marks
    replacing = library.sandbox.control.entry(str(first.entry_id))["replacingEntryId"]
    finish(library, replacing)
    [done] = confirm_all(library.client, [sent], settings=library.settings)
    assert done.state is ItemState.DONE
    [entry] = library.entries(item)
    assert entry["id"] == first.entry_id
    assert content_mark(item.content_id) in entry["adminTags"]
    assert content_mark(first.content_id) not in entry["adminTags"]
    assert library.holds(entry["id"], source)
    calls = library.changes()
    assert library.ingest(source, item, if_exists=IfExists.REPLACE).ref.state is ItemState.DONE
    assert library.changes() == calls


def test_a_replacement_that_broke_off_is_gone_on_with(library: Library) -> None:
    first = ingested(library, library.file())
    source = library.file(seed=2, size=190_000)
    item = library.item(source)
    [ref] = library.prepare(item, if_exists=IfExists.REPLACE)
    assert ref.state is ItemState.SEND
    [again] = library.prepare(item, if_exists=IfExists.REPLACE)
    assert (again.state, again.entry_id) == (ItemState.SEND, first.entry_id)
    assert again.token_id not in (None, ref.token_id)
    library.begin(source, again.token_id)
    [begun] = library.prepare(item, if_exists=IfExists.REPLACE)
    assert (begun.state, begun.token_id, begun.entry_id) == (ItemState.SEND, again.token_id, first.entry_id)
    assert again.token_id is not None
    library.uploader.send(source, again.token_id, attached=True, own=True)
    assert library.prepare(item)[0].state is ItemState.REPLACING
    finish(library, library.sandbox.control.entry(str(first.entry_id))["replacingEntryId"])
    assert library.prepare(item)[0].state is ItemState.DONE
    assert library.holds(str(first.entry_id), source)


def test_a_cancelled_replacement_keeps_the_old_content_and_says_so(library: Library) -> None:
    first = ingested(library, library.file())
    source = library.file(seed=2, size=190_000)
    sent = library.ingest(source, if_exists=IfExists.REPLACE).ref
    library.client.call("media", "cancelReplace", {"entryId": first.entry_id})
    kept = library.ingest(source).ref
    assert (kept.state, kept.entry_id) == (ItemState.SKIPPED, sent.entry_id)
    assert library.ingest(source, if_exists=IfExists.REPLACE).ref.state is ItemState.REPLACING


def test_content_may_come_back(library: Library) -> None:
    one, two = library.file(seed=1), library.file("two.mp4", seed=2, size=190_000)
    first = library.item(one)
    second = library.item(one, validator="two")
    object.__setattr__(second, "size", two.size)
    ref = ingested(library, one)
    for item, source in ((second, two), (first, one)):
        sent = library.ingest(source, item, if_exists=IfExists.REPLACE).ref
        assert sent.state is ItemState.REPLACING
        finish(library, library.sandbox.control.entry(str(ref.entry_id))["replacingEntryId"])
        [confirmed] = confirm_all(library.client, [sent], settings=library.settings)
        assert confirmed.state is ItemState.DONE
        assert library.holds(str(ref.entry_id), source)
    assert len(library.entries(first)) == 1


def test_without_the_feature_replacing_fails_and_says_why(tmp_path: Any) -> None:
    from kaltura_provider.ingest.settings import IngestSettings
    from kaltura_sandbox import Sandbox
    from tests.integration.ingest.conftest import Library, SandboxClock

    with Sandbox(run_jobs=False, replacement=False) as sandbox, client_of(sandbox) as client:
        library = Library(sandbox, client, tmp_path, IngestSettings(clock=SandboxClock(sandbox)))
        ingested(library, library.file())
        source = library.file(seed=2)
        error = library.ingest(source, if_exists=IfExists.REPLACE).ref.error
        assert error is not None
        assert (error.code, error.retry_helps) == ("FEATURE_FORBIDDEN", False)
        assert all(token["status"] == 3 for token in library.tokens(library.item(source)))


def test_kaltura_fetches_by_url_once(library: Library) -> None:
    source = library.file()
    item = library.item(source, import_url="http://127.0.0.1:9/clip.mp4?X-Amz-Signature=s")
    [ref] = library.prepare(item, transfer=Transfer.IMPORT)
    assert (ref.state, ref.token_id) == (ItemState.IMPORTING, None)
    assert library.tokens(item) == []
    [again] = library.prepare(item, transfer=Transfer.IMPORT)
    assert (again.state, again.entry_id) == (ItemState.IMPORTING, ref.entry_id)
    library.sandbox.control.drive(str(ref.entry_id), "imported", size=source.size)
    [done] = confirm_all(library.client, [again], settings=library.settings)
    assert done.state is ItemState.DONE
    assert content_mark(item.content_id) in library.entries(item)[0]["adminTags"]
    assert len(library.entries(item)) == 1


class Died(BaseException):
    """The worker's process is gone."""


class Racer(KalturaClient):
    """Waits for the other right before the first entry is made; may die right after its entry got its token."""

    gate: threading.Barrier
    mortal = False
    waited = False

    def call(self, service: str, action: str, *args: Any, **values: Any) -> Any:
        if service == "media" and action in ("add", "addFromUploadedFile") and not self.waited:
            self.waited = True
            with suppress(threading.BrokenBarrierError):
                self.gate.wait(2)
        answer = super().call(service, action, *args, **values)
        if self.mortal and action == "addContent":
            raise Died
        return answer


def race(
    library: Library, source: Source, items: Sequence[SourceItem], settings: IngestSettings, *, mortal: bool = False
) -> list[ItemRef]:
    """Ingest versions of one source at the same moment, and return what came of each whose worker lives."""
    gate, refs = threading.Barrier(len(items)), []
    credentials = Credentials(
        partner_id=library.sandbox.partner_id, auth=AuthMethod.SECRET, secret=library.sandbox.admin_secret
    )

    def work(item: SourceItem) -> None:
        with Racer(library.sandbox.service_url, credentials) as client, suppress(Died):
            client.gate, client.mortal = gate, mortal
            pairs = [(item, lambda: source)]
            refs.extend(done.ref for done in ingest(client, Uploader(client), pairs, settings=settings))

    threads = [threading.Thread(target=work, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refs


@pytest.mark.parametrize("path", ["import", "full file", "attached"])
def test_two_versions_in_the_same_moment_share_one_entry(library: Library, path: str) -> None:
    """Content that an entry was given cannot be taken back, so only one version may get that far."""
    values: dict[str, Any] = {"import_url": "http://127.0.0.1:9/clip.mp4"} if path == "import" else {}
    metadata = {"conversion_profile_id": -1} if path == "full file" else {}
    source = library.file()
    items = [library.item(source, validator=version, metadata=metadata, **values) for version in ("1", "2")]
    # A busy machine must not make one of them take the other for dead.
    settings = replace(library.settings, clock=Clock(), poll=0.05, backoff=0.1, grace=60, claim_timeout=4)
    settings = replace(settings, transfer=Transfer.IMPORT if path == "import" else Transfer.UPLOAD)
    refs = race(library, source, items, settings)
    [entry] = library.entries(items[0])
    assert {ref.entry_id for ref in refs if ref.entry_id} == {entry["id"]}
    came = ItemState.IMPORTING if path == "import" else ItemState.DONE
    assert [ref.state for ref in refs].count(came) == 1


def test_two_versions_whose_workers_die_in_the_same_moment_share_one_entry(library: Library) -> None:
    source = library.file()
    items = [library.item(source, validator=version) for version in ("1", "2")]
    settings = replace(library.settings, clock=Clock(), poll=0.05, backoff=0.1, grace=60, claim_timeout=4)
    assert [ref for ref in race(library, source, items, settings, mortal=True) if ref.state is ItemState.DONE] == []
    prepared = [(item, *library.prepare(item, claim_timeout=130)) for item in items]
    for item, ref in prepared:
        out = Outgoing(ref, lambda: nullcontext(source), item)
        send_items(library.client, library.uploader, [out], settings=library.settings)
    [entry] = library.entries(items[0])
    assert library.holds(entry["id"], source)


def test_an_import_of_another_size_is_reported(library: Library) -> None:
    item = library.item(library.file(), import_url="http://127.0.0.1:9/clip.mp4")
    [ref] = library.prepare(item, transfer=Transfer.IMPORT)
    library.sandbox.control.drive(str(ref.entry_id), "imported", size=77)
    [judged] = confirm_all(library.client, [ref], settings=library.settings)
    assert judged.error is not None
    assert judged.error.kind == "size_mismatch"


def test_a_failed_import_is_reported_and_made_anew_when_asked(library: Library) -> None:
    item = library.item(library.file(), import_url="http://127.0.0.1:9/clip.mp4")
    [ref] = library.prepare(item, transfer=Transfer.IMPORT)
    library.sandbox.control.drive(str(ref.entry_id), "import_failed")
    [failed] = library.prepare(item, transfer=Transfer.IMPORT)
    assert failed.error is not None
    assert failed.error.kind == "import_failed"
    [again] = library.prepare(item, transfer=Transfer.IMPORT, redo=frozenset({Redo.FAILED}))
    assert again.state is ItemState.IMPORTING
    assert again.entry_id != ref.entry_id
    assert len(library.entries(item)) == 1


def test_without_a_profile_the_entry_is_made_from_the_full_file(library: Library) -> None:
    source = library.file()
    item = library.item(source, metadata={"conversion_profile_id": -1})
    [ref] = library.prepare(item)
    assert (ref.state, ref.attached, ref.entry_id) == (ItemState.SEND, False, None)
    done = library.ingest(source, item)
    assert done.ref.state is ItemState.DONE
    [entry] = library.entries(item)
    assert entry["status"] == 4
    assert library.holds(entry["id"], source)
    assert library.ingest(source, item).ref.entry_id == entry["id"]


@pytest.mark.parametrize("kind", ["reply_lost", "error"])
def test_a_lost_reply_of_add_from_uploaded_file_makes_no_second_entry(library: Library, kind: str) -> None:
    source = library.file("notes.txt")
    item = library.item(source)
    library.sandbox.control.fault(kind, action="addFromUploadedFile", code="INTERNAL_SERVERL_ERROR")
    done = library.ingest(source, item)
    assert done.ref.state is ItemState.DONE, done.ref
    [entry] = library.entries(item)
    assert library.holds(entry["id"], source)


@pytest.mark.parametrize("adopt_by", list(AdoptBy))
def test_an_entry_of_others_is_taken_over_when_asked(library: Library, adopt_by: AdoptBy) -> None:
    theirs = {
        "objectType": "KalturaMediaEntry",
        "name": "Lecture 7",
        "mediaType": 1,
        "referenceId": "L-7",
        "adminTags": "old",
    }
    entry = library.client.call("media", "add", {"entry": theirs})
    source = library.file()
    item = library.item(source, metadata={"reference_id": "l-7", "name": "Lecture 7"})
    done = library.ingest(source, item, adopt_by=adopt_by)
    assert (done.ref.state, done.ref.entry_id) == (ItemState.DONE, entry["id"])
    tags = library.entries(item)[0]["adminTags"].split(",")
    assert {"old", "kai1:adopted", content_mark(item.content_id)} <= set(tags)
    assert "kai1" not in tags


def test_of_two_that_fit_a_person_must_choose(library: Library) -> None:
    for _ in range(2):
        theirs = {"objectType": "KalturaMediaEntry", "name": "Same", "mediaType": 1}
        library.client.call("media", "add", {"entry": theirs})
    item = library.item(library.file(), metadata={"name": "Same"})
    [ref] = library.prepare(item, adopt_by=AdoptBy.NAME)
    assert ref.error is not None
    assert "2 entries have the name 'Same'" in ref.error.message
    assert library.tokens(item) == []


def test_an_adopted_entry_with_content_is_never_emptied_or_sent_again(library: Library) -> None:
    other = library.file("other.mp4", size=1000)
    token = library.client.call(
        "uploadToken", "add", {"uploadToken": {"objectType": "KalturaUploadToken", "fileName": "x.mp4"}}
    )
    library.uploader.send(other, token["id"], attached=False)
    theirs = {"objectType": "KalturaMediaEntry", "name": "N", "mediaType": 1}
    entry = library.client.call("media", "addFromUploadedFile", {"mediaEntry": theirs, "uploadTokenId": token["id"]})
    item = library.item(library.file(), metadata={"name": "N"})
    [ref] = library.prepare(item, adopt_by=AdoptBy.NAME)
    assert (ref.state, ref.entry_id) == (ItemState.DONE, entry["id"])
    assert "has 1000 bytes, not 200000" in str(ref.note)
    assert library.holds(entry["id"], other)


@pytest.mark.parametrize("same_content", [True, False])
def test_racers_end_with_one_entry(library: Library, same_content: bool) -> None:
    """Workers that start in the same moment, also on two versions of one source."""
    for round_number in range(4):
        source = library.file(f"race{round_number}.mp4")
        items = [library.item(source, validator="v" if same_content else f"v{n % 2}") for n in range(4)]
        gate = threading.Barrier(len(items), timeout=30)
        refs: list[ItemRef] = []
        settings = IngestSettings(poll=0.05, backoff=0.2, grace=5, claim_timeout=1.0, clock=Clock())

        def race(item: Any, gate: Any = gate, refs: Any = refs, settings: Any = settings) -> None:
            with client_of(library.sandbox) as client:
                gate.wait()
                refs.extend(prepare(client, [item], settings=settings))

        threads = [threading.Thread(target=race, args=(item,)) for item in items]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refs) == len(items)
        [entry] = library.entries(items[0])
        assert {ref.entry_id for ref in refs if ref.entry_id} == {entry["id"]}
        assert any(ref.state is ItemState.SEND for ref in refs)
        assert len([token for token in library.tokens(items[0]) if token["status"] in (0, 1)]) == 1


def test_a_type_kaltura_refuses_is_written_down_and_not_tried_again(tmp_path: Path) -> None:
    with Sandbox(run_jobs=False, restrict_file_types=True) as sandbox, client_of(sandbox) as client:
        library = Library(sandbox, client, tmp_path, IngestSettings(clock=SandboxClock(sandbox)))
        source = library.file()
        first = library.ingest(source).ref
        assert first.error is not None
        assert (first.error.kind, first.error.retry_helps) == ("refused", False)
        [entry] = library.entries(first)
        assert entry["status"] == 7
        assert f"kai1:refused:{first.content_id}" in entry["adminTags"]
        changed = library.changes()
        again = library.ingest(source).ref
        assert again.error is not None
        assert again.error.kind == "refused"
        assert library.changes() == changed
        assert library.ingest(_png(library)).ref.state is ItemState.DONE


def _png(library: Library) -> Source:
    from kaltura_provider.upload.sources.file import open_file

    path = library.folder / "real.png"
    path.write_bytes(bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489") + b"\0" * 300)
    return open_file(path)
