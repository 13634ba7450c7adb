"""Check and compare addresses that no DAG or feed author wrote: of forms, manifests and web feeds."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

from kaltura_provider.upload.sources.s3_address import bucket_and_key

__all__ = ["LONGEST_LINE", "address_problem", "comparable_address"]

LONGEST_LINE = 8192
"""The maximum length of a line; longer than any URL that servers accept."""

# Control characters, lone surrogates, line and paragraph separators. File names do contain no-break spaces.
_UNTYPABLE = ("Cc", "Cs", "Zl", "Zp")


def address_problem(line: str) -> str | None:
    """Return what is wrong with an address, or ``None``. This only looks at the text."""
    from kaltura_provider.hooks.local_files import folder_policy
    from kaltura_provider.hooks.sources import shown_address
    from kaltura_provider.upload.sources.errors import SourceRefused
    from kaltura_provider.upload.sources.folders import is_local

    if len(line) > LONGEST_LINE:
        return f"it has {len(line):,} characters; an address has at most {LONGEST_LINE:,}"
    if any(unicodedata.category(letter) in _UNTYPABLE for letter in line):
        return f"it contains a control character: '{shown_address(line)}'"
    if is_local(line):
        try:
            folder_policy().resolve(line)
        except SourceRefused as error:
            return f"{shown_address(line)}: {error.message}"
        return None
    try:
        parts = urlsplit(line)
        whole = bool(
            (parts.scheme in ("http", "https") and parts.hostname)
            or (line.startswith("s3://") and bucket_and_key(line)[0])
        )
    except ValueError:
        whole = False
    return None if whole else f"'{shown_address(line)}' is not an address"


def comparable_address(uri: str) -> str:
    """Return an address in the form in which addresses of the same source are equal."""
    from kaltura_provider.ingest.identity import canonical_uri

    try:
        return canonical_uri(uri)
    except ValueError:  # the task that opens it reports what is wrong
        return uri
