"""``urls``: a list of addresses in the feed, usually with the run's date in each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from kaltura_provider.feeds.fields.types import SourceFields, Template, about, without_credentials
from kaltura_provider.feeds.sources.found import Found, FoundItem
from kaltura_provider.feeds.sources.probe import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.feeds.sources.found import Search
    from kaltura_provider.upload.sources.errors import SourceError

__all__ = ["Urls"]

_MAX_URLS = 10_000


def _as_urls(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _is_remote(value: str) -> str:
    text = value.strip()
    # A template at the beginning is checked after rendering.
    if text and not re.match(r"(https?|s3)://[^/\s]|\{[{%]", text):
        raise ValueError("is not an address; write https://host/file or s3://bucket/key")
    return text


class Urls(SourceFields):
    """The ``http(s)`` and ``s3`` addresses that the feed lists."""

    type: Annotated[Literal["urls"], about("`urls`")]
    urls: Annotated[
        list[Annotated[Template, AfterValidator(_is_remote), AfterValidator(without_credentials)]],
        Field(min_length=1, max_length=_MAX_URLS),
        BeforeValidator(_as_urls, json_schema_input_type=str | list[str]),
        about("Up to 10,000 addresses, each a Jinja template; one that renders to nothing is left out"),
    ]
    missing: Annotated[
        Literal["skip", "fail", "retry"],
        about(
            "What to do when an address leads nowhere (HTTP 404 or 410, no such key): `skip` names it and brings in "
            "the others; `fail` brings in the others and then fails the run; `retry` looks again as often as `retries` "
            "says, before anything is brought in, and then does as `fail` does"
        ),
    ] = "skip"

    @property
    def summary(self) -> str:
        """The source in one line of text."""
        from kaltura_provider.hooks.sources import shown_address

        more = f" and {len(self.urls) - 1} more" if len(self.urls) > 1 else ""
        return f"{shown_address(self.urls[0])}{more}"

    def find(self, search: Search) -> Found:
        """Return one item per address, in order and without repetitions.

        :raises SourceUnavailable: a file does not exist, and the feed says to retry.
        """
        from kaltura_provider.feeds.sources.probe import not_there_yet, probe_all

        urls = _each_once(self.urls)
        found = Found(f"of {len(urls)} addresses in the feed")
        gone: list[SourceError] = []
        for url, seen in zip(urls, probe_all(urls, search), strict=True):
            if seen.missing is not None:
                gone.append(seen.missing)
                if self.missing == "skip":
                    found.left_out[MISSING].append(str(seen.missing))
                    continue
                # The task of the item reads it again and fails with the reason.
            found.items.append(FoundItem(url, size=seen.size, etag=seen.etag))
        if gone and self.missing == "retry" and not search.last_try:
            raise not_there_yet(gone)
        return found


def _each_once(urls: Sequence[str]) -> list[str]:
    from kaltura_provider.feeds.fields.addresses import comparable_address

    seen: dict[str, str] = {}
    for url in urls:
        if url:
            seen.setdefault(comparable_address(url), url)
    return list(seen.values())
