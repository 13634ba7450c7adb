"""The patterns that select objects: shell patterns with ``{a,b}`` and ``**/``, which ignore case."""

from __future__ import annotations

import fnmatch
import posixpath
import re
import unicodedata
from functools import cache

__all__ = ["check_pattern", "matches", "split_patterns"]

_MAX_ALTERNATIVES = 256


def split_patterns(text: str) -> list[str]:
    """Split a line of patterns at its commas, except for commas inside braces."""
    parts, depth = [""], 0
    for character in text:
        depth = max(0, depth + (character == "{") - (character == "}"))
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def matches(path: str, pattern: str) -> bool:
    """Return whether a whole path, or its file name, matches a pattern.

    ``*`` matches any text including slashes, ``?`` one character, ``[a-z]`` one character of a range, ``{mp4,mov}``
    one of several texts, and ``**/`` zero or more folders.

    :raises ValueError: the braces of the pattern expand to more than 256 patterns.
    """
    path = _folded(path)
    matcher = _compiled(_folded(pattern))
    return bool(matcher.match(path) or matcher.match(posixpath.basename(path)))


def check_pattern(pattern: str) -> None:
    """Check a pattern.

    :raises ValueError: it opens alternatives that it does not close, or its braces expand to more than 256 patterns.
    """
    left = pattern.replace("[{]", "")
    while (found := _first_group(left)) is not None:
        left = left[: found[0]] + left[found[1] :]
    if "," in left.partition("{")[2]:
        raise ValueError("opens a brace that it does not close; add }, or write [{] for the character")
    _compiled(_folded(pattern))


def _folded(text: str) -> str:
    # The same name can use composed or combining characters. macOS uses the latter.
    return unicodedata.normalize("NFC", text).lower()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # In `fnmatch`, `*` also matches slashes, so `**/` is either that or nothing.
    alternatives = _expanded(pattern.replace("**/", "{**/,}"))
    return re.compile("|".join(fnmatch.translate(text) for text in alternatives))


def _expanded(pattern: str) -> list[str]:
    """Return all patterns that a pattern with braces expands to."""
    pending, done = [pattern], []
    while pending:
        text = pending.pop()
        found = _first_group(text)
        if found is None:
            done.append(text)
        else:
            start, end, options = found
            pending += [text[:start] + option + text[end:] for option in options]
        if len(pending) + len(done) > _MAX_ALTERNATIVES:
            raise ValueError(f"expands to more than {_MAX_ALTERNATIVES} patterns; use fewer braces")
    return done


def _first_group(text: str) -> tuple[int, int, list[str]] | None:
    """Return start, end and options of the first ``{a,b}``. Braces without a comma are ordinary characters."""
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
