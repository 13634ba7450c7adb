"""Bytes that were damaged on their way from the store never become an entry's content, whoever tries again."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from kaltura_provider.ingest.item import ItemState
from kaltura_provider.upload.checksum import crc32c

if TYPE_CHECKING:
    from kaltura_provider.upload.sources.base import Source
    from tests.integration.ingest.conftest import Library


class Damaged:
    """A source that says what it holds, and gives something else of the same size."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.crc32c = crc32c(b"".join(source.read(0, source.size)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def read(self, offset: int, length: int, window: int = 65536) -> Generator[bytes, None, None]:
        for data in self._source.read(offset, length, window):
            yield bytes(len(data))


def test_a_later_try_does_not_finish_what_was_damaged(library: Library) -> None:
    source = library.file(size=500_000)
    first = library.ingest(Damaged(source))  # type: ignore[arg-type]
    assert first.ref.error is not None
    assert "were damaged on the way" in first.ref.error.message
    assert first.ref.error.retry_helps
    assert library.sandbox.control.entry(str(first.ref.entry_id))["status"] == 7
    again = library.ingest(source)
    assert (again.ref.state, again.ref.entry_id) == (ItemState.DONE, first.ref.entry_id)
    assert library.holds(str(again.ref.entry_id), source)
    assert len(library.entries(again.ref)) == 1
