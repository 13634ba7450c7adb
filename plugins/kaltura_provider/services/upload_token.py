"""Upload tokens (service ``uploadToken``): read, add and list them, and check whether one can become content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from kaltura_provider.api.arguments import choose
from kaltura_provider.api.enums import UploadTokenStatus, named_status, parse_status
from kaltura_provider.api.errors import KalturaConfigurationError, KalturaNotFoundError
from kaltura_provider.api.values import reading, whole_number
from kaltura_provider.services.flavor_asset import FlavorAsset
from kaltura_provider.services.paging import list_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = [
    "CannotAttachError",
    "UploadToken",
    "add_token",
    "became_asset",
    "became_entry",
    "check_usable",
    "list_tokens",
    "read_token",
]

_NAME_LENGTH = 256


@dataclass(frozen=True, slots=True)
class UploadToken:
    """A ``KalturaUploadToken``.

    ``file_size`` is the declared size. ``uploaded`` is what the server has without a gap, counted from the first byte;
    ``None`` before the first byte. Both are in bytes. Times are the server's, in seconds since 1970. ``status`` is
    ``None`` if the token does not exist.
    """

    id: str
    status: UploadTokenStatus | int | str | None
    file_name: str = ""
    file_size: int | None = None
    uploaded: int | None = None
    attached_type: str | None = None
    attached_id: str | None = None
    created_at: int = 0
    updated_at: int = 0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read Kaltura's object.

        :raises KalturaTransportError: it is not an upload token.
        """
        with reading("an upload token"):
            return cls(
                id=str(values["id"]),
                status=parse_status(UploadTokenStatus, values.get("status")),
                file_name=str(values.get("fileName") or ""),
                file_size=whole_number(values.get("fileSize")),
                uploaded=whole_number(values.get("uploadedFileSize")),
                attached_type=values.get("attachedObjectType") or None,
                attached_id=values.get("attachedObjectId") or None,
                created_at=whole_number(values.get("createdAt")) or 0,
                updated_at=whole_number(values.get("updatedAt")) or 0,
            )

    @property
    def attached(self) -> bool:
        """Whether it belongs to an object."""
        return self.attached_id is not None

    @property
    def open(self) -> bool:
        """Whether it accepts more bytes."""
        return self.status in (UploadTokenStatus.PENDING, UploadTokenStatus.PARTIAL_UPLOAD)

    @property
    def filled(self) -> bool:
        """Whether it has all its bytes. Its object may already have taken them over."""
        return self.status in (UploadTokenStatus.FULL_UPLOAD, UploadTokenStatus.CLOSED)

    @property
    def used_up(self) -> bool:
        """Whether its file has become the content of an object."""
        return self.status == UploadTokenStatus.CLOSED

    @property
    def status_name(self) -> str | int | None:
        """The status as people write it (``full_upload``); a number that has no name stays a number."""
        return self.status.name.lower() if isinstance(self.status, UploadTokenStatus) else self.status

    def shown(self) -> dict[str, Any]:
        """Return it as tasks show it: plain values, without what is not set."""
        values = {
            "token_id": self.id,
            **named_status(UploadTokenStatus, self.status),
            "file_name": self.file_name or None,
            "file_size": self.file_size,
            "uploaded": self.uploaded,
            "object_type": self.attached_type,
            "object_id": self.attached_id,
            "created_at": self.created_at or None,
        }
        return {name: value for name, value in values.items() if value is not None}


class CannotAttachError(Exception):
    """A token cannot be attached to an entry. The message says why and what to do."""

    permanent = True


def add_token(client: KalturaClient, file_name: str, size: int | None = None) -> UploadToken:
    """Add an upload token for a file.

    :raises KalturaConfigurationError: the name is empty, a path, or longer than Kaltura keeps.
    """
    if not file_name.strip(" .") or "/" in file_name or len(file_name) > _NAME_LENGTH:
        raise KalturaConfigurationError(
            "file_name", file_name, "is not a file name", f"give 1 to {_NAME_LENGTH} characters and no path"
        )
    token = {"objectType": "KalturaUploadToken", "fileName": file_name, "fileSize": size}
    return UploadToken.of(client.call("uploadToken", "add", {"uploadToken": token}))


def read_token(client: KalturaClient, token_id: str) -> UploadToken:
    """Return a token as Kaltura has it now.

    :raises KalturaError: the token does not exist, or Kaltura does not answer.
    """
    return UploadToken.of(client.call("uploadToken", "get", {"uploadTokenId": token_id}))


def list_tokens(
    client: KalturaClient, statuses: Sequence[Any] = (), *, file_name: str | None = None, user_id: str | None = None
) -> Iterator[UploadToken]:
    """Yield upload tokens, oldest first, each once.

    Without ``statuses``, every status is requested by number, because a filter by name alone hides closed tokens.

    :raises KalturaConfigurationError: a status is unknown.
    """
    given = [statuses] if isinstance(statuses, (str, int)) else statuses
    chosen = [choose(UploadTokenStatus, status, "statuses") for status in given]
    wanted = {
        "statusIn": ",".join(str(int(status)) for status in chosen or UploadTokenStatus),
        "fileNameEqual": file_name or None,
        "userIdEqual": user_id or None,
    }
    for values in list_all(client, "uploadToken", wanted):
        yield UploadToken.of(values)


def check_usable(token: UploadToken) -> None:
    """Check that a token can become the content of an object. Kaltura itself accepts any token.

    A used token makes an entry or asset wait forever. A token that belongs to another object is taken from it.

    :raises CannotAttachError: it is used up, or belongs to something else.
    """
    if not (token.open or token.status == UploadTokenStatus.FULL_UPLOAD):
        raise CannotAttachError(
            f"upload token {token.id} is used up (status {str(token.status_name).upper()}): its file is already the "
            "content of an entry. Upload the file to a new token"
        )
    if token.attached:
        raise CannotAttachError(
            f"upload token {token.id} already belongs to {token.attached_type or 'object'} {token.attached_id}; "
            "attaching it elsewhere would leave that without content forever. Use a new token"
        )


def became_entry(client: KalturaClient, token: UploadToken, entry_id: str) -> bool:
    """Return whether a token is or will be the content of an entry, because an earlier attempt attached it.

    A token that was full when it was attached names no object; then the sizes are compared.
    """
    owner = token.attached_id
    if owner == entry_id:
        return True
    if owner and token.attached_type == "flavorAsset":
        try:
            return bool(client.call("flavorAsset", "get", {"id": owner})["entryId"] == entry_id)
        except KalturaNotFoundError:
            return False
    if owner or not token.used_up:
        return False
    flavors = map(FlavorAsset.of, list_all(client, "flavorAsset", {"entryIdEqual": entry_id}))
    return any(flavor.original and token.uploaded == flavor.size for flavor in flavors)


def became_asset(token: UploadToken, asset_id: str, size: int | None) -> bool:
    """Return whether a token is or will be the content of a caption, thumbnail or attachment of ``size`` bytes."""
    return token.attached_id == asset_id if token.attached else token.used_up and token.uploaded == size
