"""``rss``: the items of an RSS or Atom feed, with what Media RSS says about their media."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from kaltura_provider.feeds.fields.types import DocumentAddress, SourceFields, about
from kaltura_provider.feeds.sources.found import Found, FoundItem
from kaltura_provider.feeds.sources.probe import MISSING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from kaltura_provider.feeds.sources.found import Search
    from kaltura_provider.feeds.sources.probe import Probe
    from kaltura_provider.feeds.sources.rss_items import RssItem
    from kaltura_provider.feeds.state.known_document import KnownDocument
    from kaltura_provider.upload.sources.errors import SourceError

__all__ = ["BAD_ITEM", "NO_MEDIA", "OUTSIDE", "Rss"]

BAD_ITEM = "items that cannot be used"
NO_MEDIA = "items without media"
OUTSIDE = "published outside the interval"


class Rss(SourceFields):
    """What is new in an RSS, Atom or Media RSS feed."""

    remembers: ClassVar[bool] = True

    type: Annotated[Literal["rss"], about("`rss`")]
    uri: DocumentAddress
    rendition: Annotated[
        Literal["largest", "smallest", "default"],
        about(
            "Which file of an item with several becomes the entry: the `largest` or `smallest` by `fileSize`, else by "
            "pixels, else by bit rate; or the one that the feed calls its `default`"
        ),
    ] = "largest"
    flavors: Annotated[
        dict[Annotated[int, Field(ge=1, le=100_000)], Annotated[str, Field(min_length=1, max_length=200)]],
        Field(max_length=100),
        about(
            "Which other files of an item become renditions of its entry: the flavor (its system name, name or id in "
            "Kaltura) for each height in pixels, such as `{360: Mobile, 720: HD}`",
            advanced=True,
        ),
    ] = {}
    sidecars: Annotated[bool, about("Whether subtitles and thumbnails of an item are attached to its entry")] = True
    missing: Annotated[
        Literal["skip", "fail", "retry"],
        about(
            "What to do when the media of an item does not exist (HTTP 404 or 410): `skip` names it, and the next run "
            "looks again; `fail` brings in the others and then fails the run; `retry` looks again as often as "
            "`retries` says and then does as `fail` does"
        ),
    ] = "skip"

    @property
    def summary(self) -> str:
        """The source in one line of text."""
        from kaltura_provider.hooks.sources import shown_address

        return shown_address(self.uri)

    def find(self, search: Search) -> Found:
        """Return one item per item of the feed, in order. Items with errors are left out and reported with their line.

        :raises SourceError: the feed cannot be read.
        :raises ValueError: it is not a feed, or feedparser is not installed.
        """
        from kaltura_provider.feeds.sources.rss_items import read_items
        from kaltura_provider.hooks.sources import shown_address

        found = Found(f"in {shown_address(self.uri)}")
        content, document = self._read(search)
        if content is None:
            found.place += ", which has not changed since the last run"
            return found
        try:
            items = read_items(content, self.uri)
        except ValueError as error:
            raise ValueError(f"The feed {shown_address(self.uri)} cannot be read: {error}") from None
        wanted = _each_once(_within(items, search, found), found)
        gone = self._take(wanted, search, found)
        if gone and self.missing == "retry" and not search.last_try:
            from kaltura_provider.feeds.sources.probe import not_there_yet

            raise not_there_yet(gone)
        if search.interval is None and not found.left_out.get(MISSING):
            found.memory = document
        return found

    def _read(self, search: Search) -> tuple[bytes | None, KnownDocument]:
        """Return the document, or ``None`` if it is the one that an earlier run has brought in."""
        from kaltura_provider.feeds.sources.rss_items import MAX_BYTES
        from kaltura_provider.feeds.state.known_document import KnownDocument
        from kaltura_provider.hooks.sources import read_changed_document
        from kaltura_provider.upload.sources.http import Validators

        address = self._scope()
        known = search.memory if search.memory and search.memory.address == address else KnownDocument()
        content, now = read_changed_document(
            self.uri,
            MAX_BYTES,
            Validators(known.etag, known.last_modified),
            aws_conn_id=search.aws_conn_id,
            http_conn_id=search.http_conn_id,
        )
        return content, KnownDocument(address, now.etag, now.last_modified)

    def _scope(self) -> str:
        """Return the address of the feed without its query, within which the ids of its items are unique."""
        from kaltura_provider.feeds.fields.addresses import comparable_address

        uri = self.uri if self.uri.startswith(("s3://", "/", "file:")) else re.split(r"[?#]", self.uri)[0]
        return comparable_address(uri)

    def _take(self, items: list[RssItem], search: Search, found: Found) -> list[SourceError]:
        """Look at the media of the items and take what is there; return the errors of what is not."""
        from kaltura_provider.feeds.sources.probe import probe_all

        chosen = [item.rendition(self.rendition) for item in items]
        beside = [
            [*(item.sidecars if self.sidecars else ()), *item.renditions(media, self.flavors)]
            for item, media in zip(items, chosen, strict=True)
        ]
        files = [file for of_item in beside for file in of_item]
        seen = probe_all([one.url for one in chosen], search)
        places = [str(file["uri"]) for file in files]
        known = dict(zip(places, probe_all(places, search), strict=True))
        gone: list[SourceError] = []
        for item, media, state, of_item in zip(items, chosen, seen, beside, strict=True):
            found.warnings += item.warnings
            if state.missing is not None:
                gone.append(state.missing)
                if self.missing == "skip":
                    found.left_out[MISSING].append(f"line {item.line}: {state.missing}")
                    continue
            found.items.append(
                FoundItem(
                    media.url,
                    item.metadata,
                    state.size,
                    state.etag,
                    identity=f"{self._scope()} {item.guid}" if item.guid else "",
                    checksum=media.checksum,
                    sidecars=tuple(_with_content(file, known, state.etag) for file in of_item),
                )
            )
        return gone


def _with_content(file: dict[str, object], known: dict[str, Probe], source: str) -> dict[str, object]:
    """Return a sidecar file with what is known of its content.

    :param source: the ETag of the media.
    """
    seen = known[str(file["uri"])]
    if file["kind"] == "rendition":
        file = {**file, "of": source}
    return {**file, "size": seen.size, "etag": seen.etag} if seen.etag else file


def _within(items: Iterable[RssItem], search: Search, found: Found) -> list[RssItem]:
    """Return the items that can be used and, for a run of an interval, were published in it."""
    kept = []
    for item in items:
        name = f"line {item.line}: {item.title or item.guid or 'without a title'}"
        if item.problem:
            found.left_out[BAD_ITEM].append(f"line {item.line}: {item.problem}")
        elif not item.media:
            found.left_out[NO_MEDIA].append(name)
        elif _is_outside(item.published, search.interval):
            found.left_out[OUTSIDE].append(name)
        else:
            kept.append(item)
    return kept


def _is_outside(moment: dt.datetime | None, interval: tuple[dt.datetime, dt.datetime] | None) -> bool:
    """Tell whether an item is of another interval. One without a date belongs to each."""
    return interval is not None and moment is not None and not interval[0] <= moment < interval[1]


def _each_once(items: Iterable[RssItem], found: Found) -> list[RssItem]:
    """Leave out items that repeat the id of another, or a file of one that has none."""
    from kaltura_provider.feeds.fields.addresses import comparable_address

    lines: dict[tuple[str, str], int] = {}
    kept = []
    for item in items:
        names = [("the same file", comparable_address(media.url)) for media in item.media]
        names += [("the same guid", item.guid)] if item.guid else []
        same = next((name for name in names if name in lines), None)
        if same is not None:
            found.left_out[BAD_ITEM].append(f"line {item.line}: has {same[0]} as the item in line {lines[same]}")
            continue
        lines |= dict.fromkeys(names, item.line)
        kept.append(item)
    return kept
