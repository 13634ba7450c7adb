"""Upload tokens by themselves: made, listed however many there are, and shown in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.api.arguments import choose
from kaltura_provider.api.enums import UploadTokenStatus, parse_status
from kaltura_provider.api.errors import KalturaConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient

__all__ = ["add_token", "list_tokens", "shown_token"]

_NAME_LENGTH = 256
_PAGE = 500


def add_token(client: KalturaClient, file_name: str, size: int | None = None) -> dict[str, Any]:
    """Make an upload token for a file.

    :raises KalturaConfigurationError: the name is empty, a path, or longer than Kaltura keeps.
    """
    if not file_name.strip(" .") or "/" in file_name or len(file_name) > _NAME_LENGTH:
        raise KalturaConfigurationError(
            "file_name", file_name, "is no file name", f"give 1 to {_NAME_LENGTH} characters and no path"
        )
    token = {"objectType": "KalturaUploadToken", "fileName": file_name, "fileSize": size}
    return dict(client.call("uploadToken", "add", {"uploadToken": token}))


def shown_token(token: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ``KalturaUploadToken`` with its status by name and sizes as numbers, without what is not set."""
    status = parse_status(UploadTokenStatus, token["status"])
    shown = {
        "token_id": token["id"],
        "status": status.name.lower() if isinstance(status, UploadTokenStatus) else status,
        "file_name": token.get("fileName"),
        "file_size": _whole(token.get("fileSize")),
        "uploaded": _whole(token.get("uploadedFileSize")),
        "object_type": token.get("attachedObjectType"),
        "object_id": token.get("attachedObjectId"),
        "created_at": token.get("createdAt"),
    }
    return {name: value for name, value in shown.items() if value is not None}


def list_tokens(
    client: KalturaClient, statuses: Sequence[Any] = (), *, file_name: str | None = None, user_id: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield upload tokens, the oldest first; each once.

    Without ``statuses`` they are all asked for by number: a filter by name alone hides the closed ones.

    :raises KalturaConfigurationError: a status is unknown.
    """
    given = [statuses] if isinstance(statuses, (str, int)) else statuses
    chosen = [choose(UploadTokenStatus, status, "statuses") for status in given]
    wanted = {
        "statusIn": ",".join(str(int(status)) for status in chosen or UploadTokenStatus),
        "fileNameEqual": file_name or None,
        "userIdEqual": user_id or None,
        "orderBy": "+createdAt",
    }
    seen: set[str] = set()
    page = 1
    while True:
        pager = {"pageSize": _PAGE, "pageIndex": page}
        tokens = client.call("uploadToken", "list", {"filter": wanted, "pager": pager})["objects"]
        for token in tokens:
            if token["id"] not in seen:
                seen.add(token["id"])
                yield shown_token(token)
        if len(tokens) < _PAGE:
            return
        page += 1


def _whole(value: Any) -> int | None:
    return None if value in (None, "") else int(float(value))
