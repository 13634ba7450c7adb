"""File name patterns of Kaltura's drop folders: a regular expression whose groups give metadata of the entry.

A pattern is what a drop folder has: with or without the delimiters and flags of PHP (``/.../i``), found anywhere in the
file name, with the groups ``referenceId``, ``userId`` and ``flavorName``. Names are matched in a process of its own,
which is ended after a time: no pattern can keep a worker busy for ever.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from kaltura_provider.api.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FLAVOR", "GROUPS", "check_match", "has_renditions", "match_names"]

FLAVOR = "flavor"
"""What ``flavorName`` gives: which rendition a file is."""

GROUPS = {"referenceId": "reference_id", "userId": "user_id", "flavorName": FLAVOR}
"""The groups of a pattern, and the fields that they give: those of the entry, and ``flavor``."""

_SECONDS = 30.0
_LONGEST = 1000
_DELIMITED = re.compile(r"([/#~!@%])(?P<pattern>.*)\1(?P<flags>[A-Za-z]*)", re.DOTALL)
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": re.NOFLAG, "D": re.NOFLAG}
_CHILD = """
import json, re, sys
pattern, flags, names = json.load(sys.stdin)
compiled = re.compile(pattern, flags)
for name in names:
    found = compiled.search(name)
    print(json.dumps(found and found.groupdict()), flush=True)
"""


def check_match(text: str) -> None:
    """Check a pattern.

    :raises ValueError: it is not a regular expression, has an unknown flag, has none of the groups, or has
        ``flavorName`` without ``referenceId``.
    """
    pattern, flags = _parts(text)
    try:
        compiled = re.compile(pattern, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression: {error}; see docs/feeds.md") from None
    if "flavorName" in compiled.groupindex and "referenceId" not in compiled.groupindex:
        raise ValueError(
            "has the group flavorName, and no group referenceId that says which files are the renditions of one item; "
            "add (?P<referenceId>...)"
        )
    if not GROUPS.keys() & compiled.groupindex.keys():
        raise ValueError(f"has none of the groups {' and '.join(GROUPS)}; write (?P<referenceId>...)")


def has_renditions(text: str | None) -> bool:
    """Tell whether a pattern makes one item of several media files."""
    return text is not None and "<flavorName>" in text


def _parts(text: str) -> tuple[str, int]:
    """Return a pattern in Python's spelling, and its flags.

    :raises ValueError: a flag is unknown, or the pattern is too long.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"has {len(text):,} characters; the limit is {_LONGEST:,}")
    flags = re.NOFLAG
    if delimited := _DELIMITED.fullmatch(text):
        text = delimited["pattern"]
        for flag in delimited["flags"]:
            if flag not in _FLAGS:
                raise ValueError(f"has the flag {flag}, which is not supported; use {', '.join(_FLAGS)}")
            flags |= _FLAGS[flag]
    # Other spellings of PHP for what Python has too.
    return re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", text).replace(r"\z", r"\Z"), int(flags)


def match_names(text: str, names: Sequence[str], *, seconds: float = _SECONDS) -> list[dict[str, str] | None]:
    """Return the fields of an entry that a pattern finds in each file name, or ``None`` if it does not match.

    :param seconds: how long matching may take altogether.
    :raises ValueError: it takes longer; names the file name that it did not get over.
    """
    if not names:
        return []
    pattern, flags = _parts(text)
    command = [sys.executable, "-I", "-S", "-c", _CHILD]
    try:
        done = subprocess.run(  # noqa: S603 the names are input, not part of the command
            command,
            input=json.dumps([pattern, flags, names]).encode(),
            capture_output=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        at = names[min((error.stdout or b"").count(b"\n"), len(names) - 1)]
        raise ValueError(
            f"source.match took more than {seconds:g} s and did not get over {printable(at)!r}; simplify nested "
            "repetitions such as (a+)+"
        ) from None
    return [_fields(json.loads(line)) for line in done.stdout.splitlines()]


def _fields(groups: dict[str, str | None] | None) -> dict[str, str] | None:
    if groups is None:
        return None
    return {field: value for group, field in GROUPS.items() if (value := groups.get(group))}
