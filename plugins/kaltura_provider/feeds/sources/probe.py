"""Probes addresses before their items are planned: which of them exist, and which bytes they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaltura_provider.api.threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.feeds.sources.found import Search
    from kaltura_provider.upload.sources.errors import SourceError

__all__ = ["MISSING", "Probe", "not_there_yet", "probe_all"]

MISSING = "not found, missing: skip"
"""The reason why an item is left out whose address leads nowhere."""

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Probe:
    """What is at an address: its size in bytes and its validator, or why there is nothing.

    Neither is set if it exists and cannot be read. The task of the item reports what is wrong.
    """

    size: int | None = None
    etag: str = ""
    missing: SourceError | None = None


def probe_all(urls: Sequence[str], search: Search) -> list[Probe]:
    """Return what is at each address, in order. Opens several at a time."""
    return in_threads(lambda url: _probe(url, search), urls, workers=_AT_ONCE)


def _probe(url: str, search: Search) -> Probe:
    from kaltura_provider.hooks.sources import open_source
    from kaltura_provider.upload.sources.errors import SourceError, SourceNotFound

    try:
        source = open_source(url, aws_conn_id=search.aws_conn_id, http_conn_id=search.http_conn_id)
    except SourceNotFound as error:
        return Probe(missing=error)
    except SourceError:
        return Probe()
    try:
        return Probe(source.size, source.validator)
    finally:
        source.close()


def not_there_yet(gone: Sequence[SourceError]) -> SourceError:
    """Return the error that has Airflow try again, for addresses that lead nowhere."""
    from kaltura_provider.upload.sources.errors import SourceUnavailable

    more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
    return SourceUnavailable(gone[0].uri, f"{gone[0].message}{more}; trying again (missing: retry)")
