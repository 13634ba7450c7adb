"""Errors of sources, as one tree. Messages say what to do and never contain a signature.

SourceError                 uri, permanent
├── SourceUnavailable       the store or the network failed; the same read may succeed later
├── SourceNotFound          the object does not exist
├── SourceChanged           expected, found: the object has changed since it was opened
├── SourceMismatch          expected, found: the object differs from what its publisher announced
├── SourceForbidden         the store refuses: credentials, permissions, a key, the region
├── SourceArchived          restoring: the object is archived and must be restored first
├── SourceEmpty             the object is empty
├── SourceTooLarge          size, limit
├── SourceUnsized           the server does not say how many bytes the object has
├── SourceNotMedia          the object is a web page, a manifest or compressed
└── SourceRefused           this address is not allowed
"""

from __future__ import annotations

from typing import Any, ClassVar

from kaltura_provider.api.redaction import printable

__all__ = [
    "SourceArchived",
    "SourceChanged",
    "SourceEmpty",
    "SourceError",
    "SourceForbidden",
    "SourceMismatch",
    "SourceNotFound",
    "SourceNotMedia",
    "SourceRefused",
    "SourceTooLarge",
    "SourceUnavailable",
    "SourceUnsized",
]


class SourceError(Exception):
    """Base class of the errors of sources.

    ``uri`` is safe to print. ``permanent`` means that a retry would fail in the same way.
    """

    permanent: ClassVar[bool] = True

    def __init__(self, uri: str, message: str) -> None:
        self.uri = printable(uri)
        self.message = printable(message)
        super().__init__(self.uri, self.message)

    def __str__(self) -> str:
        return f"{self.uri}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self.message)


class SourceUnavailable(SourceError):
    """The store or the network failed. The same read may succeed later."""

    permanent = False


class SourceNotFound(SourceError):
    """The object does not exist."""


class SourceChanged(SourceError):
    """The object has changed since it was opened. ``expected`` and ``found`` are its validators."""

    def __init__(self, uri: str, expected: str, found: str) -> None:
        super().__init__(
            uri, f"it changed from {expected} to {found} while it was read. Start again with the new content"
        )
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self.expected, self.found)


class SourceMismatch(SourceError):
    """The bytes of the object do not hash to what its publisher says. ``expected`` and ``found`` are digests."""

    def __init__(self, uri: str, expected: str, found: str) -> None:
        super().__init__(
            uri,
            f"its bytes hash to {found}, but its publisher says {expected}; have the publisher correct the file or the "
            "checksum",
        )
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self.expected, self.found)


class SourceForbidden(SourceError):
    """The store refuses access to the object."""


class SourceArchived(SourceError):
    """The object is archived and must be restored first. ``restoring`` means that this has begun."""

    def __init__(self, uri: str, message: str, restoring: bool = False) -> None:
        super().__init__(uri, message)
        self.restoring = restoring

    @property
    def permanent(self) -> bool:  # type: ignore[override]  # a plain attribute of the base
        """Whether somebody has to act. A restore that has begun needs no action."""
        return not self.restoring

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self.message, self.restoring)


class SourceEmpty(SourceError):
    """The object is empty. Kaltura would create an entry that stays broken."""

    def __init__(
        self,
        uri: str,
        message: str = "it is empty (0 bytes), which Kaltura cannot ingest; upload its content again, or leave it out",
    ) -> None:
        super().__init__(uri, message)


class SourceTooLarge(SourceError):
    """The object is larger than allowed; ``size`` and ``limit`` are bytes."""

    def __init__(self, uri: str, size: int, limit: int, whose: str) -> None:
        super().__init__(uri, f"it has {size} bytes, but {whose} is {limit} bytes")
        self.size = size
        self.limit = limit
        self.whose = whose

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self.size, self.limit, self.whose)


class SourceUnsized(SourceError):
    """The server does not say how many bytes the object has."""


class SourceNotMedia(SourceError):
    """The object is a web page, a manifest or compressed bytes, not a media file."""


class SourceRefused(SourceError):
    """This deployment does not allow reading from this address."""
