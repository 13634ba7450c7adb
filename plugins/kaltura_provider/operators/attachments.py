"""Attachments as tasks: files that belong to an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.operators.asset_bases import (
    AddAssetOperator,
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


class KalturaAddAttachmentOperator(AddAssetOperator):
    """Give an entry a file beside its content (``attachment_attachmentAsset.add``, ``setContent``).

    An attachment of the same file name that is there gets the new content: running it twice leaves one.

    :param entry_id: the entry, or an asset reference.
    :param source: a file to send: ``s3://bucket/key``, ``https://...``, ``file:///path``.
    :param token: or an upload token, full or still to be filled, or what ``KalturaUploadOperator`` returned.
    :param url: or an address that Kaltura itself fetches.
    :param url_headers: with ``url``, headers of Kaltura's request: a mapping, or lines ``Name: value``.
    :param text: or the content itself.
    :param file_name: the attachment's file name; by default that of the file.
    :param title: what it is called; by default the file name.
    :param format: ``text``, ``media``, ``document``, ``json``, ``markdown`` or the number; by default told by the
        extension.
    :param aws_conn_id: the Airflow connection for a ``source`` in S3.
    :param http_conn_id: the Airflow HTTP connection for an ``http(s)`` ``source``.
    :return: ``{"id", "entryId", "status", "filename", "title", "format" ...}``.
    :raises AirflowFailException: an argument is impossible, or Kaltura refuses.
    """

    asset_kind = "attachment"
    template_fields: Sequence[str] = (*AddAssetOperator.template_fields, "title", "format")

    def __init__(self, *, title: str | None = None, format: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.title = title
        self.format = format

    def wanted(self, name: str) -> dict[str, Any]:
        """Return the attachment to make."""
        from kaltura_provider.services.attachment_asset import attachment_object

        return attachment_object(name, title=self.title, format=self.format)


class KalturaListAttachmentsOperator(ListAssetsOperator):
    """List the attachments of entries (``attachment_attachmentAsset.list``).

    :param entry_id: an entry id, an asset reference, or a list of either.
    :return: a list of ``{"id", "entryId", "status", "filename", "title", "format" ...}``.
    :raises AirflowFailException: an id has not the shape of one.
    """

    asset_kind = "attachment"


class KalturaGetAttachmentOperator(GetAssetOperator):
    """Read an attachment (``attachment_attachmentAsset.get``).

    :param asset_id: the attachment's id, or what another operator returned for it.
    :return: ``{"id", "entryId", "status", "filename", "title", "format"`` (``text``, ``document`` ...)``, ...}``.
    :raises AirflowFailException: there is no such attachment.
    """

    asset_kind = "attachment"


class KalturaGetAttachmentUrlOperator(GetAssetUrlOperator):
    """Get the URL of an attachment's file (``attachment_attachmentAsset.getUrl``).

    :param asset_id: the attachment's id, or what another operator returned for it.
    :return: the URL.
    :raises AirflowFailException: there is no such attachment. While it is not READY, the task is tried again.
    """

    asset_kind = "attachment"


class KalturaDeleteAttachmentOperator(DeleteAssetOperator):
    """Delete an attachment (``attachment_attachmentAsset.delete``); one that is gone already is fine.

    :param asset_id: the attachment's id, or what another operator returned for it.
    :return: whether it was there.
    :raises AirflowFailException: it is its entry's default, or the id has not the shape of one.
    """

    asset_kind = "attachment"
