"""No pattern of the package takes a time that grows faster than the text: one long text must not keep a worker busy."""

from __future__ import annotations

import pkgutil
import re
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import kaltura_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH = 30_000
PIECES = [
    *"aZ0_-./:@%&={}[]\"'\\ \n\x00é😀", "a.", "a-", "a1", "{{", "{1:result", "%41", "://", "//u:", "error-", "djJ8",
    "eyJ", 'filename="', "bytes 1-", "0_a", ".en", "kai1-",
]  # fmt: skip


def patterns_in(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from patterns_in(tuple(value.values()))
    elif isinstance(value, (list, tuple, frozenset)):
        for item in value:
            yield from patterns_in(item)


def all_patterns() -> dict[str, re.Pattern[Any]]:
    found = {}
    for module in pkgutil.walk_packages(kaltura_provider.__path__, "kaltura_provider."):
        for name, value in vars(import_module(module.name)).items():
            for number, pattern in enumerate(patterns_in(value)):
                found[f"{module.name.removeprefix('kaltura_provider.')}.{name}[{number}]"] = pattern
    return found


PATTERNS = all_patterns()


def test_they_are_found() -> None:
    assert len(PATTERNS) > 30


@pytest.mark.parametrize("name", PATTERNS)
def test_a_long_text_is_searched_in_no_time(name: str) -> None:
    pattern = PATTERNS[name]
    for piece in PIECES:
        text: Any = piece * (LENGTH // len(piece))
        if isinstance(pattern.pattern, bytes):
            text = text.encode()
        started = time.process_time()
        for _ in pattern.finditer(text):
            pass
        pattern.fullmatch(text)
        # Linear ones take milliseconds, one that tries every pair of places takes minutes.
        assert time.process_time() - started < 0.7, piece
