"""URLs under which viewers and programs get content: pure functions, arguments checked, no request made.

``cdn_host`` is the host content is delivered from, with or without scheme (``cdnapisec.kaltura.com``). A URL
with a ``ks`` in it is a secret: whoever has it has the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kaltura_provider.api.enums import PlaybackFormat
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.thumbnails import THUMBNAIL_FORMATS, thumbnail_url
from kaltura_provider.api.url_path import delivery_base, encode_referrer, file_name_value, id_value, path_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "THUMBNAIL_FORMATS",
    "download_url",
    "play_manifest_url",
    "raw_url",
    "serve_flavor_url",
    "source_download_url",
    "thumbnail_url",
]

_PROTOCOLS = ("http", "https", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpte", "rtsp")


def play_manifest_url(
    cdn_host: str,
    partner_id: int,
    entry_id: str,
    *,
    format: PlaybackFormat | str = PlaybackFormat.HLS,
    protocol: str | None = None,
    flavor_ids: Sequence[str] = (),
    flavor_param_ids: Sequence[int] = (),
    tags: str | None = None,
    min_bitrate: int | None = None,
    max_bitrate: int | None = None,
    ks: str | None = None,
    referrer: str | None = None,
) -> str:
    """Return the playback URL of a video, an audio or a live entry.

    HLS and DASH answer with a manifest, ``url`` and ``download`` with a redirect to a file. Unless told
    which, the server picks flavors by their tags (``mbr``, ``web``, ``dash`` ...) and answers HTTP 404 while
    none is READY; ``flavor_param_ids=[0]`` is the source.

    :param protocol: of the URLs in the answer; by default the scheme of ``cdn_host``.
    :param tags: flavors to offer, by tag.
    :param min_bitrate: in kbit/s, as ``max_bitrate``.
    :raises KalturaConfigurationError: an argument is impossible; names it.
    """
    base = delivery_base(cdn_host, partner_id, sub_partner=True)
    chosen = protocol or urlsplit(base).scheme
    if chosen not in _PROTOCOLS:
        raise KalturaConfigurationError("protocol", chosen, "is unknown", f"use one of {', '.join(_PROTOCOLS)}")
    for name, value in (("min_bitrate", min_bitrate), ("max_bitrate", max_bitrate)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value <= 0):
            raise KalturaConfigurationError(name, value, "is no bitrate", "give kbit/s above 0")
    pairs = {
        "entryId": id_value("entry_id", entry_id),
        "format": _playback_format(format),
        "protocol": chosen,
        "flavorIds": _id_list("flavor_ids", flavor_ids),
        "flavorParamIds": _id_list("flavor_param_ids", flavor_param_ids),
        "tags": tags,
        "minBitrate": min_bitrate,
        "maxBitrate": max_bitrate,
        "ks": ks,
        "referrer": encode_referrer(referrer),
    }
    return f"{base}/playManifest{path_pairs(pairs)}"


def source_download_url(cdn_host: str, partner_id: int, entry_id: str, *, ks: str | None = None) -> str:
    """Return the URL of the source file of a video or audio entry, as Kaltura's own ``downloadUrl``."""
    return play_manifest_url(
        cdn_host, partner_id, entry_id, format=PlaybackFormat.DOWNLOAD, flavor_param_ids=[0], ks=ks
    )


def raw_url(
    cdn_host: str,
    partner_id: int,
    entry_id: str,
    *,
    file_name: str | None = None,
    direct_serve: bool = True,
    forceproxy: bool = True,
    version: int | str | None = None,
    ks: str | None = None,
    referrer: str | None = None,
) -> str:
    """Return the URL of the file of an entry (of a video or audio entry: of its source).

    An unknown entry is answered with HTTP 200 and no content.

    :param file_name: the name it is served under.
    :param direct_serve: shown by browsers, not offered as a download.
    :raises KalturaConfigurationError: an argument is impossible; names it.
    """
    pairs = {
        "entry_id": id_value("entry_id", entry_id),
        "direct_serve": 1 if direct_serve else None,
        "forceproxy": True if forceproxy else None,
        "version": None if version is None else id_value("version", version),
        "ks": ks,
        "referrer": encode_referrer(referrer),
        "file_name": file_name_value(file_name),
    }
    return f"{delivery_base(cdn_host, partner_id)}/raw{path_pairs(pairs)}"


def download_url(
    cdn_host: str,
    partner_id: int,
    entry_id: str,
    *,
    flavor_id: str | None = None,
    ks: str | None = None,
    referrer: str | None = None,
    file_name: str | None = None,
) -> str:
    """Return the URL that offers an entry, or one flavor of it, as a download.

    A mistake is answered with HTTP 200 and no content.

    :raises KalturaConfigurationError: an argument is impossible; names it.
    """
    pairs = {
        "entry_id": id_value("entry_id", entry_id),
        "flavor": None if flavor_id is None else id_value("flavor_id", flavor_id),
        "ks": ks,
        "referrer": encode_referrer(referrer),
        "file_name": file_name_value(file_name),
    }
    return f"{delivery_base(cdn_host, partner_id, sub_partner=True)}/download{path_pairs(pairs)}"


def serve_flavor_url(
    cdn_host: str,
    partner_id: int,
    entry_id: str,
    flavor_id: str,
    *,
    version: int | str | None = None,
    ks: str | None = None,
    file_name: str | None = None,
) -> str:
    """Return the URL that serves the file of one flavor asset.

    :raises KalturaConfigurationError: an argument is impossible; names it.
    """
    pairs = {
        "entryId": id_value("entry_id", entry_id),
        "v": None if version is None else id_value("version", version),
        "flavorId": id_value("flavor_id", flavor_id),
        "ks": ks,
        "fileName": file_name_value(file_name),
    }
    return f"{delivery_base(cdn_host, partner_id, sub_partner=True)}/serveFlavor{path_pairs(pairs)}"


def _playback_format(format: PlaybackFormat | str) -> str:
    try:
        return PlaybackFormat(format).value
    except ValueError:
        known = ", ".join(PlaybackFormat)
        raise KalturaConfigurationError("format", format, "is unknown", f"use one of {known}") from None


def _id_list(name: str, values: Sequence[Any]) -> str | None:
    if isinstance(values, (str, bytes)):
        raise KalturaConfigurationError(name, values, "is a single text", "give a list")
    return ",".join(id_value(name, value) for value in values) or None
