"""Find or claim: every asset of a list gets its one entry, and a token for its bytes where they are not in yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.api.observer import Observer
from kaltura_provider.ingest.claim import Claim
from kaltura_provider.ingest.ledger import Ledger
from kaltura_provider.ingest.model import ItemRef, ItemState
from kaltura_provider.ingest.read_back import with_notes
from kaltura_provider.ingest.recognition import recognised, with_known_content
from kaltura_provider.ingest.settings import IngestSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.ingest.entry_view import EntryView
    from kaltura_provider.ingest.model import SourceItem

__all__ = ["prepare"]

_LEFT = (ItemState.SKIPPED, ItemState.FAILED)


def prepare(
    client: KalturaClient,
    assets: Sequence[SourceItem],
    *,
    settings: IngestSettings | None = None,
    observer: Observer | None = None,
    known: Mapping[str, str] | None = None,
    on_ref: Callable[[ItemRef], None] | None = None,
) -> list[ItemRef]:
    """Return one reference per asset, in their order; an asset named twice is worked on once.

    One asset that fails is a reference in state ``failed``; it never stops the others. What is in already costs no call
    of its own.

    :param known: asset id to the token an earlier attempt of this very task took.
    :param on_ref: told of token and entry ids the moment they exist, to be kept for such a next attempt.
    :raises KalturaConfigurationError: the session cannot do this for any asset.
    :raises KalturaError: Kaltura could not be asked at all.
    """
    settings = (settings or IngestSettings()).of_one_run()
    ledger = Ledger(client, settings.clock)
    ledger.check_session()
    assets = recognised(ledger, assets)
    distinct = {asset.asset: asset for asset in assets}
    looked = ledger.entries_of(list(distinct)) if distinct else {}
    distinct = {key: with_known_content(asset, looked[key]) for key, asset in distinct.items()}
    done: dict[str, ItemRef] = {}
    waiting: list[Claim] = []
    for key, asset in distinct.items():
        surely_in = _surely_in(asset, looked[key], settings)
        if surely_in is not None:
            done[key] = surely_in
        else:
            token = (known or {}).get(key)
            waiting.append(Claim(asset, ledger, settings, observer or Observer(), known=token, on_ref=on_ref))
    in_before = frozenset(done)
    _clear_strays(ledger, [distinct[key] for key in done])
    first = dict(looked)
    while waiting:
        waiting = _round(waiting, first, done)
        if waiting:
            due = min(claim.not_before for claim in waiting) - settings.clock.monotonic()
            if due > 0:
                settings.clock.sleep(due)
    new = [
        (distinct[key], ref)
        for key, ref in done.items()
        if ref.made and ref.state not in _LEFT and key not in in_before
    ]
    if new:
        done |= {ref.asset: ref for ref in with_notes(client, new)}
    return [done[asset.asset] for asset in assets]


def _surely_in(asset: SourceItem, entries: Sequence[EntryView], settings: IngestSettings) -> ItemRef | None:
    """Return the reference of an asset whose verified content is in one live entry, beside which there is nothing."""
    present = [entry for entry in entries if not entry.deleted]
    if len(present) != 1:
        return None
    entry = present[0]
    if not entry.live or entry.content != asset.content or entry.pending or entry.status == EntryStatus.IMPORT:
        return None
    return ItemRef.of(
        asset, ItemState.DONE, entry_id=entry.id, entry_status=entry.status, made=entry.made_by(settings.run)
    )


def _clear_strays(ledger: Ledger, assets: Sequence[SourceItem]) -> None:
    """Delete full tokens that interrupted runs left of content that is in.

    They exist only where the bytes come before the entry: elsewhere a full token belongs to its entry. A token that is
    not full is left to housekeeping, since somebody may still be filling it.
    """
    names = [asset.file_token_name for asset in assets if not asset.attaches_first]
    if not names:
        return
    tokens, _ = ledger.tokens_of(names)
    for token in tokens:
        if token.unused:
            ledger.delete_token(token.id)


def _round(waiting: Sequence[Claim], first: dict[str, list[EntryView]], done: dict[str, ItemRef]) -> list[Claim]:
    """Take every claim that is due one step further; return those that are not done."""
    left = []
    for claim in waiting:
        key = claim.asset.asset
        if claim.due:
            ref = claim.step(first.pop(key, None))
            if ref is not None:
                done[key] = ref
                continue
        left.append(claim)
    return left
