"""Adds, lists, reads and deletes captions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.operators.asset_bases import (
    AddFileOperator,
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


class KalturaAddCaptionOperator(AddFileOperator):
    """Add captions to a video or audio entry, or replace them (``caption_captionAsset.add``, ``setContent``).

    Existing captions of the same language, label and format get the new content, so running it twice adds one.

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :param source: the file to upload: ``s3://bucket/key``, ``https://...``, ``file:///path``.
    :param token_id: or an upload token, full or not yet filled: its id, or the result of an operator that has one.
    :param url: or a URL that Kaltura fetches itself.
    :param url_headers: for ``url``, headers of Kaltura's request: a mapping, or lines ``Name: value``.
    :param text: or the captions themselves.
    :param file_name: the file's name, if the above do not contain it. ``talk.en.srt`` gives language and format.
    :param language: Kaltura's English name (``English``) or an ISO 639 code (``en``).
    :param caption_label: the name viewers choose it by. Default: the language.
    :param format: ``srt``, ``dfxp``, ``webvtt``, ``cap``, ``scc`` or the number.
    :param default: whether to make it the entry's default.
    :param aws_conn_id: the Airflow connection for a ``source`` in S3.
    :param http_conn_id: the Airflow HTTP connection for an ``http(s)`` ``source``.
    :return: the caption, as ``KalturaListCaptionsOperator`` describes it.
    :raises AirflowFailException: an argument is not allowed, the language or format is unknown, or Kaltura refuses.
    """

    asset_kind = "caption"
    template_fields: Sequence[str] = (*AddFileOperator.template_fields, "language", "caption_label", "format")

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

    def wanted(self) -> dict[str, Any]:
        """Return the captions to create."""
        from kaltura_provider.services.caption_asset import caption_object

        return caption_object(self.name, language=self.language, label=self.caption_label, format=self.format)


class KalturaListCaptionsOperator(ListAssetsOperator):
    """List the captions of entries (``caption_captionAsset.list``).

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas.
    :return: a list of captions: ``asset_id``, ``entry_id``, ``status``, ``status_number``, ``language``,
        ``language_code``, ``label``, ``format``, ``is_default``, ``file_ext``, ``size_in_bytes`` ...
    :raises AirflowFailException: an id is malformed.
    """

    asset_kind = "caption"


class KalturaGetCaptionOperator(GetAssetOperator):
    """Read one caption (``caption_captionAsset.get``).

    :param asset_id: a caption: its id, or the result of an operator that has one.
    :return: the caption, as ``KalturaListCaptionsOperator`` describes it.
    :raises AirflowFailException: the caption does not exist.
    """

    asset_kind = "caption"


class KalturaGetCaptionUrlOperator(GetAssetUrlOperator):
    """Get the URL of a caption's file (``caption_captionAsset.getUrl``).

    :param asset_id: a caption: its id, or the result of an operator that has one.
    :return: ``{"url", "asset_id"}``.
    :raises AirflowFailException: the caption does not exist. While it is not READY, the task is retried.
    """

    asset_kind = "caption"


class KalturaSetDefaultCaptionOperator(SetDefaultAssetOperator):
    """Make a caption its entry's default (``caption_captionAsset.setAsDefault``).

    :param asset_id: a caption: its id, or the result of an operator that has one.
    :return: ``{"asset_id"}``.
    :raises AirflowFailException: the caption does not exist.
    """

    asset_kind = "caption"


class KalturaDeleteCaptionOperator(DeleteAssetOperator):
    """Delete a caption (``caption_captionAsset.delete``); one that does not exist is not an error.

    :param asset_id: a caption: its id, or the result of an operator that has one.
    :return: ``{"asset_id", "deleted"}``; ``deleted`` is false if there was no such caption.
    :raises AirflowFailException: it is its entry's default caption, or the id is malformed.
    """

    asset_kind = "caption"
