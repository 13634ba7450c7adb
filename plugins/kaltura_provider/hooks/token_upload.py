"""Upload a source to a token without an entry: a new one, one of an earlier attempt, or one given by the author."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.hooks.task_state import TaskMemory
    from kaltura_provider.upload.result import UploadResult
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["fill_own_token", "fill_token", "send_file"]

log = logging.getLogger(__name__)


def send_file(hook: KalturaHook, uri: str, *, aws_conn_id: str, http_conn_id: str | None) -> str:
    """Upload a source (``s3://``, ``https://``, ``file:///``) to a new upload token, and return the token's id.

    :raises SourceError: the source cannot be read, or is too large.
    :raises UploadError: the upload failed.
    """
    from kaltura_provider.hooks.sources import open_source
    from kaltura_provider.services.upload_token import add_token
    from kaltura_provider.upload.limits import check_size
    from kaltura_provider.upload.uploader import Uploader

    source = open_source(uri, aws_conn_id=aws_conn_id, http_conn_id=http_conn_id)
    try:
        uploader = Uploader(hook.get_conn(), observer=hook.observer)
        check_size(source, uploader.settings)
        token = add_token(hook.get_conn(), source.name, source.size).id
        uploader.send(source, token, attached=False, own=True)
    finally:
        source.close()
    return token


def fill_token(uploader: Uploader, source: Source, token_id: str, content: str, memory: TaskMemory) -> UploadResult:
    """Upload a source to the token that the author gave.

    :param content: the identity of the bytes.
    :param memory: the tokens of earlier attempts by content.
    :raises KalturaConfigurationError: the token does not exist, takes no more bytes, or holds other bytes.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.upload.errors import SizeMismatch, TokenGone

    if any(token == token_id and begun != content for begun, token in memory.ids.items()):
        raise KalturaConfigurationError(
            "token_id",
            token_id,
            f"already holds other bytes: {source.uri} has changed since an earlier attempt",
            "give a new token; otherwise this one would mix both contents",
        )
    memory.remember(content, token_id)
    try:
        return uploader.send(source, token_id, attached=False)
    except (TokenGone, SizeMismatch) as error:
        # The next attempt would get the same token.
        raise KalturaConfigurationError("token_id", token_id, "cannot be filled", error.message) from None


def fill_own_token(
    hook: KalturaHook, uploader: Uploader, source: Source, content: str, memory: TaskMemory
) -> UploadResult:
    """Upload a source to the token that an earlier attempt began with the same bytes, or to a new one.

    A token that can no longer be filled is replaced by a new one, once.

    :param content: the identity of the bytes.
    :param memory: the tokens of earlier attempts by content.
    """
    from kaltura_provider.services.upload_token import add_token
    from kaltura_provider.upload.errors import ChecksumMismatch, SizeMismatch, TokenGone

    begun = memory.ids.get(content)
    if begun and _is_used_up(hook, begun):
        # The task runs again after an entry took over the bytes of its token.
        log.info("The upload token %s of an earlier run is used up. Uploading to a new token.", begun)
        begun = None
    token_id = begun or add_token(hook.get_conn(), source.name, source.size).id
    memory.remember(content, token_id)
    try:
        return uploader.send(source, token_id, attached=False, own=True)
    except (TokenGone, SizeMismatch, ChecksumMismatch) as error:
        memory.forget(content)
        if error.permanent or begun is None:
            raise
        log.warning("%s. Uploading to a new token.", error)
        return fill_own_token(hook, uploader, source, content, memory)


def _is_used_up(hook: KalturaHook, token_id: str) -> bool:
    from kaltura_provider.api.errors import KalturaNotFoundError
    from kaltura_provider.services.upload_token import read_token

    try:
        return read_token(hook.get_conn(), token_id).used_up
    except KalturaNotFoundError:
        return True
