"""The two things that travel: an asset (a source and what its author says) and the reference to its entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self

from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaError,
    KalturaSessionError,
    KalturaTransientError,
    KalturaTransportError,
)
from kaltura_provider.api.redaction import printable
from kaltura_provider.ingest.identity import content_id, elder_item_id, item_id, token_file_name
from kaltura_provider.services.entry.kind import Kind, kind_of
from kaltura_provider.services.entry.metadata import EntryMetadata

__all__ = ["SourceItem", "ItemError", "ItemRef", "ItemState"]


class ItemState(StrEnum):
    """How far an asset has come."""

    SEND = "send"
    """Its bytes are to be sent to the token."""
    SENT = "sent"
    """Its bytes are in the token; Kaltura is taking them over."""
    IMPORTING = "importing"
    """Kaltura is fetching them itself."""
    REPLACING = "replacing"
    """They are in, and will take the place of the entry's old content when they are converted."""
    DONE = "done"
    """The entry holds these bytes."""
    SKIPPED = "skipped"
    """Left as it is, for the reason in ``note``."""
    FAILED = "failed"
    """See ``error``."""


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an asset failed: a stable ``kind``, Kaltura's ``code`` if it was Kaltura, and whether a retry can help.

    ``message`` can be printed: it is one line, without secrets.
    """

    kind: str
    message: str
    retry_helps: bool = False
    code: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", printable(self.message))

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Describe an exception."""
        if isinstance(error, KalturaAPIError):
            helps = isinstance(error, KalturaTransientError | KalturaSessionError)
            return cls("kaltura", str(error), helps, error.code)
        if isinstance(error, KalturaTransportError):
            return cls("transport", str(error), error.retry_helps)
        if isinstance(error, KalturaError):
            return cls("configuration", str(error))
        return cls("invalid", str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceItem:
    """One source to be ingested.

    :param uri: where it is (``s3://``, ``https://``, ``file://``); identifies it, unless ``identity`` does.
    :param size: bytes. :param validator: what its store says about these bytes (ETag, version id, date).
    :param elder_validator: what earlier versions of this package took for ``validator``: content that came in under it
        is recognised.
    :param name: file name; its extension tells the kind.
    :param address: what identifies it where ``uri``, which is stored and shown, is not all of the address.
    :param import_url: a URL Kaltura itself can fetch it from (may be presigned: never logged or stored).
    :raises ValueError: a value that cannot be ingested; the message names it.
    """

    uri: str
    size: int
    validator: str = ""
    elder_validator: str = ""
    name: str = ""
    address: str | None = field(default=None, repr=False)
    metadata: EntryMetadata = field(default_factory=EntryMetadata)
    identity: str | None = None
    import_url: str | None = field(default=None, repr=False)
    import_headers: tuple[str, ...] = field(default=(), repr=False)
    asset: str = field(init=False)
    content: str = field(init=False)
    kind: Kind = field(init=False)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.uri.split("?")[0].rstrip("/").rsplit("/", 1)[-1])
        if self.size < 1:
            raise ValueError(f"{self.uri} is empty ({self.size} bytes): Kaltura cannot convert an empty file")
        object.__setattr__(self, "asset", item_id(self.address or self.uri, self.identity))
        object.__setattr__(self, "content", content_id(self.asset, self.size, self.validator))
        object.__setattr__(self, "kind", kind_of(self.name, self.metadata.media_type))

    @classmethod
    def of_ref(cls, ref: ItemRef) -> Self:
        """Return what can be known of an asset from its reference: enough to mend its entry, not to make one."""
        asset = cls(uri=ref.uri, size=ref.size, name=ref.name, metadata=EntryMetadata(media_type=ref.kind.value))
        asset._identify(ref.asset, ref.content)
        return asset

    def _identify(self, asset: str, content: str) -> None:
        object.__setattr__(self, "asset", asset)
        object.__setattr__(self, "content", content)

    def elder(self) -> Self | None:
        """Return the same asset with the identity that formula ``kai1`` gave it; ``None`` where it has no other."""
        known = None if self.identity else elder_item_id(self.address or self.uri)
        if known is None:
            return None
        elder = replace(self)
        elder._identify(known, content_id(known, self.size, self.validator))
        return elder

    def elder_content(self) -> Self | None:
        """Return the same asset with the content identity of ``elder_validator``; ``None`` where it has no other."""
        if not self.elder_validator or self.elder_validator == self.validator:
            return None
        elder = replace(self)
        elder._identify(self.asset, content_id(self.asset, self.size, self.elder_validator))
        return elder

    @property
    def token_name(self) -> str:
        """File name of the token that claims this content."""
        return token_file_name(self.asset, self.content, self.name)

    @property
    def file_token_name(self) -> str:
        """File name of the token that carries the bytes of an entry that cannot wait for them."""
        return token_file_name(self.asset, self.content, self.name, filled_apart=True)

    @property
    def attaches_first(self) -> bool:
        """Whether the entry can wait for its bytes; else it is made when they are all there."""
        return self.kind.takes_pending_token and self.metadata.conversion_profile_id != -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRef:
    """What one step hands to the next: small, JSON-able both ways.

    ``made`` says the entry was made by this run, ``own`` that the token is that of an earlier attempt of this very
    task (so an unfinished upload to it is this task's and may be continued at once), ``attached`` that the token
    belongs to the entry already. ``name`` is the file's name.
    """

    uri: str
    name: str
    size: int
    asset: str
    content: str
    state: ItemState
    kind: Kind = Kind.VIDEO
    entry_id: str | None = None
    token_id: str | None = None
    entry_status: int | str | None = None
    made: bool = False
    own: bool = False
    attached: bool = True
    note: str | None = None
    error: ItemError | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", ItemState(self.state))
        object.__setattr__(self, "kind", Kind(self.kind))

    @classmethod
    def of(cls, asset: SourceItem, state: ItemState, **values: Any) -> Self:
        """Build the reference of ``asset``."""
        return cls(
            uri=asset.uri, name=asset.name, size=asset.size, asset=asset.asset, content=asset.content,
            kind=asset.kind, state=state, **values,
        )  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote; fields of a later version are ignored.

        :raises ValueError: a field that must be there is missing.
        """
        known = {item.name for item in fields(cls)}
        given = {name: value for name, value in values.items() if name in known}
        if isinstance(error := given.get("error"), Mapping):
            given["error"] = ItemError(**error)
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"this is no asset reference: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values without what is not set."""
        values = asdict(self) | {"state": self.state.value, "kind": self.kind.value}
        return {name: value for name, value in values.items() if value is not None}

    def to(self, state: ItemState, **values: Any) -> Self:
        """Return a copy in another state."""
        return replace(self, state=state, **values)

    def failed(self, error: ItemError, **values: Any) -> Self:
        """Return a copy that failed."""
        return replace(self, state=ItemState.FAILED, error=error, **values)

    @property
    def token_name(self) -> str:
        """File name of the token that claims this content."""
        return token_file_name(self.asset, self.content, self.name)
