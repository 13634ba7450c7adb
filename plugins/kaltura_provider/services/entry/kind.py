"""The kind of entry that a file becomes, by its extension, and the calls for each kind."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath

from kaltura_provider.api.enums import DocumentType, EntryType, MediaType

__all__ = ["Kind", "document_type", "extension_of", "kind_of"]


class Kind(StrEnum):
    """Kind of an entry."""

    VIDEO = "video"
    AUDIO = "audio"
    IMAGE = "image"
    DOCUMENT = "document"
    DATA = "data"

    @property
    def media_type(self) -> MediaType | None:
        """Kaltura's media type; ``None`` for documents and data."""
        return _MEDIA_TYPES.get(self)

    @property
    def entry_type(self) -> EntryType:
        """Kaltura's entry type."""
        return _ENTRY_TYPES.get(self, EntryType.MEDIA_CLIP)

    @property
    def service(self) -> str:
        """The service whose ``add``, ``addContent`` and ``updateContent`` this kind takes."""
        return "media" if self in _MEDIA_TYPES else "baseEntry"

    @property
    def object_type(self) -> str:
        """The class of the entry."""
        return _OBJECT_TYPES.get(self, "KalturaMediaEntry")

    @property
    def takes_pending_token(self) -> bool:
        """Whether an entry can wait for a token that is not full yet (data entries cannot)."""
        return self is not Kind.DATA


_MEDIA_TYPES = {Kind.VIDEO: MediaType.VIDEO, Kind.AUDIO: MediaType.AUDIO, Kind.IMAGE: MediaType.IMAGE}
_KIND_BY_NUMBER = {str(int(number)): kind for kind, number in _MEDIA_TYPES.items()}
_ENTRY_TYPES = {Kind.DOCUMENT: EntryType.DOCUMENT, Kind.DATA: EntryType.DATA}
_OBJECT_TYPES = {Kind.DOCUMENT: "KalturaDocumentEntry", Kind.DATA: "KalturaDataEntry"}

# An extension that Kaltura lists as video and as audio is video.
_EXTENSIONS: dict[Kind, str] = {
    Kind.VIDEO: "flv asf qt mov mpg mpeg avi wmv mp4 m4v 3gp 3g2 vob f4v mkv mxf mts m2ts ts rm arf webm lxf ogv dv",
    Kind.AUDIO: "mp3 wav wma amr m4a aiff aif ra ogg oga opus flac aac ac3 mka",
    Kind.IMAGE: "jpg jpeg bmp png gif tif tiff webp heic",
    Kind.DOCUMENT: "pdf swf doc docx ppt pptx xls xlsx odt odp ods rtf",
    Kind.DATA: "txt md csv json xml yaml yml html htm srt vtt dfxp zip gz tar",
}
_KIND_BY_EXTENSION = {extension: kind for kind, extensions in _EXTENSIONS.items() for extension in extensions.split()}


def extension_of(file_name: str) -> str:
    """Return the extension of ``file_name`` in lower case without its dot; empty text if it is unknown."""
    extension = PurePosixPath(file_name).suffix[1:].lower()
    return extension if extension in _KIND_BY_EXTENSION else ""


def kind_of(file_name: str, media_type: str | None = None) -> Kind:
    """Return the kind by ``media_type`` (a name or Kaltura's number), or else by the extension of ``file_name``.

    :raises ValueError: ``media_type`` is unknown, or it is not given and the extension is unknown.
    """
    if media_type:
        said = media_type.strip().lower()
        try:
            return _KIND_BY_NUMBER.get(said) or Kind(said)
        except ValueError:
            kinds = ", ".join(Kind)
            raise ValueError(f"media_type {media_type!r} is unknown: use one of {kinds}") from None
    kind = _KIND_BY_EXTENSION.get(extension_of(file_name))
    if kind is None:
        raise ValueError(
            f"the extension of {file_name!r} does not give its kind; set media_type to video, audio, image, "
            "document or data"
        )
    return kind


def document_type(file_name: str) -> DocumentType:
    """Return the document type Kaltura derives from the extension."""
    known = {"pdf": DocumentType.PDF, "swf": DocumentType.SWF}
    return known.get(extension_of(file_name), DocumentType.DOCUMENT)
