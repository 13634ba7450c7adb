"""Thumbnails as tasks: a picture of one's own, or a moment of the video."""

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

    from airflow.sdk import Context


__all__ = [
    "KalturaAddThumbnailOperator",
    "KalturaDeleteThumbnailOperator",
    "KalturaGetThumbnailOperator",
    "KalturaGetThumbnailUrlOperator",
    "KalturaListThumbnailsOperator",
    "KalturaSetDefaultThumbnailOperator",
]


class KalturaAddThumbnailOperator(AddAssetOperator):
    """Give an entry a thumbnail: a picture (``thumbAsset.add``, ``setContent``), or a moment of its video.

    One from the same source that is there gets the new picture: running it twice leaves one.

    :param entry_id: the entry, or an asset reference.
    :param source: a file to send: ``s3://bucket/key``, ``https://...``, ``file:///path``.
    :param token: or an upload token, full or still to be filled, or what ``KalturaUploadOperator`` returned.
    :param url: or an address that Kaltura itself fetches.
    :param url_headers: with ``url``, headers of Kaltura's request: a mapping, or lines ``Name: value``.
    :param second: or a moment of the entry's video, in seconds (``thumbAsset.generate``); the entry has to have a
        flavor that is READY.
    :param width: with ``second``, pixels (up to 10,000); with ``height`` left out, the proportions are kept.
    :param height: with ``second``, pixels.
    :param file_name: not needed.
    :param text: not for thumbnails.
    :param default: make it the entry's default thumbnail.
    :param aws_conn_id: the Airflow connection for a ``source`` in S3.
    :param http_conn_id: the Airflow HTTP connection for an ``http(s)`` ``source``.
    :return: ``{"id", "entryId", "status", "width", "height" ...}``.
    :raises AirflowFailException: an argument is impossible, or Kaltura refuses.
    """

    asset_kind = "thumbnail"
    template_fields: Sequence[str] = (*AddAssetOperator.template_fields, "second", "width", "height")

    def __init__(
        self,
        *,
        second: float | str | None = None,
        width: int | str | None = None,
        height: int | str | None = None,
        default: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.second = second
        self.width = width
        self.height = height
        self.default = default

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the thumbnail."""
        from kaltura_provider.api.errors import KalturaConfigurationError

        if self.text:
            raise KalturaConfigurationError("text", None, "is no picture", "give source, token, url or second")
        if self.second in (None, ""):
            for name in ("width", "height"):
                if getattr(self, name):
                    raise KalturaConfigurationError(name, getattr(self, name), "goes with second only", "leave it out")
            return super().run_in_kaltura(context)
        made = self._generated()
        if self.default:
            self.hook.get_conn().call("thumbAsset", "setAsDefault", {"thumbAssetId": made["id"]}, repeatable=True)
        return made

    def _generated(self) -> dict[str, Any]:
        from kaltura_provider.api.arguments import entry_id, number
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.services.thumb_asset import generate_thumbnail

        if self.source or self.url or self.token not in (None, ""):
            raise KalturaConfigurationError("second", self.second, "excludes any other source", "give one of them")
        sides = {
            name: number(value, name, minimum=1, maximum=10_000)
            for name, value in (("width", self.width), ("height", self.height))
            if value not in (None, "")
        }
        return generate_thumbnail(self.hook.get_conn(), entry_id(self.entry_id), self.second, **sides)

    def wanted(self, name: str) -> dict[str, Any]:
        """Return the thumbnail to make; what it is made from tells it from others."""
        from kaltura_provider.api.arguments import token_id
        from kaltura_provider.services.thumb_asset import origin_mark, thumbnail_object

        return thumbnail_object(origin_mark(self.source or self.url or token_id(self.token, "token")))


class KalturaListThumbnailsOperator(ListAssetsOperator):
    """List the thumbnails of entries (``thumbAsset.list``).

    :param entry_id: an entry id, an asset reference, or a list of either.
    :return: a list of ``{"id", "entryId", "status", "width", "height", "tags" ...}``.
    :raises AirflowFailException: an id has not the shape of one.
    """

    asset_kind = "thumbnail"


class KalturaGetThumbnailOperator(GetAssetOperator):
    """Read a thumbnail (``thumbAsset.get``).

    :param asset_id: the thumbnail's id, or what another operator returned for it.
    :return: ``{"id", "entryId", "status", "width", "height", "tags" ...}``.
    :raises AirflowFailException: there is no such thumbnail.
    """

    asset_kind = "thumbnail"


class KalturaGetThumbnailUrlOperator(GetAssetUrlOperator):
    """Get the URL of a thumbnail's file (``thumbAsset.getUrl``).

    :param asset_id: the thumbnail's id, or what another operator returned for it.
    :return: the URL.
    :raises AirflowFailException: there is no such thumbnail. While it is not READY, the task is tried again.
    """

    asset_kind = "thumbnail"


class KalturaSetDefaultThumbnailOperator(SetDefaultAssetOperator):
    """Make a thumbnail its entry's default (``thumbAsset.setAsDefault``).

    :param asset_id: the thumbnail's id, or what another operator returned for it.
    :return: the id.
    :raises AirflowFailException: there is no such thumbnail.
    """

    asset_kind = "thumbnail"


class KalturaDeleteThumbnailOperator(DeleteAssetOperator):
    """Delete a thumbnail (``thumbAsset.delete``); one that is gone already is fine.

    :param asset_id: the thumbnail's id, or what another operator returned for it.
    :return: whether it was there.
    :raises AirflowFailException: it is its entry's default, or the id has not the shape of one.
    """

    asset_kind = "thumbnail"
