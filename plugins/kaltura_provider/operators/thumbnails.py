"""Adds, lists, reads and deletes thumbnails."""

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
    """Add a thumbnail from a picture or a moment of the video (``thumbAsset.add``, ``setContent``, ``generate``).

    An existing thumbnail from the same source gets the new picture, so running it twice adds one.

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :param source: the file to upload: ``s3://bucket/key``, ``https://...``, ``file:///path``.
    :param token_id: or an upload token, full or not yet filled: its id, or the result of an operator that has one.
    :param url: or a URL that Kaltura fetches itself.
    :param url_headers: for ``url``, headers of Kaltura's request: a mapping, or lines ``Name: value``.
    :param second: or a moment of the entry's video, in seconds. The entry must have a READY flavor.
    :param width: for ``second``, pixels (up to 10,000). With only one of width and height, proportions are kept.
    :param height: for ``second``, pixels (up to 10,000).
    :param default: whether to make it the entry's default.
    :param aws_conn_id: the Airflow connection for a ``source`` in S3.
    :param http_conn_id: the Airflow HTTP connection for an ``http(s)`` ``source``.
    :return: the thumbnail, as ``KalturaListThumbnailsOperator`` describes it.
    :raises AirflowFailException: an argument is not allowed, or Kaltura refuses.
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

        if self.second not in (None, ""):
            return self.finished(self._generated())
        for name in ("width", "height"):
            if getattr(self, name):
                raise KalturaConfigurationError(name, getattr(self, name), "can only be used with second", "remove it")
        return super().run_in_kaltura(context)

    def _generated(self) -> dict[str, Any]:
        from kaltura_provider.api.arguments import entry_id, number
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.services.thumb_asset import generate_thumbnail

        if self.source or self.url or self.token_id not in (None, ""):
            raise KalturaConfigurationError("second", self.second, "excludes any other source", "give one of them")
        sides = {
            name: number(value, name, minimum=1, maximum=10_000)
            for name, value in (("width", self.width), ("height", self.height))
            if value not in (None, "")
        }
        return generate_thumbnail(self.hook.get_conn(), entry_id(self.entry_id), self.second, **sides)

    def wanted(self) -> dict[str, Any]:
        """Return the thumbnail to create. Its origin distinguishes it from others."""
        from kaltura_provider.api.arguments import token_id
        from kaltura_provider.services.thumb_asset import origin_mark, thumbnail_object

        return thumbnail_object(origin_mark(self.source or self.url or token_id(self.token_id)))


class KalturaListThumbnailsOperator(ListAssetsOperator):
    """List the thumbnails of entries (``thumbAsset.list``).

    :param entry_id: entries: an id, the result of an operator that has one, a list of either, or ids separated by
        commas.
    :return: a list of thumbnails: ``asset_id``, ``entry_id``, ``status``, ``status_number``, ``width``, ``height``,
        ``tags``, ``file_ext``, ``size_in_bytes`` ...
    :raises AirflowFailException: an id is malformed.
    """

    asset_kind = "thumbnail"


class KalturaGetThumbnailOperator(GetAssetOperator):
    """Read one thumbnail (``thumbAsset.get``).

    :param asset_id: a thumbnail: its id, or the result of an operator that has one.
    :return: the thumbnail, as ``KalturaListThumbnailsOperator`` describes it.
    :raises AirflowFailException: the thumbnail does not exist.
    """

    asset_kind = "thumbnail"


class KalturaGetThumbnailUrlOperator(GetAssetUrlOperator):
    """Get the URL of a thumbnail's file (``thumbAsset.getUrl``).

    :param asset_id: a thumbnail: its id, or the result of an operator that has one.
    :return: ``{"url", "asset_id"}``.
    :raises AirflowFailException: the thumbnail does not exist. While it is not READY, the task is retried.
    """

    asset_kind = "thumbnail"


class KalturaSetDefaultThumbnailOperator(SetDefaultAssetOperator):
    """Make a thumbnail its entry's default (``thumbAsset.setAsDefault``).

    :param asset_id: a thumbnail: its id, or the result of an operator that has one.
    :return: ``{"asset_id"}``.
    :raises AirflowFailException: the thumbnail does not exist.
    """

    asset_kind = "thumbnail"


class KalturaDeleteThumbnailOperator(DeleteAssetOperator):
    """Delete a thumbnail (``thumbAsset.delete``); one that does not exist is not an error.

    :param asset_id: a thumbnail: its id, or the result of an operator that has one.
    :return: ``{"asset_id", "deleted"}``; ``deleted`` is false if there was no such thumbnail.
    :raises AirflowFailException: it is its entry's default thumbnail, or the id is malformed.
    """

    asset_kind = "thumbnail"
