"""Whatever the ledger shows, what is decided step by step comes to an end: no state waits for nothing.

The world of the model does what Kaltura does: a full token becomes content, an import and a replacement end, a token
that is deleted empties the entry that waited for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kaltura_provider.ingest.decision import (
    Act,
    Ending,
    clear_first,
    decide,
    decide_by_source,
    decide_replaced,
    decide_replacing,
)
from kaltura_provider.ingest.ledger import TokenView
from kaltura_provider.ingest.marks import EntryView
from kaltura_provider.ingest.settings import IngestSettings
from kaltura_provider.services.flavor_asset import FlavorAsset
from tests.unit.ingest.test_decision import ANY_SETTINGS, LEDGER, NOW, OURS, SUBJECT, A

ENDS = {Act.DONE, Act.MARK, Act.SKIP, Act.FAIL}
STEPS = 40


@dataclass
class World:
    """What the ledger shows now, and what Kaltura does with what was asked of it."""

    entries: list[EntryView]
    tokens: list[TokenView]
    chosen: IngestSettings
    source: FlavorAsset | None
    temporary: EntryView | None
    now: float = NOW

    def ending(self) -> Ending:
        """Decide as the protocol does, further looks included."""
        ending = decide(SUBJECT, self.entries, self.tokens, self.chosen, self.now)
        entry = ending.entry
        if entry is not None and ending.act is Act.CHECK_SOURCE:
            ending = decide_by_source(SUBJECT, entry, self.source, self.chosen)
        elif entry is not None and ending.act is Act.REPLACING and not entry.being_replaced:
            ending = decide_replaced(SUBJECT, entry, ending.token, self.source)
        elif entry is not None and ending.act is Act.REPLACING and entry.replacing_entry_id and ending.token is None:
            ending = decide_replacing(entry, self.temporary, self.chosen, self.now)
        return clear_first(ending, self.tokens)

    def change(self, entry: EntryView, **values: object) -> None:
        changed = replace(entry, updated_at=int(self.now), **values)  # type: ignore[arg-type]
        self.entries = [changed if item.id == entry.id else item for item in self.entries]

    def attach(self, entry_id: str) -> None:
        self.tokens.append(
            TokenView(f"t{len(self.tokens)}-{self.now}", 0, attached_type="flavorAsset", attached_id="f",
                      updated_at=int(self.now), created_at=int(self.now), entry_id=entry_id)
        )  # fmt: skip

    def marked(self, entry: EntryView, *marks: str) -> tuple[str, ...]:
        return (
            "kai1",
            f"kai1:a:{A}",
            *(tag for tag in entry.admin_tags if ":refused:" in tag or "adopted" in tag),
            *marks,
        )

    def act(self, ending: Ending) -> None:
        """Do what was decided, as the claim does, and what Kaltura makes of it."""
        getattr(self, f"_{ending.act.name.lower()}")(ending.entry, ending.token)

    def _create(self, entry: None, token: None) -> None:
        tags = ("kai1", f"kai1:a:{A}", f"kai1:p:{OURS}")
        self.entries.append(EntryView("0_new", 0, tags, updated_at=int(self.now)))
        self.attach("0_new")

    def _reuse(self, entry: EntryView, token: None) -> None:
        self.change(entry, status=0, admin_tags=self.marked(entry, f"kai1:p:{OURS}"))
        self.attach(entry.id)

    def _replace(self, entry: EntryView, token: None) -> None:
        held = [f"kai1:c:{entry.content_id}"] if entry.content_id else []
        self.change(
            entry, replacing_entry_id="0_tmp", replacement=1, admin_tags=self.marked(entry, *held, f"kai1:p:{OURS}")
        )
        self.temporary = EntryView("0_tmp", 0, updated_at=int(self.now))
        self.attach(entry.id)

    def _send(self, entry: EntryView, token: TokenView) -> None:
        self.tokens = [replace(t, status=3, uploaded=100) if t.id == token.id else t for t in self.tokens]
        if entry.waiting:
            self.change(entry, status=1)

    _sent = _send

    def _importing(self, entry: EntryView, token: None) -> None:
        self.source = FlavorAsset("f", 1, size=100, updated_at=int(self.now))
        self.change(entry, status=1)

    def _replacing(self, entry: EntryView, token: TokenView | None) -> None:
        self.change(entry, replacing_entry_id=None, replacement=0)
        self.source = FlavorAsset("f", 2, size=100, updated_at=int(self.now))

    def _wait(self, entry: EntryView, token: TokenView | None) -> None:
        self.now += self.chosen.grace

    def _ask_other(self, entry: EntryView, token: None) -> None:
        if entry.importing:
            self.change(entry, status=-2)
        elif self.now - entry.updated_at < self.chosen.grace:
            self.now += self.chosen.grace
        else:
            self.entries = [item for item in self.entries if item.id != entry.id]

    def _drop_token(self, entry: EntryView | None, token: TokenView) -> None:
        self.tokens = [item for item in self.tokens if item.id != token.id]
        if entry and entry.waiting and token.entry_id == entry.id:
            self.change(entry, status=7)
        if entry and entry.being_replaced:
            self.temporary = EntryView("0_tmp", 7, updated_at=int(self.now))

    def _drop_entry(self, entry: EntryView, token: TokenView | None) -> None:
        self.entries = [item for item in self.entries if item.id != entry.id]
        self.tokens = [item for item in self.tokens if item.entry_id != entry.id]

    def _drop_replacement(self, entry: EntryView, token: None) -> None:
        self.change(entry, replacing_entry_id=None, replacement=0)


SOURCES = st.none() | st.builds(
    FlavorAsset,
    id=st.just("f"),
    status=st.sampled_from([1, 2, 4, 7, -1]),
    size=st.sampled_from([None, 0, 50, 100]),
    updated_at=st.sampled_from([0, int(NOW)]),
)
TEMPORARIES = st.none() | st.builds(
    EntryView, id=st.just("0_tmp"), status=st.sampled_from([-1, 0, 1, 2, 3, 7]), updated_at=st.just(int(NOW) - 500)
)


@settings(max_examples=500, deadline=None)
@given(*LEDGER, ANY_SETTINGS, SOURCES, TEMPORARIES)
def test_every_state_is_done_in_progress_or_has_a_way_forward(
    seen: list[EntryView],
    named: list[TokenView],
    chosen: IngestSettings,
    source: FlavorAsset | None,
    temporary: EntryView | None,
) -> None:
    world = World(list(seen), list(named), chosen, source, temporary)
    path = []
    for _ in range(STEPS):
        ending = world.ending()
        path.append(ending.act)
        if ending.act in ENDS:
            if ending.act is Act.FAIL:
                assert ending.error is not None
                assert ending.error.message
            return
        world.act(ending)
    raise AssertionError([str(act) for act in path])
