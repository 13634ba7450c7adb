"""Bases of the operators for captions, thumbnails and attachments: add, list, read, URL, default, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote, urlsplit

from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.links.entry import KalturaEntryLink, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.services.entry_assets import AssetKind

__all__ = [
    "AddAssetOperator",
    "AddFileOperator",
    "DeleteAssetOperator",
    "GetAssetOperator",
    "GetAssetUrlOperator",
    "ListAssetsOperator",
    "SetDefaultAssetOperator",
    "asset_kind",
]


def asset_kind(name: str) -> AssetKind:
    """Return Kaltura's names for a kind of asset (``caption``, ``thumbnail``, ``attachment``)."""
    from kaltura_provider.services.attachment_asset import ATTACHMENT
    from kaltura_provider.services.caption_asset import CAPTION
    from kaltura_provider.services.thumb_asset import THUMBNAIL

    return next(kind for kind in (CAPTION, THUMBNAIL, ATTACHMENT) if kind.name == name)


@renamed_arguments({"token": "token_id"})
class AddAssetOperator(KalturaOperator):
    """Add an asset to an entry from exactly one of ``source``, ``token_id`` and ``url``."""

    asset_kind: ClassVar[str]
    origins: ClassVar[tuple[str, ...]] = ("source", "token_id", "url")
    default = False
    template_fields: Sequence[str] = (
        "entry_id",
        "source",
        "token_id",
        "url",
        "url_headers",
        "aws_conn_id",
        "http_conn_id",
        *KalturaOperator.template_fields,
    )
    operator_extra_links = (KalturaEntryLink(),)

    def __init__(
        self,
        *,
        entry_id: Any,
        source: str | None = None,
        token_id: Any = None,
        url: str | None = None,
        url_headers: Mapping[str, str] | Sequence[str] | None = None,
        aws_conn_id: str = "aws_default",
        http_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.source = source
        self.token_id = token_id
        self.url = url
        self.url_headers = url_headers
        self.aws_conn_id = aws_conn_id
        self.http_conn_id = http_conn_id

    def wanted(self) -> dict[str, Any]:
        """Return the asset to create, in Kaltura's names."""
        raise NotImplementedError

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the asset."""
        from kaltura_provider.api.arguments import entry_id
        from kaltura_provider.hooks.token_upload import send_file
        from kaltura_provider.services.entry.content import ContentSource
        from kaltura_provider.services.entry_assets import put_asset

        entry = entry_id(self.entry_id)
        given = self._given()
        content = None if "source" in given else ContentSource(**_as_content(given), url_headers=self.url_headers)
        wanted = self.wanted()
        if content is None:
            token = send_file(self.hook, str(self.source), aws_conn_id=self.aws_conn_id, http_conn_id=self.http_conn_id)
            content = ContentSource(token=token)
        push_links(context, self.hook.account, entry)
        made = put_asset(self.hook.get_conn(), asset_kind(self.asset_kind), entry, wanted, content.resource())
        return self.finished(made)

    def finished(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """Make the asset the default one if asked for, and return it as results show it."""
        from kaltura_provider.services.entry_assets import shown_asset

        kind = asset_kind(self.asset_kind)
        if self.default:
            # `add` alone would leave the previous default beside it.
            client = self.hook.get_conn()
            client.call(kind.service, "setAsDefault", {kind.id_parameter: made["id"]}, repeatable=True)
        shown = shown_asset(kind, made)
        self.log.info("Entry %s has %s %s, %s", shown["entry_id"], self.asset_kind, shown["asset_id"], shown["status"])
        return shown

    def _given(self) -> dict[str, Any]:
        """Return the one origin of the content that is given.

        :raises KalturaConfigurationError: there is none, or more than one.
        """
        from kaltura_provider.api.errors import KalturaConfigurationError

        given = {name: value for name in self.origins if (value := getattr(self, name)) not in (None, "")}
        if len(given) == 1:
            return given
        if given:
            first, second, *_ = given
            raise KalturaConfigurationError(first, None, f"and {second} exclude each other", "give one of them")
        raise KalturaConfigurationError("source", None, "is missing", f"give one of {', '.join(self.origins)}")


def _as_content(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"token" if name == "token_id" else name: value for name, value in given.items()}


class AddFileOperator(AddAssetOperator):
    """Add an asset that is a file with a name and may be given as text."""

    origins = (*AddAssetOperator.origins, "text")
    template_fields: Sequence[str] = (*AddAssetOperator.template_fields, "text", "file_name")

    def __init__(self, *, text: str | None = None, file_name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text = text
        self.file_name = file_name

    @property
    def name(self) -> str:
        """The file's name: the given one, or that of the source, URL or uploaded file."""
        if self.file_name:
            return self.file_name
        if self.source or self.url:
            return _last_part(str(self.source or self.url))
        if not isinstance(self.token_id, dict):
            return ""
        return str(self.token_id.get("name") or self.token_id.get("file_name") or "")


def _last_part(address: str) -> str:
    """Return the file name at the end of a URL, an S3 address or a path. Only URLs have a query and escapes."""
    if address.startswith(("http://", "https://", "ftp://", "sftp://", "scp://", "file://")):
        address = unquote(urlsplit(address).path)
    return address.rsplit("/", 1)[-1]


class ListAssetsOperator(KalturaOperator):
    """List assets of entries."""

    asset_kind: ClassVar[str]
    template_fields: Sequence[str] = ("entry_id", *KalturaOperator.template_fields)

    def __init__(self, *, entry_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id

    def run_in_kaltura(self, context: Context) -> list[dict[str, Any]]:
        """Return the assets."""
        from kaltura_provider.api.arguments import entry_ids
        from kaltura_provider.services.entry_assets import list_assets, shown_asset

        kind = asset_kind(self.asset_kind)
        found = list_assets(self.hook.get_conn(), kind, entry_ids(self.entry_id, "entry_id"))
        return [shown_asset(kind, asset) for asset in found]


class _OneAssetOperator(KalturaOperator):
    asset_kind: ClassVar[str]
    template_fields: Sequence[str] = ("asset_id", *KalturaOperator.template_fields)

    def __init__(self, *, asset_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asset_id = asset_id

    def checked_id(self) -> str:
        """Return the asset's id, checked."""
        from kaltura_provider.api.arguments import asset_id

        return asset_id(self.asset_id)


class GetAssetOperator(_OneAssetOperator):
    """Read an asset."""

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the asset."""
        from kaltura_provider.services.entry_assets import get_asset, shown_asset

        kind = asset_kind(self.asset_kind)
        return shown_asset(kind, get_asset(self.hook.get_conn(), kind, self.checked_id()))


class GetAssetUrlOperator(_OneAssetOperator):
    """Get the URL of an asset's file."""

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the URL, without a session in it."""
        from kaltura_provider.api.redaction import redact

        asset = self.checked_id()
        url = self.hook.call(asset_kind(self.asset_kind).service, "getUrl", id=asset)
        return {"url": redact(str(url)), "asset_id": asset}


class DeleteAssetOperator(_OneAssetOperator):
    """Delete an asset."""

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return whether the asset existed."""
        from kaltura_provider.services.entry_assets import delete_asset

        asset = self.checked_id()
        deleted = delete_asset(self.hook.get_conn(), asset_kind(self.asset_kind), asset)
        return {"asset_id": asset, "deleted": deleted}


class SetDefaultAssetOperator(_OneAssetOperator):
    """Make an asset its entry's default."""

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the asset's id."""
        kind, asset = asset_kind(self.asset_kind), self.checked_id()
        self.hook.get_conn().call(kind.service, "setAsDefault", {kind.id_parameter: asset}, repeatable=True)
        return {"asset_id": asset}
