"""Two identities: what an asset is, and which bytes it holds; and the names and marks that carry them.

Formula ``kai2``. An asset id is a hash over scheme, bucket and key, or over the normal form of the URL without the
query fields that only sign it, or over the author's own identity; it does not change when the content does. A content
id is a hash over the asset id, the size and what the store says identifies these bytes (ETag, version id). Both are 32
hex digits.

Formula ``kai1`` hashed URLs as they were written. All else is the same, so that an address which was written in the
normal form has one identity under both, and marks and token names go on to begin with ``kai1``. For any other address
:func:`elder_item_id` is what ``kai1`` made of it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from kaltura_provider.ingest.addresses import canonical_uri, kai1_uri
from kaltura_provider.services.entry.kind import extension_of

__all__ = [
    "ADOPTED_MARK",
    "FORMULA",
    "MADE_MARK",
    "PREFIX",
    "TokenName",
    "item_id",
    "item_mark",
    "canonical_uri",
    "content_id",
    "content_mark",
    "elder_item_id",
    "import_mark",
    "parse_token_name",
    "pending_mark",
    "reference_for",
    "refused_mark",
    "released_mark",
    "run_mark",
    "token_file_name",
]

FORMULA = "kai2"
"""How identities are made, as receipts say it."""
PREFIX = "kai1"
"""What every hash is salted with, and every mark and token name begins with."""
MADE_MARK = PREFIX
"""On every entry this package made: what housekeeping searches for."""
ADOPTED_MARK = f"{PREFIX}:adopted"
"""On entries that were there before and were taken over: never deleted by this package."""

_ID = r"[0-9a-f]{32}"
_TOKEN_NAME = re.compile(
    rf"{PREFIX}-(?P<asset>{_ID})-(?P<content>{_ID})(?P<file>-file)?\.(?P<extension>[a-z0-9]{{1,8}})"
)


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join((PREFIX, *words)).encode()).hexdigest()[:32]


def item_id(uri: str, identity: str | None = None) -> str:
    """Return the asset id of ``uri``, or of the author's own ``identity`` when there is one: 32 hex digits.

    :raises ValueError: no identity is given and ``uri`` is no address.
    """
    if identity:
        return _digest("identity", identity)
    return _digest("asset", canonical_uri(uri))


def elder_item_id(uri: str) -> str | None:
    """Return the asset id that formula ``kai1`` gave ``uri``, ``None`` where it is the same.

    :raises ValueError: as :func:`item_id`.
    """
    elder = kai1_uri(uri)
    return None if elder == canonical_uri(uri) else _digest("asset", elder)


def content_id(asset: str, size: int, validator: str) -> str:
    """Return the content id of ``size`` bytes known to their store by ``validator`` (ETag, version id, date)."""
    plain = validator.strip().removeprefix("W/").strip('"')
    return _digest("content", asset, str(size), plain)


def token_file_name(asset: str, content: str, file_name: str, *, filled_apart: bool = False) -> str:
    """Return the file name of the upload token that claims this content: at most 100 of ``[a-z0-9.-]``.

    The extension is that of ``file_name`` when it is a known one, else ``bin``. With ``filled_apart`` it is the name
    of the token that carries the bytes where the claim itself must stay empty.
    """
    suffix = "-file" if filled_apart else ""
    return f"{PREFIX}-{asset}-{content}{suffix}.{extension_of(file_name) or 'bin'}"


@dataclass(frozen=True, slots=True)
class TokenName:
    """What a token's file name says."""

    asset: str
    content: str
    filled_apart: bool


def parse_token_name(file_name: str) -> TokenName | None:
    """Read a token's file name; ``None`` when the token is not ours."""
    found = _TOKEN_NAME.fullmatch(file_name)
    return TokenName(found["asset"], found["content"], bool(found["file"])) if found else None


def item_mark(asset: str) -> str:
    """Return the adminTag that says which asset an entry is."""
    return f"{PREFIX}:a:{asset}"


def content_mark(content: str) -> str:
    """Return the adminTag that says which verified bytes an entry holds."""
    return f"{PREFIX}:c:{content}"


def pending_mark(content: str) -> str:
    """Return the adminTag that says which bytes an entry was prepared for, while they are on their way."""
    return f"{PREFIX}:p:{content}"


def import_mark(content: str) -> str:
    """Return the adminTag that says which bytes the server itself was told to fetch."""
    return f"{PREFIX}:i:{content}"


def refused_mark(content: str) -> str:
    """Return the adminTag that says Kaltura refused the type of these bytes."""
    return f"{PREFIX}:refused:{content}"


def released_mark(asset: str) -> str:
    """Return the adminTag of an empty entry that is no asset's any more and about to be deleted.

    It keeps such an entry apart from one that somebody deleted on purpose.
    """
    return f"{PREFIX}:x:{asset}"


def run_mark(run: str) -> str:
    """Return the adminTag that says which run gave an entry its first content; ``run`` may be any text."""
    return f"{PREFIX}:r:{_digest('run', run)[:12]}"


def reference_for(asset: str) -> str:
    """Return the ``referenceId`` of an entry whose author gave none."""
    return f"{PREFIX}-{asset}"
