"""What can go wrong with a source, as one tree. Every message says what to do; none contains a signature.

SourceError                 uri, permanent
├── SourceUnavailable       the store or the network is in trouble; the same read may succeed later
├── SourceNotFound          there is no such object
├── SourceChanged           expected, found: it is no longer the object that was opened
├── SourceForbidden         the store refuses: credentials, permissions, a key, the region
├── SourceArchived          restoring: it is archived and has to be restored first
├── SourceEmpty             it has no bytes
├── SourceTooLarge          size, limit
├── SourceUnsized           its server does not say how many bytes it has
├── SourceNotMedia          it is a web page, a manifest or compressed
└── SourceRefused           this address may not be read
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
    "SourceNotFound",
    "SourceNotMedia",
    "SourceRefused",
    "SourceTooLarge",
    "SourceUnavailable",
    "SourceUnsized",
]


class SourceError(Exception):
    """Base of the errors of sources.

    ``uri`` can be printed. ``permanent`` says that the same source will fail the same way again.
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
    """The store or the network is in trouble; the same read may succeed later."""

    permanent = False


class SourceNotFound(SourceError):
    """There is no such object."""


class SourceChanged(SourceError):
    """The object is no longer the one that was opened; ``expected`` and ``found`` are its validators."""

    def __init__(self, uri: str, expected: str, found: str) -> None:
        super().__init__(
            uri, f"it changed while it was read: from {expected} to {found}. Start again with the new content"
        )
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self.expected, self.found)


class SourceForbidden(SourceError):
    """The store refuses to give the object out."""


class SourceArchived(SourceError):
    """The object is archived and has to be restored first; ``restoring`` says that this has begun."""

    def __init__(self, uri: str, message: str, restoring: bool = False) -> None:
        super().__init__(uri, message)
        self.restoring = restoring

    @property
    def permanent(self) -> bool:  # type: ignore[override]
        """Whether somebody has to act; a restore that has begun ends by itself."""
        return not self.restoring

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self.message, self.restoring)


class SourceEmpty(SourceError):
    """The object has no bytes. Kaltura would make an entry of it that stays broken."""

    def __init__(self, uri: str, message: str = "it is empty (0 bytes); Kaltura cannot take it") -> None:
        super().__init__(uri, message)


class SourceTooLarge(SourceError):
    """The object is larger than allowed; ``size`` and ``limit`` are bytes."""

    def __init__(self, uri: str, size: int, limit: int, whose: str) -> None:
        super().__init__(uri, f"it has {size} bytes, {whose} is {limit}")
        self.size = size
        self.limit = limit
        self.whose = whose

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self.size, self.limit, self.whose)


class SourceUnsized(SourceError):
    """The server does not say how many bytes the object has."""


class SourceNotMedia(SourceError):
    """The address leads to a web page, a manifest or compressed bytes, not to a media file."""


class SourceRefused(SourceError):
    """This address may not be read from here."""
