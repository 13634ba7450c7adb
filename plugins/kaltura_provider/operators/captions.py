"""Captions as tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.operators.asset_bases import (
    AddAssetOperator,
    DeleteAssetOperator,
    GetAssetOperator,
    GetAssetUrlOperator,
    ListAssetsOperator,
    SetDefaultAssetOperator,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = [
    "KalturaAddCaptionOperator",
    "KalturaDeleteCaptionOperator",
    "KalturaGetCaptionOperator",
    "KalturaGetCaptionUrlOperator",
    "KalturaListCaptionsOperator",
    "KalturaSetDefaultCaptionOperator",
]


class KalturaAddCaptionOperator(AddAssetOperator):
    """Give a video or audio entry captions (``caption_captionAsset.add``, ``setContent``).

    Captions of the same language, label and format that are there get the new content: running it twice leaves one.

    :param entry_id: the entry, or an asset reference.
    :param source: a file to send: ``s3://bucket/key``, ``https://...``, ``file:///path``.
    :param token: or an upload token, full or still to be filled, or what ``KalturaUploadOperator`` returned.
    :param url: or an address that Kaltura itself fetches.
    :param url_headers: with ``url``, headers of Kaltura's request: a mapping, or lines ``Name: value``.
    :param text: or the captions themselves.
    :param file_name: the file's name, where the above do not tell it: ``talk.en.srt`` says language and format.
    :param language: Kaltura's English name (``English``) or an ISO 639 code (``en``).
    :param caption_label: what viewers choose it by; by default the language.
    :param format: ``srt``, ``dfxp``, ``webvtt``, ``cap``, ``scc`` or the number.
    :param default: make it the entry's default captions.
    :param aws_conn_id: the Airflow connection for a ``source`` in S3.
    :param http_conn_id: the Airflow HTTP connection for an ``http(s)`` ``source``.
    :return: ``{"id", "entryId", "status", "language", "label", "format" ...}``.
    :raises AirflowFailException: an argument is impossible, nothing tells the language or format, or Kaltura refuses.
    """

    asset_kind = "caption"
    template_fields: Sequence[str] = (*AddAssetOperator.template_fields, "language", "caption_label", "format")

    def __init__(
        self,
        *,
        language: str | None = None,
        caption_label: str | None = None,
        format: Any = None,
        default: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.language = language
        self.caption_label = caption_label
        self.format = format
        self.default = default

    def wanted(self, name: str) -> dict[str, Any]:
        """Return the captions to make."""
        from kaltura_provider.services.caption_asset import caption_object

        return caption_object(name, language=self.language, label=self.caption_label, format=self.format)


class KalturaListCaptionsOperator(ListAssetsOperator):
    """List the captions of entries (``caption_captionAsset.list``).

    :param entry_id: an entry id, an asset reference, or a list of either.
    :return: a list of ``{"id", "entryId", "status", "language", "label", "format", "isDefault" ...}``.
    :raises AirflowFailException: an id has not the shape of one.
    """

    asset_kind = "caption"


class KalturaGetCaptionOperator(GetAssetOperator):
    """Read a caption (``caption_captionAsset.get``).

    :param asset_id: the caption's id, or what another operator returned for it.
    :return: ``{"id", "entryId", "status", "language", "label", "format"`` (``srt`` ...)``, "isDefault" ...}``.
    :raises AirflowFailException: there is no such caption.
    """

    asset_kind = "caption"


class KalturaGetCaptionUrlOperator(GetAssetUrlOperator):
    """Get the URL of a caption's file (``caption_captionAsset.getUrl``).

    :param asset_id: the caption's id, or what another operator returned for it.
    :return: the URL.
    :raises AirflowFailException: there is no such caption. While it is not READY, the task is tried again.
    """

    asset_kind = "caption"


class KalturaSetDefaultCaptionOperator(SetDefaultAssetOperator):
    """Make a caption its entry's default (``caption_captionAsset.setAsDefault``).

    :param asset_id: the caption's id, or what another operator returned for it.
    :return: the id.
    :raises AirflowFailException: there is no such caption.
    """

    asset_kind = "caption"


class KalturaDeleteCaptionOperator(DeleteAssetOperator):
    """Delete a caption (``caption_captionAsset.delete``); one that is gone already is fine.

    :param asset_id: the caption's id, or what another operator returned for it.
    :return: whether it was there.
    :raises AirflowFailException: it is its entry's default, or the id has not the shape of one.
    """

    asset_kind = "caption"
