"""Patterns that say which objects a feed takes: shell patterns with ``{a,b}`` and ``**/``, in any case of letters."""

from __future__ import annotations

import fnmatch
import posixpath
import re
import unicodedata
from functools import cache

__all__ = ["check_pattern", "fits", "split_patterns"]

_MOST_ALTERNATIVES = 256


def split_patterns(text: str) -> list[str]:
    """Split a line of patterns at its commas, except for those between braces."""
    parts, depth = [""], 0
    for character in text:
        depth = max(0, depth + (character == "{") - (character == "}"))
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def fits(path: str, pattern: str) -> bool:
    """Return whether a path fits a pattern, as a whole or by its file name alone.

    ``*`` stands for any text, slashes too, ``?`` for a character, ``[a-z]`` for one of a range, ``{mp4,mov}`` for one
    of several texts, and ``**/`` for any number of folders, none included.

    :raises ValueError: the braces of the pattern stand for more than 256 patterns.
    """
    path = _folded(path)
    matcher = _compiled(_folded(pattern))
    return bool(matcher.match(path) or matcher.match(posixpath.basename(path)))


def check_pattern(pattern: str) -> None:
    """Make sure that a pattern can be used.

    :raises ValueError: its braces stand for more than 256 patterns.
    """
    _compiled(_folded(pattern))


def _folded(text: str) -> str:
    # One name can be written with composed or with combining characters; macOS prefers the latter.
    return unicodedata.normalize("NFC", text).lower()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # `fnmatch` lets `*` stand for slashes too, so that `**/` is either that or nothing.
    alternatives = _expanded(pattern.replace("**/", "{**/,}"))
    return re.compile("|".join(fnmatch.translate(text) for text in alternatives))


def _expanded(pattern: str) -> list[str]:
    """Return the patterns that one with braces stands for."""
    pending, done = [pattern], []
    while pending:
        text = pending.pop()
        found = _first_group(text)
        if found is None:
            done.append(text)
        else:
            start, end, options = found
            pending += [text[:start] + option + text[end:] for option in options]
        if len(pending) + len(done) > _MOST_ALTERNATIVES:
            raise ValueError(f"its braces stand for more than {_MOST_ALTERNATIVES} patterns; write simpler ones")
    return done


def _first_group(text: str) -> tuple[int, int, list[str]] | None:
    """Return start, end and options of the first ``{a,b}``; braces without a comma are letters like any other."""
    for opening in re.finditer(r"\{", text):
        start = opening.start()
        options, depth = [""], 0
        for position in range(start, len(text)):
            character = text[position]
            depth += (character == "{") - (character == "}")
            if depth == 0:
                if len(options) > 1:
                    return start, position + 1, options
                break
            if character == "," and depth == 1:
                options.append("")
            elif position > start:
                options[-1] += character
    return None
