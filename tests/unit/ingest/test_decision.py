"""Properties of the decision: whatever the ledger shows, content is never doubled, dropped or sent again unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from kaltura_provider.ingest.decision import (
    NEEDS_CLAIM,
    Act,
    Ending,
    Wanted,
    chosen_entry,
    clear_first,
    decide,
    decide_by_source,
)
from kaltura_provider.ingest.ledger import TokenView
from kaltura_provider.ingest.marks import EntryView
from kaltura_provider.ingest.settings import IfExists, IngestSettings, Redo
from kaltura_provider.services.flavor_asset import FlavorAsset

A, OURS, OTHER = "a" * 32, "c" * 32, "d" * 32
SUBJECT = Wanted(A, OURS, 100)
NOW = 1_800_000_000.0

MARKS = st.lists(
    st.sampled_from(
        [f"kai1:{kind}:{content}" for kind in ("c", "p", "i", "refused") for content in (OURS, OTHER)]
        + ["kai1:adopted", "someone's"]
    ),
    max_size=4,
    unique=True,
)
AGES = st.sampled_from([0, 60, 500, 86400, 30 * 86400])


@st.composite
def entries(draw: st.DrawFn) -> EntryView:
    return EntryView(
        id=draw(st.sampled_from(["0_e1", "0_e2", "0_e3"])),
        status=draw(st.sampled_from([-2, -1, 0, 1, 2, 3, 4, 7, "virusScan.Infected"])),
        admin_tags=("kai1", f"kai1:a:{A}", *draw(MARKS)),
        display_in_search=draw(st.sampled_from([1, 1, 1, -2])),
        created_at=int(NOW) - draw(AGES),
        updated_at=int(NOW) - draw(AGES),
        replacement=draw(st.sampled_from([0, 0, 1, 2, 3, 4])),
        replacing_entry_id=draw(st.sampled_from([None, None, "0_tmp"])),
    )


@st.composite
def tokens(draw: st.DrawFn) -> TokenView:
    return TokenView(
        id=draw(st.sampled_from(["0_t1", "0_t2"])),
        status=draw(st.integers(0, 3)),
        uploaded=draw(st.sampled_from([None, 50, 100])),
        attached_type="flavorAsset",
        attached_id="0_f",
        updated_at=int(NOW) - draw(AGES),
        entry_id=draw(st.sampled_from([None, "0_e1", "0_e2"])),
    )


LEDGER = (
    st.lists(entries(), max_size=3, unique_by=lambda entry: entry.id),
    st.lists(tokens(), max_size=2, unique_by=lambda token: token.id),
)
ANY_SETTINGS = st.builds(
    IngestSettings,
    if_exists=st.sampled_from(IfExists),
    redo=st.frozensets(st.sampled_from(Redo)),
)


@dataclass(frozen=True)
class Case:
    """What the ledger shows, what the author chose, and the decision."""

    seen: list[EntryView]
    named: list[TokenView]
    chosen: IngestSettings

    @property
    def decision(self) -> Ending:
        return decide(SUBJECT, self.seen, self.named, self.chosen, NOW)


def for_any_ledger(test: Callable[[Case], None]) -> Callable[[], None]:
    return settings(max_examples=400)(given(st.builds(Case, *LEDGER, ANY_SETTINGS))(test))


@for_any_ledger
def test_a_new_entry_is_made_only_when_there_is_none(case: Case) -> None:
    decision = case.decision
    if decision.act is Act.CREATE:
        assert all(entry.deleted for entry in case.seen)
        assert not case.seen or Redo.DELETED in case.chosen.redo


@for_any_ledger
def test_an_entry_is_dropped_only_when_it_holds_nothing_and_is_ours(case: Case) -> None:
    decision = case.decision
    if decision.act is Act.DROP_ENTRY:
        assert decision.entry is not None
        assert not decision.entry.adopted
        failed_import = decision.entry.status == -2 and decision.entry.importing and decision.entry.content_id is None
        assert decision.entry.waiting or (failed_import and Redo.FAILED in case.chosen.redo)


@for_any_ledger
def test_content_is_replaced_only_when_asked(case: Case) -> None:
    decision = case.decision
    if decision.act is Act.REPLACE:
        assert case.chosen.if_exists is IfExists.REPLACE
        assert decision.entry is not None
        assert decision.entry.content_id != OURS


@for_any_ledger
def test_done_says_the_mark_and_the_mark_is_written_only_for_counted_bytes(case: Case) -> None:
    decision = case.decision
    if decision.act is Act.DONE:
        assert decision.entry is not None
        assert (decision.entry.content_id, decision.entry.live) == (OURS, True)
    if decision.act is Act.MARK:
        assert decision.token is not None
        assert (decision.token.uploaded, decision.token.filled) == (100, True)


@for_any_ledger
def test_bytes_go_only_to_open_tokens_of_waiting_or_replaced_entries(case: Case) -> None:
    decision = case.decision
    if decision.act is Act.SEND:
        assert decision.token is not None
        assert decision.entry is not None
        assert decision.token.open
        assert decision.token.entry_id in (decision.entry.id, None)
        assert decision.entry.waiting or decision.entry.being_replaced
        assert NOW - decision.token.updated_at <= case.chosen.max_resume_age or decision.token.status == 0


@for_any_ledger
def test_nothing_is_claimed_while_an_attached_token_stands_in_the_way(case: Case) -> None:
    if case.named:
        assert clear_first(case.decision, case.named).act not in NEEDS_CLAIM


@given(*LEDGER, ANY_SETTINGS, st.randoms())
def test_everybody_who_looks_chooses_the_same_entry(
    seen: list[EntryView], named: list[TokenView], chosen: IngestSettings, chance: object
) -> None:
    shuffled = list(seen)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert chosen_entry(SUBJECT, seen, named) == chosen_entry(SUBJECT, shuffled, named)


def test_sizes_are_read_however_kaltura_writes_them() -> None:
    for written in (150000, "150000", 150000.0, "150000.0"):
        assert TokenView.of({"id": "t", "status": "1", "uploadedFileSize": written}).uploaded == 150000
        assert FlavorAsset.of({"id": "f", "status": 2, "sizeInBytes": written}).size == 150000
    assert TokenView.of({"id": "t", "status": 0}).uploaded is None
    assert EntryView.of({"id": "e", "status": "virusScan.Infected"}).live


def test_a_full_token_proves_more_than_the_mark_of_another_version() -> None:
    """Two versions that meet at one empty entry: the mark of one, the bytes of the other."""
    entry = EntryView("0_e1", 2, ("kai1", f"kai1:a:{A}", f"kai1:p:{OTHER}"))
    token = TokenView("0_t1", 3, uploaded=100, attached_type="flavorAsset", attached_id="0_f", entry_id="0_e1")
    assert decide(SUBJECT, [entry], [token], IngestSettings(), NOW).act is Act.MARK
    short = decide_by_source(
        SUBJECT, _pending(OURS), FlavorAsset(id="f", status=2, size=50, updated_at=int(NOW)), IngestSettings()
    )
    assert short.error is not None
    assert short.error.retry_helps


def _pending(content: str) -> EntryView:
    return EntryView("0_e1", 2, ("kai1", f"kai1:a:{A}", f"kai1:p:{content}"))
