"""Adds, lists, reads and deletes attachments: files that belong to an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.operators.asset_bases import (
    AddFileOperator,
    DeleteAssetOperator,
    GetAssetOperator,
    GetAssetUrlOperator,
    ListAssetsOperator,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = [
    "KalturaAddAttachmentOperator",
    "KalturaDeleteAttachmentOperator",
    "KalturaGetAttachmentOperator",
    "KalturaGetAttachmentUrlOperator",
    "KalturaListAttachmentsOperator",
]


class KalturaAddAttachmentOperator(AddFileOperator):
    """Add a file to an entry as an attachment (``attachment_attachmentAsset.add``, ``setContent``).

    An existing attachment of the same file name gets the new content, so running it twice adds one.

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :param source: the file to upload: ``s3://bucket/key``, ``https://...``, ``file:///path``.
    :param token_id: or an upload token, full or not yet filled: its id, or the result of an operator that has one.
    :param url: or a URL that Kaltura fetches itself.
    :param url_headers: for ``url``, headers of Kaltura's request: a mapping, or lines ``Name: value``.
    :param text: or the content itself.
    :param file_name: the attachment's file name. Default: that of the file.
    :param title: the attachment's title. Default: the file name.
    :param format: ``text``, ``media``, ``document``, ``json``, ``markdown`` or the number. Default: decided by the
        extension.
    :param aws_conn_id: the Airflow connection for a ``source`` in S3.
    :param http_conn_id: the Airflow HTTP connection for an ``http(s)`` ``source``.
    :return: the attachment, as ``KalturaListAttachmentsOperator`` describes it.
    :raises AirflowFailException: an argument is not allowed, or Kaltura refuses.
    """

    asset_kind = "attachment"
    template_fields: Sequence[str] = (*AddFileOperator.template_fields, "title", "format")

    def __init__(self, *, title: str | None = None, format: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.title = title
        self.format = format

    def wanted(self) -> dict[str, Any]:
        """Return the attachment to create."""
        from kaltura_provider.services.attachment_asset import attachment_object

        return attachment_object(self.name, title=self.title, format=self.format)


class KalturaListAttachmentsOperator(ListAssetsOperator):
    """List the attachments of entries (``attachment_attachmentAsset.list``).

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas.
    :return: a list of attachments: ``asset_id``, ``entry_id``, ``status``, ``status_number``, ``filename``, ``title``,
        ``format``, ``file_ext``, ``size_in_bytes`` ...
    :raises AirflowFailException: an id is malformed.
    """

    asset_kind = "attachment"


class KalturaGetAttachmentOperator(GetAssetOperator):
    """Read one attachment (``attachment_attachmentAsset.get``).

    :param asset_id: an attachment: its id, or the result of an operator that has one.
    :return: the attachment, as ``KalturaListAttachmentsOperator`` describes it.
    :raises AirflowFailException: the attachment does not exist.
    """

    asset_kind = "attachment"


class KalturaGetAttachmentUrlOperator(GetAssetUrlOperator):
    """Get the URL of an attachment's file (``attachment_attachmentAsset.getUrl``).

    :param asset_id: an attachment: its id, or the result of an operator that has one.
    :return: ``{"url", "asset_id"}``.
    :raises AirflowFailException: the attachment does not exist. While it is not READY, the task is retried.
    """

    asset_kind = "attachment"


class KalturaDeleteAttachmentOperator(DeleteAssetOperator):
    """Delete an attachment (``attachment_attachmentAsset.delete``); one that does not exist is not an error.

    :param asset_id: an attachment: its id, or the result of an operator that has one.
    :return: ``{"asset_id", "deleted"}``; ``deleted`` is false if there was no such attachment.
    :raises AirflowFailException: the id is malformed.
    """

    asset_kind = "attachment"
