"""The two identities of a source item, and the token names that carry them.

The *item id* says which source it is. It is a hash over scheme, bucket and key, or over the normal form of the URL
without the query fields that only sign it, or over the ``identity`` that the author gave. It stays the same when the
content changes.

The *content id* says which bytes the source holds. It is a hash over the item id, the size, and what the store says
identifies these bytes (ETag, version id, date).

Both are 32 hex digits. They are made by formula ``kai2``. The older formula ``kai1`` hashed URLs as they were written
and is otherwise the same. A URL that was written in its normal form therefore has one item id under both formulas; for
any other URL, :func:`elder_item_id` returns the id that ``kai1`` gave it. Marks and token names still begin with
``kai1``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from kaltura_provider.ingest.addresses import canonical_uri, kai1_uri
from kaltura_provider.services.entry.kind import extension_of

__all__ = [
    "FORMULA",
    "PREFIX",
    "TokenName",
    "canonical_uri",
    "content_id",
    "digest",
    "elder_item_id",
    "item_id",
    "parse_token_name",
    "reference_for",
    "token_file_name",
]

FORMULA = "kai2"
"""The formula that identities are made by. Receipts name it."""
PREFIX = "kai1"
"""The salt of every hash, and the beginning of every mark and token name."""

_ID = r"[0-9a-f]{32}"
_TOKEN_NAME = re.compile(
    rf"{PREFIX}-(?P<item>{_ID})-(?P<content>{_ID})(?P<file>-file)?\.(?P<extension>[a-z0-9]{{1,8}})"
)


def digest(*words: str) -> str:
    """Return the salted hash of ``words``: 32 hex digits."""
    return hashlib.sha256("\n".join((PREFIX, *words)).encode()).hexdigest()[:32]


def item_id(uri: str, identity: str | None = None) -> str:
    """Return the item id of ``uri``, or of the author's own ``identity`` if there is one: 32 hex digits.

    :raises ValueError: no identity is given and ``uri`` is not an address.
    """
    if identity:
        return digest("identity", identity)
    return digest("asset", canonical_uri(uri))


def elder_item_id(uri: str) -> str | None:
    """Return the item id that formula ``kai1`` gave ``uri``; ``None`` if it is the same.

    :raises ValueError: as :func:`item_id`.
    """
    elder = kai1_uri(uri)
    return None if elder == canonical_uri(uri) else digest("asset", elder)


def content_id(item_id: str, size: int, validator: str) -> str:
    """Return the content id of ``size`` bytes that their store identifies by ``validator`` (ETag, version id, date)."""
    plain = validator.strip().removeprefix("W/").strip('"')
    return digest("content", item_id, str(size), plain)


def token_file_name(item_id: str, content_id: str, file_name: str, *, filled_apart: bool = False) -> str:
    """Return the file name of the upload token that claims this content: at most 100 characters of ``[a-z0-9.-]``.

    The extension is that of ``file_name`` if it is a known one, else ``bin``. ``filled_apart`` gives the name of the
    token that carries the bytes of an entry that is made after its upload; the claim itself stays empty then.
    """
    suffix = "-file" if filled_apart else ""
    return f"{PREFIX}-{item_id}-{content_id}{suffix}.{extension_of(file_name) or 'bin'}"


@dataclass(frozen=True, slots=True)
class TokenName:
    """What the file name of a token of ours says."""

    item_id: str
    content_id: str
    filled_apart: bool


def parse_token_name(file_name: str) -> TokenName | None:
    """Read the file name of a token; ``None`` if the token is not ours."""
    found = _TOKEN_NAME.fullmatch(file_name)
    return TokenName(found["item"], found["content"], bool(found["file"])) if found else None


def reference_for(item_id: str) -> str:
    """Return the ``referenceId`` of an entry whose author gave none."""
    return f"{PREFIX}-{item_id}"
