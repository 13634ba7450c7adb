"""Recognize web pages and manifests, which are not media, by their first bytes."""

from __future__ import annotations

from kaltura_provider.upload.sources.errors import SourceNotMedia

__all__ = ["SNIFF_LENGTH", "check_media"]

SNIFF_LENGTH = 4096

_PAGE = "a web page (HTML), perhaps a login or error page"
_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"#extm3u", "a playlist (HLS or M3U)"),
    (b"<mpd", "a DASH manifest"),
    (b"<smoothstreamingmedia", "a Smooth Streaming manifest"),
    (b"<!doctype html", _PAGE),
    (b"<html", _PAGE),
    (b"<head", _PAGE),
    (b"<body", _PAGE),
    (b"[internetshortcut]", "a link file"),
)


def check_media(uri: str, head: bytes) -> None:
    """Check the first bytes of a source.

    :raises SourceNotMedia: the source is a web page or a streaming manifest.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    # A prologue and comments may stand before the first element.
    while text.startswith((b"<?", b"<!--")):
        _, closed, rest = text.partition(b"?>" if text.startswith(b"<?") else b"-->")
        if not closed:
            break
        text = rest.lstrip()
    for mark, what in _MARKS:
        if text.startswith(mark):
            raise SourceNotMedia(
                uri,
                f"it is {what}, not a media file. Give the URL of the file itself (for a stream: of one progressive "
                "file), or the credentials its server asks for",
            )
