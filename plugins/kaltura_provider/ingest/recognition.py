"""Assets that an earlier version of this package has begun or brought in under another identity keep that one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.ingest.identity import token_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.ingest.entry_view import EntryView
    from kaltura_provider.ingest.ledger import Ledger
    from kaltura_provider.ingest.model import SourceItem

__all__ = ["recognised", "with_known_content"]


def recognised(ledger: Ledger, assets: Sequence[SourceItem]) -> list[SourceItem]:
    """Return ``assets``, those with the identity of formula ``kai1`` for which the ledger shows an entry or a token.

    All further work on such an asset goes on under that identity, so that it has one entry whatever state it was left
    in. Most addresses have one identity under both formulas: for those this costs no call.

    :raises KalturaError: Kaltura could not be asked.
    """
    elders: dict[str, list[SourceItem]] = {}
    for asset in assets:
        if elder := asset.elder():
            elders.setdefault(asset.asset, []).append(elder)
    if not elders:
        return list(assets)
    every = list(dict.fromkeys(elder.asset for spellings in elders.values() for elder in spellings))
    entries = ledger.entries_of(every, thorough=True)
    known = {
        name: elder
        for name, spellings in elders.items()
        for elder in spellings
        if entries[elder.asset] or _begun(ledger, elder)
    }
    return [known.get(asset.asset, asset) for asset in assets]


def with_known_content(asset: SourceItem, entries: Iterable[EntryView]) -> SourceItem:
    """Return ``asset``, with the content identity of its elder validator where one of its entries has that."""
    elder = asset.elder_content()
    if elder is None:
        return asset
    for entry in entries:
        if elder.content in (entry.content, entry.pending, entry.importing) or entry.refused(elder.content):
            return elder
    return asset


def _begun(ledger: Ledger, asset: SourceItem) -> bool:
    """Whether there is a token with the asset's name, to an entry that searches may not show yet."""
    apart = token_file_name(asset.asset, asset.content, asset.name, filled_apart=True)
    return any(ledger.tokens(name)[0] for name in (asset.token_name, apart))
