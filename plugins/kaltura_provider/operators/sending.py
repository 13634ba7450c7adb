"""Small files on their way to Kaltura: a source of any address is sent to an upload token of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaltura_provider.hooks.kaltura import KalturaHook

__all__ = ["send_file"]


def send_file(hook: KalturaHook, uri: str, *, aws_conn_id: str, http_conn_id: str | None) -> str:
    """Send a source (``s3://``, ``https://``, ``file:///``) to a new upload token, and return the token's id.

    :raises SourceError: it cannot be read. :raises UploadError: the upload stopped.
    """
    from kaltura_provider.hooks.sources import open_source
    from kaltura_provider.ingest.tokens import add_token
    from kaltura_provider.upload import Uploader

    source = open_source(uri, aws_conn_id=aws_conn_id, http_conn_id=http_conn_id)
    try:
        token = str(add_token(hook.get_conn(), source.name, source.size)["id"])
        Uploader(hook.get_conn(), observer=hook.observer).send(source, token, attached=False, own=True)
    finally:
        source.close()
    return token
