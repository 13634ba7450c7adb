"""Attachment assets (service ``attachment_attachmentAsset``)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from kaltura_provider.api.arguments import choose
from kaltura_provider.api.enums import AttachmentFormat
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.entry_assets import COMMON_FIELDS, AssetKind

__all__ = ["ATTACHMENT", "attachment_object"]

ATTACHMENT = AssetKind(
    "attachment",
    "attachment_attachmentAsset",
    "attachmentAsset",
    key=("filename",),
    fields=(*COMMON_FIELDS, "filename", "title", "format"),
    changeable=("title", "format"),
    formats=AttachmentFormat,
)

_FORMATS = {
    AttachmentFormat.TEXT: "txt log csv srt vtt",
    AttachmentFormat.MEDIA: "mp4 mov mkv mp3 wav m4a jpg jpeg png gif webm",
    AttachmentFormat.DOCUMENT: "pdf doc docx ppt pptx xls xlsx odt odp ods rtf",
    AttachmentFormat.JSON: "json jsonl",
    AttachmentFormat.MARKDOWN: "md markdown",
}


def attachment_object(file_name: str, *, title: str | None = None, format: Any = None) -> dict[str, Any]:
    """Return an attachment asset to add.

    The format is read from the extension unless it is given; a file with an unknown extension is a document.

    :raises KalturaConfigurationError: the format is unknown, or the name is a path.
    """
    if not file_name.strip(".") or "/" in file_name:
        raise KalturaConfigurationError("file_name", file_name, "is not a file name", "give it without a path")
    ending = PurePosixPath(file_name).suffix[1:].lower()
    known = next((kind for kind, endings in _FORMATS.items() if ending in endings.split()), None)
    written = (
        (known or AttachmentFormat.DOCUMENT) if format in (None, "") else choose(AttachmentFormat, format, "format")
    )
    return {
        "objectType": "KalturaAttachmentAsset", "filename": file_name, "title": title or file_name, "format": written
    }  # fmt: skip
