"""Every ending of find, on a real socket: what the ledger shows and what comes of it."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import KalturaConfigurationError, KalturaNotFoundError
from kaltura_provider.ingest.confirmation import confirm_all, record_refusal
from kaltura_provider.ingest.item import ItemState
from kaltura_provider.ingest.marks import content_mark, metadata_mark, pending_mark
from kaltura_provider.ingest.preparation import prepare
from kaltura_provider.ingest.send import ingest
from kaltura_provider.ingest.settings import IngestSettings, Redo
from kaltura_provider.upload.uploader import Uploader
from kaltura_sandbox import Sandbox
from tests.integration.ingest.conftest import Library, SandboxClock, client_of

if TYPE_CHECKING:
    from pathlib import Path


def ready(library: Library, entry_id: str) -> None:
    """Let the entry become READY."""
    library.sandbox.control.set_entry(entry_id, status=2)


@pytest.mark.parametrize(("name", "status"), [("a.mp4", 1), ("a.mp3", 1), ("a.png", 2), ("a.pdf", 2), ("a.csv", 2)])
def test_every_kind_comes_in_whole_and_once(library: Library, name: str, status: int) -> None:
    source = library.file(name)
    item = library.item(source)
    done = library.ingest(source)
    assert done.ref.state is ItemState.DONE, done.ref
    assert done.ref.made
    [entry] = library.entries(item)
    assert entry["id"] == done.ref.entry_id
    assert entry["status"] == status
    assert content_mark(item.content_id) in entry["adminTags"]
    assert entry["referenceId"] == f"kai1-{item.item_id}"
    assert library.holds(entry["id"], source)


def test_a_second_run_costs_two_requests_for_the_whole_batch(library: Library) -> None:
    sources = [library.file(f"{n}.mp4", seed=n) for n in range(20)]
    items = [library.item(source) for source in sources]
    for source in sources:
        library.ingest(source)
    before, changed = library.calls(), library.changes()
    refs = library.prepare(*items, *items)
    assert [ref.state for ref in refs] == [ItemState.DONE] * 40
    assert library.calls() - before - 2 <= 2  # our own two looks at the counters
    assert library.changes() == changed


def test_ids_are_told_the_moment_they_exist(library: Library) -> None:
    source = library.file()
    told = []
    [ref] = prepare(
        library.client, [library.item(source)], settings=library.settings, observer=library.observer,
        on_ref=told.append,
    )  # fmt: skip
    assert library.observer.seen == [("token", ref.token_id), ("entry", ref.entry_id)]
    assert [(step.token_id, step.entry_id) for step in told] == [(ref.token_id, None), (ref.token_id, ref.entry_id)]


def test_an_unfinished_upload_is_gone_on_with(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    [first] = library.prepare(item)
    library.begin(source, first.token_id)
    [again] = library.prepare(item)
    assert (again.state, again.token_id, again.entry_id) == (ItemState.SEND, first.token_id, first.entry_id)
    assert (again.made, again.own) == (False, False)
    [own] = library.prepare(item, known={item.item_id: str(first.token_id)})
    assert (own.state, own.token_id, own.entry_id, own.own) == (ItemState.SEND, first.token_id, first.entry_id, True)
    assert len(library.entries(item)) == 1


@pytest.mark.parametrize("own", [True, False])
def test_a_token_without_bytes_of_somebody_else_is_exchanged(library: Library, own: bool) -> None:
    item = library.item(library.file())
    [first] = library.prepare(item)
    [again] = library.prepare(item, known={item.item_id: str(first.token_id)} if own else {})
    assert (again.state, again.entry_id) == (ItemState.SEND, first.entry_id)
    assert again.token_id != first.token_id
    assert [token["id"] for token in library.tokens(item)] == [again.token_id]


def test_a_crash_before_the_content_mark_is_caught_up(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    assert ref.token_id
    library.uploader.send(source, ref.token_id, attached=True)
    [after] = library.prepare(item)
    assert after.state is ItemState.DONE
    assert content_mark(item.content_id) in library.entries(item)[0]["adminTags"]


def test_also_when_the_token_is_gone_by_then(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    assert ref.token_id
    library.uploader.send(source, ref.token_id, attached=True)
    library.client.call("uploadToken", "delete", {"uploadTokenId": ref.token_id})
    [after] = library.prepare(item)
    assert after.state is ItemState.DONE
    assert content_mark(item.content_id) in library.entries(item)[0]["adminTags"]


def test_marks_leave_other_peoples_admin_tags_alone(library: Library) -> None:
    source = library.file()
    item = library.item(source, metadata={"admin_tags": ("from author",)})
    [ref] = library.prepare(item)
    entry = library.sandbox.control.entry(str(ref.entry_id))
    tags = {"objectType": "KalturaBaseEntry", "adminTags": entry["adminTags"] + ",Editor"}
    library.client.call("baseEntry", "update", {"entryId": ref.entry_id, "baseEntry": tags})
    done = library.ingest(source, item)
    assert done.ref.state is ItemState.DONE
    kept = library.entries(item)[0]["adminTags"].split(",")
    assert {"from author", "editor", content_mark(item.content_id)} <= set(kept)
    assert pending_mark(item.content_id) not in kept


def test_a_claim_of_somebody_else_is_waited_for_and_then_fenced(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    token = {"objectType": "KalturaUploadToken", "fileName": item.token_name}
    theirs = library.client.call("uploadToken", "add", {"uploadToken": token})["id"]
    [ref] = library.prepare(item)
    assert ref.state is ItemState.SEND
    assert library.settings.clock.slept >= 115  # type: ignore[attr-defined]
    assert ref.token_id != theirs
    assert [item["id"] for item in library.tokens(item)] == [ref.token_id]


def test_a_claim_of_this_tasks_earlier_attempt_is_fenced_at_once(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    token = {"objectType": "KalturaUploadToken", "fileName": item.token_name}
    mine = library.client.call("uploadToken", "add", {"uploadToken": token})["id"]
    [ref] = library.prepare(item, known={item.item_id: mine})
    assert ref.state is ItemState.SEND
    assert library.settings.clock.slept < 10  # type: ignore[attr-defined]


def test_a_claim_that_never_ends_makes_the_asset_fail_with_a_retry(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    other = library.item(library.file("other.mp4"))
    token = {"objectType": "KalturaUploadToken", "fileName": item.token_name}
    library.client.call("uploadToken", "add", {"uploadToken": token})
    refs = library.prepare(item, other, claim_timeout=30.0)
    assert refs[0].state is ItemState.FAILED
    assert refs[0].error is not None
    assert (refs[0].error.kind, refs[0].error.retry_helps) == ("busy", True)
    assert refs[1].state is ItemState.SEND


def test_an_empty_entry_of_ours_is_used(library: Library) -> None:
    """A request that broke off between media.add and addContent leaves one."""
    source = library.file()
    item = library.item(source)
    library.sandbox.control.fault("error", service="media", action="addContent", code="INTERNAL_SERVERL_ERROR")
    done = library.ingest(source)
    assert done.ref.state is ItemState.DONE
    assert len(library.entries(item)) == 1
    assert library.changes()["media.add"] == 1


@pytest.mark.parametrize("kind", ["reply_lost", "reset_before", "html_error"])
@pytest.mark.parametrize("call", ["media.add", "uploadToken.add", "baseEntry.update", "media.addContent"])
def test_lost_requests_and_replies_make_no_second_entry(library: Library, kind: str, call: str) -> None:
    source = library.file()
    service, action = call.split(".")
    library.sandbox.control.fault(kind, service=service, action=action)
    library.sandbox.control.fault(kind, service="multirequest", action="*", after=3)
    done = library.ingest(source)
    if done.ref.state is not ItemState.DONE:
        assert done.ref.error is not None
        assert done.ref.error.retry_helps
        done = library.ingest(source)
    assert done.ref.state is ItemState.DONE, done.ref
    [entry] = library.entries(done.ref)
    assert library.holds(entry["id"], source)


def test_further_empty_entries_are_deleted(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    done = library.ingest(source)
    for _ in range(2):
        stray = {
            "objectType": "KalturaMediaEntry",
            "name": "x",
            "mediaType": 1,
            "adminTags": f"kai1,kai1:a:{item.item_id}",
        }
        library.client.call("media", "add", {"entry": stray})
    assert len(library.entries(item)) == 3
    [ref] = library.prepare(item)
    assert (ref.state, ref.entry_id) == (ItemState.DONE, done.ref.entry_id)
    assert [entry["id"] for entry in library.entries(item)] == [done.ref.entry_id]


def test_what_was_deleted_on_purpose_stays_deleted_until_asked(library: Library) -> None:
    source = library.file()
    done = library.ingest(source)
    library.client.call("media", "delete", {"entryId": done.ref.entry_id})
    skipped = library.ingest(source)
    assert skipped.ref.state is ItemState.SKIPPED
    assert "deleted in Kaltura" in str(skipped.ref.note)
    assert library.entries(done.ref) == []
    again = library.ingest(source, redo=frozenset({Redo.DELETED}))
    assert again.ref.state is ItemState.DONE
    assert again.ref.entry_id != done.ref.entry_id
    [entry] = library.entries(done.ref)
    assert library.holds(entry["id"], source)


def test_what_was_recycled_counts_as_deleted(library: Library) -> None:
    source = library.file()
    done = library.ingest(source)
    ready(library, str(done.ref.entry_id))
    library.client.call("baseEntry", "recycle", {"entryId": done.ref.entry_id})
    skipped = library.ingest(source)
    assert skipped.ref.state is ItemState.SKIPPED
    assert skipped.ref.entry_id == done.ref.entry_id


def test_an_entry_emptied_by_us_does_not_count_as_deleted_on_purpose(library: Library) -> None:
    from kaltura_provider.ingest.ledger import Ledger
    from kaltura_provider.ingest.removal import discard_entry

    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    library.client.call("uploadToken", "delete", {"uploadTokenId": ref.token_id})
    assert discard_entry(Ledger(library.client, library.settings.clock), str(ref.entry_id), item.item_id)
    assert library.entries(item) == []
    assert library.ingest(source).ref.state is ItemState.DONE


def test_an_entry_that_lost_all_its_marks_is_found_by_its_reference_id(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    done = library.ingest(source)
    library.client.call("uploadToken", "delete", {"uploadTokenId": done.upload.token_id if done.upload else ""})
    library.sandbox.control.set_entry(str(done.ref.entry_id), adminTags="", status=2)
    again = library.ingest(source)
    assert (again.ref.state, again.ref.entry_id, again.upload) == (ItemState.DONE, done.ref.entry_id, None)
    assert len(library.sandbox.control.entries()) == 1
    assert content_mark(item.content_id) in library.entries(item)[0]["adminTags"]


def test_a_new_entry_says_from_the_start_which_metadata_it_was_given(library: Library) -> None:
    mark = metadata_mark("0-0123456789ab")
    begun, whole = (
        replace(library.item(library.file(name)), metadata_digest="0-0123456789ab") for name in ("b.mp4", "w.mp4")
    )
    [ref] = library.prepare(begun)
    assert mark in library.entries(begun)[0]["adminTags"].split(",")
    done = library.ingest(library.file("w.mp4"), whole)
    assert library.changes()["baseEntry.update"] == 1  # the content mark
    assert mark in library.entries(whole)[0]["adminTags"].split(",")
    assert (ref.metadata_digest, done.ref.metadata_digest) == ("0-0123456789ab", "0-0123456789ab")
    assert "metadata_digest" not in done.ref.to_dict()


def test_an_empty_entry_of_another_version_is_left_to_its_maker_for_a_time(library: Library) -> None:
    """Its maker may be about to delete it; a mark written at that moment would make it look deleted on purpose."""
    source = library.file()
    first, second = (library.item(source, validator=version) for version in ("1", "2"))
    [ref] = library.prepare(first)
    library.client.call("uploadToken", "delete", {"uploadTokenId": ref.token_id})
    assert isinstance(library.settings.clock, SandboxClock)
    slept = library.settings.clock.slept
    [taken] = library.prepare(second)
    assert (taken.state, taken.entry_id) == (ItemState.SEND, ref.entry_id)
    assert library.settings.clock.slept - slept >= library.settings.grace - 10


def test_an_empty_entry_that_another_worker_takes_away_is_no_failure(library: Library) -> None:
    from kaltura_provider.ingest.ledger import Ledger
    from kaltura_provider.ingest.removal import discard_entry

    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    library.client.call("uploadToken", "delete", {"uploadTokenId": ref.token_id})

    class Late(KalturaClient):
        """Is overtaken right before it marks the empty entry."""

        overtaken = False

        def call(self, service: str, action: str, *args: Any, **values: Any) -> Any:
            if action == "update" and not self.overtaken:
                self.overtaken = True
                discard_entry(Ledger(library.client, library.settings.clock), str(ref.entry_id), item.item_id)
            return super().call(service, action, *args, **values)

    credentials = Credentials(
        partner_id=library.sandbox.partner_id, auth=AuthMethod.SECRET, secret=library.sandbox.admin_secret
    )
    with Late(library.sandbox.service_url, credentials) as client:
        [done] = ingest(client, Uploader(client), [(item, lambda: source)], settings=library.settings)
        assert client.overtaken
    assert done.ref.state is ItemState.DONE, done.ref
    assert [entry["id"] for entry in library.entries(item)] == [done.ref.entry_id]


def test_a_first_chunk_of_a_dead_worker_cuts_nothing_off(tmp_path: Path) -> None:
    with Sandbox(run_jobs=False, final_time=1.0) as sandbox, client_of(sandbox) as client:
        library = Library(sandbox, client, tmp_path, IngestSettings(clock=SandboxClock(sandbox)))
        source = library.file()
        item = library.item(source)
        [ref] = library.prepare(item)

        class Resumed(KalturaClient):
            """Gets the late chunk of its predecessor while the server finishes the upload."""

            def send_file(self, service: str, action: str, params: Any, *args: Any, **values: Any) -> Any:
                if params["finalChunk"]:
                    threading.Timer(0.5, late_chunk).start()
                return super().send_file(service, action, params, *args, **values)

        def late_chunk() -> None:
            with suppress(KalturaNotFoundError):
                library.begin(source, ref.token_id)

        credentials = Credentials(partner_id=sandbox.partner_id, auth=AuthMethod.SECRET, secret=sandbox.admin_secret)
        with Resumed(sandbox.service_url, credentials) as resumed:
            uploader = Uploader(resumed, settings=library.uploader.settings)
            known = {item.item_id: str(ref.token_id)}
            [done] = ingest(resumed, uploader, [(item, lambda: source)], settings=library.settings, known=known)
        assert done.ref.state is ItemState.DONE, done.ref
        assert done.ref.entry_id == ref.entry_id
        assert library.holds(str(ref.entry_id), source)


def test_content_is_never_sent_again_because_kaltura_changed_it(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    done = library.ingest(source)
    library.client.call("uploadToken", "delete", {"uploadTokenId": done.upload.token_id if done.upload else ""})
    entry = library.entries(item)[0]
    bare = [tag for tag in entry["adminTags"].split(",") if ":c:" not in tag]
    library.sandbox.control.set_entry(entry["id"], adminTags=",".join(bare), status=2)
    flavor = library.sandbox.control.entry(entry["id"])["flavors"][0]["id"]
    library.client.call("flavorAsset", "delete", {"id": flavor})
    changed = library.changes()
    [ref] = library.prepare(item)
    assert ref.state is ItemState.DONE
    assert "no source flavor" in str(ref.note)
    assert library.changes() == changed


def test_a_refused_type_fails_at_once_until_asked(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    library.client.call("uploadToken", "delete", {"uploadTokenId": ref.token_id})
    failed = record_refusal(library.client, ref, settings=library.settings)
    assert failed.state is ItemState.FAILED
    changed = library.changes()
    again = library.ingest(source)
    assert again.ref.error is not None
    assert (again.ref.error.kind, again.ref.error.retry_helps) == ("refused", False)
    assert library.changes() == changed
    redone = library.ingest(source, redo=frozenset({Redo.REFUSED}))
    assert redone.ref.state is ItemState.DONE
    assert redone.ref.entry_id == ref.entry_id
    assert "refused" not in library.entries(item)[0]["adminTags"]


def test_a_lost_token_is_renewed_on_the_same_entry(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    library.client.call("uploadToken", "delete", {"uploadTokenId": ref.token_id})
    done = library.ingest(source, item)
    assert done.ref.state is ItemState.DONE
    assert done.ref.entry_id == ref.entry_id
    assert library.holds(str(ref.entry_id), source)


def test_confirm_renews_a_token_that_was_lost(library: Library) -> None:
    source = library.file()
    [ref] = library.prepare(library.item(source))
    library.client.call("uploadToken", "delete", {"uploadTokenId": ref.token_id})
    [mended] = confirm_all(library.client, [ref], settings=library.settings)
    assert mended.state is ItemState.SEND
    assert mended.entry_id == ref.entry_id
    assert mended.token_id not in (None, ref.token_id)


def test_confirm_does_not_take_a_part_for_the_whole(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    half = (library.folder / source.name).read_bytes()[:1000]
    short = library.folder / "short.mp4"
    short.write_bytes(half)
    from kaltura_provider.upload.sources.file import open_file

    library.uploader.send(open_file(short), str(ref.token_id), attached=True)
    [judged] = confirm_all(library.client, [ref], settings=library.settings)
    assert judged.state is ItemState.FAILED
    assert judged.error is not None
    assert judged.error.kind == "size_mismatch"
    assert "holds 1000 bytes, the source has 200000" in judged.error.message


def test_a_part_that_rested_for_a_week_is_sent_anew_to_the_same_entry(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    token = str(ref.token_id)
    week_ago = int(time.time()) - 8 * 86400
    library.sandbox.control.set_token(token, status=1, uploadedFileSize=10, updatedAt=week_ago)
    done = library.ingest(source, item)
    assert done.ref.state is ItemState.DONE
    assert done.ref.entry_id == ref.entry_id
    assert done.upload is not None
    assert done.upload.token_id != token


def test_an_entry_whose_token_was_stolen_is_made_anew(library: Library) -> None:
    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    thief = library.client.call(
        "media", "add", {"entry": {"objectType": "KalturaMediaEntry", "name": "t", "mediaType": 1}}
    )
    resource = {"objectType": "KalturaUploadedFileTokenResource", "token": ref.token_id}
    library.client.call("media", "addContent", {"entryId": thief["id"], "resource": resource})
    library.client.call("uploadToken", "delete", {"uploadTokenId": ref.token_id})
    assert library.sandbox.control.entry(str(ref.entry_id))["status"] == 0
    library.sandbox.control.advance_clock(200)
    done = library.ingest(source, item)
    assert done.ref.state is ItemState.DONE
    [entry] = library.entries(item)
    assert library.holds(entry["id"], source)


def test_a_user_session_is_refused_at_once(library: Library) -> None:
    with (
        client_of(library.sandbox, session_type=SessionType.USER, user_id="ann") as client,
        pytest.raises(KalturaConfigurationError, match="use an ADMIN session"),
    ):
        prepare(client, [library.item(library.file())], settings=library.settings)
    assert library.sandbox.control.entries() == []
    assert all(token["status"] == 5 for token in library.sandbox.control.tokens())


def test_entitlement_would_hide_the_library_so_such_a_session_is_refused(library: Library) -> None:
    with (
        client_of(library.sandbox, privileges="edit:*") as client,
        pytest.raises(KalturaConfigurationError, match="add disableentitlement"),
    ):
        prepare(client, [library.item(library.file())], settings=library.settings)


def test_a_given_ks_without_rights_is_refused(library: Library) -> None:
    ks = library.sandbox.ks("ann", admin=False, privileges="")
    with (
        client_of(library.sandbox, auth=AuthMethod.KS, secret=ks) as client,
        pytest.raises(KalturaConfigurationError, match="ADMIN"),
    ):
        prepare(client, [library.item(library.file())], settings=library.settings)


def test_one_bad_asset_stops_no_other(library: Library) -> None:
    good = [library.item(library.file(f"{n}.mp4")) for n in range(3)]
    bad = library.item(library.file("bad.mp4"), metadata={"conversion_profile_id": 999})
    refs = library.prepare(good[0], bad, *good[1:])
    assert [ref.state for ref in refs] == [ItemState.SEND, ItemState.FAILED, ItemState.SEND, ItemState.SEND]
    error = refs[1].error
    assert error is not None
    assert (error.code, error.retry_helps) == ("CONVERSION_PROFILE_ID_NOT_FOUND", False)
    assert library.tokens(bad) == []
    assert library.entries(bad) == []


def test_a_stolen_mark_in_the_search_index_does_not_hide_an_entry(library: Library) -> None:
    """With the index behind, the token leads to the entry."""
    source = library.file()
    item = library.item(source)
    [ref] = library.prepare(item)
    library.sandbox.control.set_lag(3600)
    other = library.item(library.file("late.mp4"))
    [late] = library.prepare(other)
    [again] = library.prepare(other)
    assert (again.state, again.entry_id) == (ItemState.SEND, late.entry_id)
    assert library.ingest(source, item).ref.entry_id == ref.entry_id
    assert len(library.entries(other)) == 1
