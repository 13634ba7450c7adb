"""What the tasks about captions, thumbnails and attachments share: where content comes from; list, URL, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote, urlsplit

from kaltura_provider.links.entry import KalturaEntryLink, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.services.entry_assets import AssetKind

__all__ = [
    "AddAssetOperator",
    "DeleteAssetOperator",
    "GetAssetOperator",
    "GetAssetUrlOperator",
    "ListAssetsOperator",
    "SetDefaultAssetOperator",
    "asset_kind",
]


def asset_kind(name: str) -> AssetKind:
    """Return how Kaltura calls a kind of asset (``caption``, ``thumbnail``, ``attachment``)."""
    from kaltura_provider.services.attachment_asset import ATTACHMENT
    from kaltura_provider.services.caption_asset import CAPTION
    from kaltura_provider.services.thumb_asset import THUMBNAIL

    return next(kind for kind in (CAPTION, THUMBNAIL, ATTACHMENT) if kind.name == name)


class AddAssetOperator(KalturaOperator):
    """Give an entry an asset, from exactly one of ``source``, ``token``, ``url`` and ``text``."""

    asset_kind: ClassVar[str]
    default = False
    template_fields: Sequence[str] = (
        "entry_id",
        "source",
        "token",
        "url",
        "url_headers",
        "text",
        "file_name",
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
        token: Any = None,
        url: str | None = None,
        url_headers: Mapping[str, str] | Sequence[str] | None = None,
        text: str | None = None,
        file_name: str | None = None,
        aws_conn_id: str = "aws_default",
        http_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.source = source
        self.token = token
        self.url = url
        self.url_headers = url_headers
        self.text = text
        self.file_name = file_name
        self.aws_conn_id = aws_conn_id
        self.http_conn_id = http_conn_id

    def wanted(self, name: str) -> dict[str, Any]:
        """Return the asset to make of a file of this name."""
        raise NotImplementedError

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the asset."""
        from kaltura_provider.api.arguments import entry_id
        from kaltura_provider.hooks.token_upload import send_file
        from kaltura_provider.services.entry.content import ContentSource
        from kaltura_provider.services.entry_assets import put_asset, with_format_name

        entry = entry_id(self.entry_id)
        content = None if self._sends() else ContentSource(**self._given(), url_headers=self.url_headers)
        wanted = self.wanted(self.name())
        if content is None:
            conns = {"aws_conn_id": self.aws_conn_id, "http_conn_id": self.http_conn_id}
            content = ContentSource(token=send_file(self.hook, str(self.source), **conns))  # type: ignore[arg-type]
        push_links(context, self.hook.account, entry)
        client, kind = self.hook.get_conn(), asset_kind(self.asset_kind)
        made = put_asset(client, kind, entry, wanted, content.resource())
        if self.default:
            # `add` alone would leave the default that was one beside it.
            client.call(kind.service, "setAsDefault", {kind.id_parameter: made["id"]}, repeatable=True)
        self.log.info("Entry %s has %s %s, status %s", entry, self.asset_kind, made["id"], made["status"])
        return with_format_name(kind, made)

    def _given(self) -> dict[str, Any]:
        return {"token": self.token, "url": self.url, "text": self.text}

    def _sends(self) -> bool:
        """Tell whether a source is to be sent, and nothing else is given."""
        from kaltura_provider.api.errors import KalturaConfigurationError

        others = [name for name, value in self._given().items() if value not in (None, "")]
        if self.source and others:
            raise KalturaConfigurationError("source", None, f"and {others[0]} exclude each other", "give one of them")
        if not self.source and not others:
            raise KalturaConfigurationError("source", None, "is missing", "give one of source, token, url, text")
        return bool(self.source)

    def name(self) -> str:
        """Return the file's name: as said, or of the source, URL or uploaded file."""
        if self.file_name:
            return self.file_name
        if self.source or self.url:
            return _last_part(str(self.source or self.url))
        return str(self.token.get("name") or "") if isinstance(self.token, dict) else ""


def _last_part(address: str) -> str:
    """Return the file name at the end of a URL, an S3 address or a path; only a URL has a query and escapes."""
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
        from kaltura_provider.services.entry_assets import list_assets, with_format_name

        kind = asset_kind(self.asset_kind)
        found = list_assets(self.hook.get_conn(), kind, entry_ids(self.entry_id, "entry_id"))
        return [with_format_name(kind, asset) for asset in found]


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
        from kaltura_provider.services.entry_assets import get_asset, with_format_name

        kind = asset_kind(self.asset_kind)
        return with_format_name(kind, get_asset(self.hook.get_conn(), kind, self.checked_id()))


class GetAssetUrlOperator(_OneAssetOperator):
    """Get the URL of an asset's file."""

    def run_in_kaltura(self, context: Context) -> str:
        """Return the URL, without a session in it."""
        from kaltura_provider.api.redaction import redact

        return redact(str(self.hook.call(asset_kind(self.asset_kind).service, "getUrl", id=self.checked_id())))


class DeleteAssetOperator(_OneAssetOperator):
    """Delete an asset."""

    def run_in_kaltura(self, context: Context) -> bool:
        """Return whether it was there."""
        from kaltura_provider.services.entry_assets import delete_asset

        return delete_asset(self.hook.get_conn(), asset_kind(self.asset_kind), self.checked_id())


class SetDefaultAssetOperator(_OneAssetOperator):
    """Make an asset its entry's default."""

    def run_in_kaltura(self, context: Context) -> str:
        """Return the asset's id."""
        kind, asset = asset_kind(self.asset_kind), self.checked_id()
        self.hook.get_conn().call(kind.service, "setAsDefault", {kind.id_parameter: asset}, repeatable=True)
        return asset
