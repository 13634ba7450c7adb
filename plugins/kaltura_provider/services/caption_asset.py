"""Caption assets (service ``caption_captionAsset``)."""

from __future__ import annotations

from typing import Any

from kaltura_provider.api.arguments import choose
from kaltura_provider.api.enums import CaptionFormat
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.caption_language import caption_format, caption_language, language_name
from kaltura_provider.services.entry_assets import COMMON_FIELDS, AssetKind

__all__ = ["CAPTION", "caption_object"]

CAPTION = AssetKind(
    "caption",
    "caption_captionAsset",
    "captionAsset",
    key=("language", "label", "format"),
    fields=(*COMMON_FIELDS, "language", "languageCode", "label", "format", "isDefault"),
    formats=CaptionFormat,
)


def caption_object(
    file_name: str, *, language: str | None = None, label: str | None = None, format: Any = None
) -> dict[str, Any]:
    """Return a caption asset to add.

    Language and format are read from the file name (``talk.en.srt``) unless they are given.

    :raises KalturaConfigurationError: one of them is unknown, or neither given nor in the file name.
    """
    spoken = language_name(language) if language else caption_language(file_name)
    if spoken is None:
        raise KalturaConfigurationError(
            "language", None, f"cannot be read from {file_name!r}", "give it, or name the file like talk.en.srt"
        )
    written = caption_format(file_name) if format in (None, "") else choose(CaptionFormat, format, "format")
    if written is None:
        known = ", ".join(item.name.lower() for item in CaptionFormat)
        raise KalturaConfigurationError("format", None, f"cannot be read from {file_name!r}", f"give one of {known}")
    return {
        "objectType": "KalturaCaptionAsset", "language": spoken, "label": label or spoken, "format": written,
    }  # fmt: skip
