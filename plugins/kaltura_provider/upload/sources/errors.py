"""What can go wrong with a source, as one tree; every message says what to do, and none carries a signature.

SourceError                 uri, permanent
├── SourceUnavailable       the store or the network is in trouble; the same read may succeed later
├── SourceNotFound          there is no such object
├── SourceChanged           expected, found: it is not the object any more that was opened
├── SourceForbidden         the store refuses: credentials, permissions, a key, the region
├── SourceArchived          it lies in an archive and has to be restored first
├── SourceEmpty             it has no bytes
├── SourceTooLarge          size, limit
├── SourceUnsized           its server does not say how long it is
├── SourceNotMedia          it is a web page or a manifest
└── SourceRefused           the address is not one that may be read
"""

from __future__ import annotations

from typing import Any, ClassVar

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
        super().__init__(uri, message)
        self.uri = uri
        self.message = message

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
    """The object is not the one any more that was opened; ``expected`` and ``found`` are its validators."""

    def __init__(self, uri: str, expected: str, found: str) -> None:
        super().__init__(
            uri, f"it changed while it was read: it was {expected}, it is {found}. Start again with the new one"
        )
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self.expected, self.found)


class SourceForbidden(SourceError):
    """The store refuses to give the object out."""


class SourceArchived(SourceError):
    """The object lies in an archive class of the store and has to be restored first."""


class SourceEmpty(SourceError):
    """The object has no bytes. Kaltura would make a broken entry of it for good."""

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
    """The server does not say how many bytes there are."""


class SourceNotMedia(SourceError):
    """What the address gives is a web page or a manifest, not a media file."""


class SourceRefused(SourceError):
    """The address is not one that may be read from here."""
