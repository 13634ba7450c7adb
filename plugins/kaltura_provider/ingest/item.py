"""What an ingest works on: a source item, the reference to its entry that steps pass on, and the reference's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self

from kaltura_provider.api.enums import EntryStatus, named_status
from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaError,
    KalturaSessionError,
    KalturaTransientError,
    KalturaTransportError,
)
from kaltura_provider.api.redaction import printable
from kaltura_provider.ingest.identity import claim_name, content_id, elder_item_id, item_id, token_file_name
from kaltura_provider.ingest.marks import MarkLostError
from kaltura_provider.services.entry.kind import Kind, kind_of
from kaltura_provider.services.entry.metadata import EntryMetadata
from kaltura_provider.upload.errors import UploadError
from kaltura_provider.upload.sources.errors import SourceArchived, SourceError, SourceForbidden, SourceRefused

__all__ = ["ITEM_ERRORS", "ItemError", "ItemRef", "ItemState", "SourceItem"]

ITEM_ERRORS = (SourceError, UploadError, KalturaError, MarkLostError)
"""Errors that stop the upload or confirmation of one item. The other items of a batch continue."""

# What is wrong is not the file: a permission is missing, or it has to be restored first.
_NO_ACCESS = (SourceForbidden, SourceRefused, SourceArchived)

_FORMER = {"asset": "item_id", "content": "content_id", "entry_status": "status_number"}
"""Names of fields in references of version 0.1.0, and what they are called today."""
_NOT_PASSED_ON = frozenset({"claimed_at", "metadata_digest"})


class ItemState(StrEnum):
    """How far an item has come."""

    SEND = "send"
    """Its bytes must be sent to the token."""
    SENT = "sent"
    """The token has its bytes; Kaltura is taking them over."""
    IMPORTING = "importing"
    """Kaltura is fetching its bytes."""
    REPLACING = "replacing"
    """Kaltura has its bytes, and will swap them for the entry's old content once they are converted."""
    DONE = "done"
    """The entry holds its bytes."""
    SKIPPED = "skipped"
    """Nothing was done; ``note`` says why."""
    FAILED = "failed"
    """It failed; ``error`` says why."""


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an item failed.

    ``kind`` is a stable word, ``code`` Kaltura's error code if Kaltura refused, and ``retry_helps`` says whether a
    retry can succeed. ``message`` is one printable line without secrets.
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
        if isinstance(error, SourceError):
            return cls("access" if isinstance(error, _NO_ACCESS) else "source", str(error), not error.permanent)
        if isinstance(error, UploadError):
            return cls("upload", str(error), not error.permanent)
        if isinstance(error, MarkLostError):
            return cls("mark_lost", str(error), retry_helps=True)
        return cls("invalid", str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceItem:
    """One source to ingest, and what its author says about the entry.

    :param uri: where the source is (``s3://``, ``https://``, ``file://``). Identifies the item unless ``identity`` is
        given.
    :param size: bytes.
    :param validator: what the store says identifies these bytes (ETag, version id, date).
    :param elder_validator: what earlier versions of this package took for ``validator``. Content that came in under it
        is recognised.
    :param name: file name; its extension tells the kind.
    :param address: the whole address, if ``uri``, which is stored and shown, leaves a part out.
    :param metadata_digest: tells ``metadata`` from other metadata of the same source; a new entry is marked with it.
    :param import_url: a URL that Kaltura can fetch the source from. It may be presigned: it is never logged or stored.
    :param item_id: which source this is; made from the address or ``identity``.
    :param content_id: which bytes it holds; made from item id, size and validator.
    :raises ValueError: a value cannot be ingested; the message names it.
    """

    uri: str
    size: int
    validator: str = ""
    elder_validator: str = ""
    name: str = ""
    address: str | None = field(default=None, repr=False)
    metadata: EntryMetadata = field(default_factory=EntryMetadata)
    metadata_digest: str = ""
    identity: str | None = None
    import_url: str | None = field(default=None, repr=False)
    import_headers: tuple[str, ...] = field(default=(), repr=False)
    item_id: str = field(init=False)
    content_id: str = field(init=False)
    kind: Kind = field(init=False)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.uri.split("?")[0].rstrip("/").rsplit("/", 1)[-1])
        if self.size < 1:
            raise ValueError(f"{self.uri} is empty ({self.size} bytes): Kaltura cannot convert an empty file")
        known = item_id(self.address or self.uri, self.identity)
        self._identify(known, content_id(known, self.size, self.validator))
        object.__setattr__(self, "kind", kind_of(self.name, self.metadata.media_type))

    @classmethod
    def of_ref(cls, ref: ItemRef) -> Self:
        """Return what a reference tells of its item: enough to repair the entry, not enough to make one."""
        item = cls(uri=ref.uri, size=ref.size, name=ref.name, metadata=EntryMetadata(media_type=ref.kind.value))
        item._identify(ref.item_id, ref.content_id)
        return item

    def _identify(self, item_id: str, content_id: str) -> None:
        object.__setattr__(self, "item_id", item_id)
        object.__setattr__(self, "content_id", content_id)

    def elder(self) -> Self | None:
        """Return the same item with the item id that formula ``kai1`` gave it; ``None`` if that is the same."""
        known = None if self.identity else elder_item_id(self.address or self.uri)
        if known is None:
            return None
        elder = replace(self)
        elder._identify(known, content_id(known, self.size, self.validator))
        return elder

    def elder_content(self) -> Self | None:
        """Return the same item with the content id of ``elder_validator``; ``None`` if that is the same."""
        if not self.elder_validator or self.elder_validator == self.validator:
            return None
        elder = replace(self)
        elder._identify(self.item_id, content_id(self.item_id, self.size, self.elder_validator))
        return elder

    @property
    def token_name(self) -> str:
        """File name of the token that claims this content, and then carries it."""
        return token_file_name(self.item_id, self.content_id, self.name)

    @property
    def claim_name(self) -> str:
        """File name of the token that claims this item and stays empty."""
        return claim_name(self.item_id)

    @property
    def file_token_name(self) -> str:
        """File name of the token that carries the bytes if the entry is made after the upload."""
        return token_file_name(self.item_id, self.content_id, self.name, filled_apart=True)

    @property
    def attaches_first(self) -> bool:
        """Whether the entry is made first and waits for its bytes; otherwise it is made once they are all there."""
        return self.kind.takes_pending_token and self.metadata.conversion_profile_id != -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRef:
    """What one step passes to the next about an item: small, and JSON in both directions.

    ``name`` is the file name. ``made`` says that this run made the entry. ``own`` says that the token comes from an
    earlier attempt of this very task, which may therefore continue the upload at once. ``attached`` says that the token
    already belongs to the entry.

    Two fields are not passed on: ``claimed_at`` says when this process added the token (monotonic), as long as nothing
    has been sent to it, and ``metadata_digest`` which metadata the entry was given, as of when it was last read.
    """

    uri: str
    name: str
    size: int
    item_id: str
    content_id: str
    state: ItemState
    kind: Kind = Kind.VIDEO
    entry_id: str | None = None
    token_id: str | None = None
    entry_status: int | str | None = None
    made: bool = False
    own: bool = False
    attached: bool = True
    claimed_at: float | None = field(default=None, repr=False, compare=False)
    metadata_digest: str | None = field(default=None, repr=False, compare=False)
    note: str | None = None
    error: ItemError | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", ItemState(self.state))
        object.__setattr__(self, "kind", Kind(self.kind))

    @classmethod
    def of(cls, item: SourceItem, state: ItemState, **values: Any) -> Self:
        """Build the reference of ``item``."""
        return cls(
            uri=item.uri, name=item.name, size=item.size, item_id=item.item_id, content_id=item.content_id,
            kind=item.kind, state=state, **values,
        )  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned, also in version 0.1.0 of this package. Unknown fields are ignored.

        :raises ValueError: a required field is missing.
        """
        known = {field.name for field in fields(cls)} - _NOT_PASSED_ON
        named = {_FORMER.get(name, name): value for name, value in values.items()}
        given = {name: value for name, value in named.items() if name in known}
        given["entry_status"] = named.get("status_number", named.get("status"))
        if isinstance(error := given.get("error"), Mapping):
            given["error"] = ItemError(**error)
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"this is not an item reference: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values without what is not set; the entry's status is ``status`` and ``status_number``."""
        values = asdict(self) | {"state": self.state.value, "kind": self.kind.value}
        status = named_status(EntryStatus, values.pop("entry_status"))
        given = {name: value for name, value in values.items() if value is not None and name not in _NOT_PASSED_ON}
        return given | status

    def to(self, state: ItemState, **values: Any) -> Self:
        """Return a copy in another state."""
        return replace(self, state=state, **values)

    def failed(self, error: ItemError, **values: Any) -> Self:
        """Return a copy that failed."""
        return replace(self, state=ItemState.FAILED, error=error, **values)

    @property
    def token_name(self) -> str:
        """File name of the token that claims this content."""
        return token_file_name(self.item_id, self.content_id, self.name)
