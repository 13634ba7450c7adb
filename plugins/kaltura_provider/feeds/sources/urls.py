"""``urls``: addresses that the feed lists one by one, each with the run's date in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from kaltura_provider.feeds.fields import Strict, Template
from kaltura_provider.feeds.sources.found import Found, FoundItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.feeds.sources.found import Search
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.sources.errors import SourceError

__all__ = ["MISSING", "Urls"]

MISSING = "not there (missing: skip)"

_MOST = 10_000
_AT_ONCE = 8


def _as_urls(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _is_remote(value: str) -> str:
    text = value.strip()
    # What begins with a template is checked once it has been rendered.
    if text and not re.match(r"(https?|s3)://[^/\s]|\{[{%]", text):
        raise ValueError("is not an address; write https://host/file or s3://bucket/key")
    return text


class Urls(Strict):
    """Media at ``http(s)://`` and ``s3://`` addresses.

    Each of ``urls`` is a Jinja template: ``https://example.com/news/{{ data_interval_start | ds }}.mp4``. One that
    renders to nothing is left out. ``missing`` says what to do about one that leads nowhere (HTTP 404 and 410, no such
    key): ``skip`` names it and goes on; ``fail`` fails the run after the others are in; ``retry`` looks again as often
    as the feed's ``retries`` say, before anything is brought in, and then fails like ``fail``.
    """

    remembers: ClassVar[bool] = False

    type: Literal["urls"]
    urls: Annotated[
        list[Annotated[Template, AfterValidator(_is_remote)]],
        Field(min_length=1, max_length=_MOST),
        BeforeValidator(_as_urls),
    ]
    missing: Literal["skip", "fail", "retry"] = "skip"

    @property
    def summary(self) -> str:
        """What the source is, in one line."""
        from kaltura_provider.hooks.sources import printable

        more = f" and {len(self.urls) - 1} more" if len(self.urls) > 1 else ""
        return f"{printable(self.urls[0])}{more}"

    def find(self, search: Search) -> Found:
        """Return what is at the addresses, in their order and each once.

        :raises SourceUnavailable: one leads nowhere, and is to be looked for again.
        """
        urls = _each_once(self.urls)
        found = Found(f"of {len(urls)} addresses in the feed")
        gone: list[SourceError] = []
        for url, answer in zip(urls, _looked_at(urls, search), strict=True):
            if isinstance(answer, FoundItem):
                found.items.append(answer)
                continue
            gone.append(answer)
            if self.missing == "skip":
                found.left_out[MISSING].append(str(answer))
            else:
                # Prepare asks again, and says why it fails.
                found.items.append(FoundItem(url))
        if gone and self.missing == "retry" and not search.last_try:
            raise _not_there_yet(gone)
        return found


def _each_once(urls: Sequence[str]) -> list[str]:
    seen: dict[str, str] = {}
    for url in urls:
        if url:
            seen.setdefault(_identity(url), url)
    return list(seen.values())


def _identity(url: str) -> str:
    from kaltura_provider.ingest.identity import canonical_uri

    try:
        return canonical_uri(url)
    except ValueError:  # what is wrong with it is said by the task that opens it
        return url


def _looked_at(urls: Sequence[str], search: Search) -> list[FoundItem | SourceError]:
    """Return what is at each address, or that there is nothing."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda url: _look(url, search), urls))


def _look(url: str, search: Search) -> FoundItem | SourceError:
    from kaltura_provider.hooks.sources import open_source
    from kaltura_provider.upload.sources.errors import SourceError, SourceNotFound

    try:
        source: Source = open_source(url, aws_conn_id=search.aws_conn_id, http_conn_id=search.http_conn_id)
    except SourceNotFound as error:
        return error
    except SourceError:
        return FoundItem(url)  # there is something; prepare says what is wrong with it
    try:
        return FoundItem(url, size=source.size, etag=source.validator)
    finally:
        source.close()


def _not_there_yet(gone: Sequence[SourceError]) -> SourceError:
    from kaltura_provider.upload.sources.errors import SourceUnavailable

    more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
    return SourceUnavailable(gone[0].uri, f"{gone[0].message}{more}; looking again, as missing: retry says")
